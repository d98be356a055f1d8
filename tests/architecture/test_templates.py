"""Templates name real endpoints, real icons, and carry no inline style or script."""

import re
from pathlib import Path

import pytest
from flask import Flask

from nps.app import create_app
from tests.conftest import settings_for

ROOT = Path(__file__).parents[2]
PAGES = [p for p in sorted((ROOT / "templates").rglob("*.html")) if "email" not in p.relative_to(ROOT / "templates").parts]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application that nobody asks anything."""
    folder = tmp_path_factory.mktemp("built")
    return create_app(settings_for(f"sqlite:///{folder}/never.sqlite3", folder))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_links_name_real_endpoints(built: Flask, page: Path) -> None:
    named = set(re.findall(r"""url_for\(\s*['"]([\w.]+)['"]""", page.read_text()))
    assert named <= set(built.view_functions), named - set(built.view_functions)


# Pages that are linked as soon as an installation has them.
TO_COME = {"delivery.domains"}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_links_that_may_be_absent_name_real_endpoints_too(built: Flask, page: Path) -> None:
    named = set(re.findall(r"""page_url\(\s*['"]([\w.]+)['"]""", page.read_text()))
    assert named <= set(built.view_functions) | TO_COME, named - set(built.view_functions)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_nothing_inline(page: Path) -> None:
    text = page.read_text()
    assert not re.search(r"""\sstyle=["']""", text)
    assert not re.search(r"\son(click|change|submit|load|input)=", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"\|\s*safe\b", text)


def test_every_template_compiles(built: Flask) -> None:
    for page in PAGES:
        built.jinja_env.get_template(str(page.relative_to(ROOT / "templates")))
