"""Words of single mails: `templates/email/<name>/{subject.txt,body.txt,body.html}` filled with values of ours.

Only our own templates are Jinja; what an account writes is filled by `core.placeholders`. The HTML is escaped by itself.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape


@dataclass(frozen=True)
class Words:
    """What one mail says; subject is one line."""

    subject: str
    text: str
    html: str


@lru_cache(maxsize=1)
def _environment() -> Environment:
    package = Path(__file__).resolve().parents[1]
    packaged = package / "_templates"
    folder = packaged if packaged.is_dir() else package.parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder / "email"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(name: str, /, **values: Any) -> Words:
    """The mail `name` with these values. Raises when a value is missing: a mail with a gap must not leave."""
    made = _environment()
    subject = " ".join(made.get_template(f"{name}/subject.txt").render(**values).split())
    text = made.get_template(f"{name}/body.txt").render(**values).strip() + "\n"
    return Words(subject, text, made.get_template(f"{name}/body.html").render(**values))
