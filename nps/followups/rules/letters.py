"""What a reply looks like in the customer's mailbox, and what of their reply is shown on the case page."""

import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from nps.core import placeholders
from nps.core.errors import Invalid

MOST_CHARACTERS = 20_000
PLACEHOLDERS = (
    "contact.first_name",
    "contact.company",
    "owner.first_name",
    "owner.phone",
    "account.name",
    "response.score",
    "response.comment",
    "cause.name",
    "cause.reply_text",
    "due.day",
)


def check_body(body: str) -> str | None:
    """What is wrong with a reply somebody typed, or None."""
    if not body.strip():
        return "Write something first. An empty reply stops no clock."
    if len(body) > MOST_CHARACTERS:
        return f"A reply has at most {MOST_CHARACTERS:,} characters. This one has {len(body):,}."
    gap = re.search(r"\{\{.*?\}\}", body, re.DOTALL)
    if gap:
        return f"There is a gap left to fill: “{placeholders.clean(gap.group())}”."
    return None


def check_saved(name: str, body: str) -> dict[str, str]:
    """Field name -> what is wrong with a saved reply."""
    wrong = {}
    if not name.strip():
        wrong["name"] = "Give it a name, so that it can be found."
    if not body.strip():
        wrong["body"] = "Write the words to begin with."
    elif len(body) > MOST_CHARACTERS:
        wrong["body"] = f"At most {MOST_CHARACTERS:,} characters."
    else:
        try:
            placeholders.check(body, PLACEHOLDERS)
        except Invalid as error:
            wrong["body"] = error.message
    return wrong


def filled(body: str, values: Mapping[str, object]) -> str:
    """A saved reply with its values in. A value that is missing and has no default stays as a gap in braces, which blocks sending."""
    parts = []
    for part in placeholders.parse(body).segments:
        if isinstance(part, str):
            parts.append(part)
            continue
        # The customer's own words and approved texts have many lines; a name has one.
        many = part.name in {"response.comment", "cause.reply_text"}
        given = str(values.get(part.name) or "").strip() if many else placeholders.value_of(part, values)
        parts.append(given or part.default or f"{{{{ {part.name} }}}}")
    return "".join(parts)


def subject(original: str) -> str:
    """ "Re: " in front, once."""
    plain = re.sub(r"^(?:\s*(?:re|aw|sv|antw|fw|fwd)\s*:\s*)+", "", original, flags=re.IGNORECASE).strip()
    return f"Re: {plain or 'Your answer'}"


Links = Sequence[tuple[str, str]]
"""(words, address) of the links under a closing letter."""

SOLVED_QUESTION = "Is it solved?"


def as_text(body: str, quote: str, lead: str, links: Links = ()) -> str:
    """The text part: what was typed, the question if there is one, then the customer's answer quoted."""
    parts = [body.strip()]
    if links:
        parts.append("\n".join([SOLVED_QUESTION, *(f"{words}: {address}" for words, address in links)]))
    if quote.strip():
        quoted = "\n".join(f"> {line}".rstrip() for line in quote.strip().splitlines())
        parts.append(f"{lead}\n{quoted}")
    return "\n\n".join(parts) + "\n"


def as_html(body: str, quote: str, lead: str, links: Links = ()) -> str:
    """The same as simple HTML: paragraphs, line breaks, links and a quotation. Everything typed is escaped."""
    parts = [_paragraphs(body)]
    if links:
        made = Markup(" · ").join(Markup('<a href="{}">{}</a>').format(address, words) for words, address in links)
        parts.append(Markup("<p>{} {}</p>").format(SOLVED_QUESTION, made))
    if quote.strip():
        parts.append(
            Markup(
                '<p style="color:#51565f">{}</p>'
                '<blockquote style="margin:0;padding-left:12px;border-left:2px solid #e4e2dc;color:#51565f">{}</blockquote>'
            ).format(lead, _paragraphs(quote))
        )
    return str(Markup('<div style="font-family:sans-serif;font-size:15px;line-height:1.5">{}</div>').format(Markup("").join(parts)))


def _paragraphs(text: str) -> Markup:
    blocks = [block for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()) if block.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in block.split("\n"))) for block in blocks)
