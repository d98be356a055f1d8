# ruff: noqa: E501 - expected markup stays on one line, as the stylesheet reads it
"""The parts of every page, drawn without the application: structure and classes as the stylesheets expect them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, HiddenField, PasswordField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired

from nps.web.navigation import SECTIONS

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "nps" / "static"
ICONS = set(re.findall(r'<symbol id="([a-z]+)"', (STATIC / "icons.svg").read_text()))


class Company:
    name = "Larkfield"
    slug = "larkfield"
    brand_color = "#14574a"
    on_brand = "#ffffff"
    postal_address = "48 Quay Street\nPortland, ME 04101"


PLACE: dict[str, Any] = {}
FLASHES: list[tuple[str, str]] = []
ENV = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
ENV.globals.update(
    url_for=lambda endpoint, filename="", **kw: f"/static/{filename}",
    get_flashed_messages=lambda with_categories: list(FLASHES),
    csrf_token=lambda: "tok",
    csp_nonce=lambda: "nonce-1",
    support_email="",
    g=PLACE,
)


@pytest.fixture(autouse=True)
def _nobody_is_here() -> Iterator[None]:
    yield
    PLACE.clear()
    FLASHES.clear()


@pytest.fixture
def ui() -> Any:
    return ENV.get_template("components/ui.html").module


def draw(source: str, **values: Any) -> str:
    return ENV.from_string('{% import "components/ui.html" as ui %}' + source).render(**values).strip()


def squeeze(html: str) -> str:
    return re.sub(r">(\s*\n\s*|\s{2,})<", "><", html.strip())


CASES = {
    "{{ ui.ico('gift') }}": '<svg class="ico" viewBox="0 0 16 16" aria-hidden="true"><use href="/static/icons.svg#gift"/></svg>',
    "{{ ui.score(3) }}": '<span class="score" data-g="det" title="Detractor"><span class="vh">Score </span>3</span>',
    "{{ ui.score(8) }}": '<span class="score" data-g="pas" title="Passive"><span class="vh">Score </span>8</span>',
    "{{ ui.score(9, large=True) }}": '<span class="score lg" data-g="pro" title="Promoter"><span class="vh">Score </span>9</span>',
    "{{ ui.who('Tomás Rey', 'c') }}": '<span class="who c" title="Tomás Rey"><span aria-hidden="true">TR</span><span class="vh">Tomás Rey</span></span>',
    "{{ ui.who(none) }}": '<span class="who none" title="Nobody yet"><span aria-hidden="true">–</span><span class="vh">Nobody yet</span></span>',
    "{{ ui.tag('Bank feeds', 'line') }}": '<span class="tag line">Bank feeds</span>',
    "{{ ui.tag('Live', 'pro', live=True) }}": '<span class="tag pro"><i class="dot live"></i> Live</span>',
    "{{ ui.btn('Discard draft', kind='quiet') }}": '<button class="btn quiet">Discard draft</button>',
    "{{ ui.btn('Review rewards', href='/r?a=1&b=2', kind='sm') }}": '<a class="btn sm" href="/r?a=1&amp;b=2">Review rewards</a>',
    "{{ ui.btn('Revoke', kind='sm quiet bad', type='button', more=' Billing sync', attrs={'popovertarget': 'rev'}) }}": (
        '<button class="btn sm quiet bad" type="button" popovertarget="rev">Revoke<span class="vh"> Billing sync</span></button>'
    ),
    "{{ ui.seg([('30 days', '?p=30', False), ('90 days', '?p=90', True)], 'Period') }}": (
        '<nav class="seg" aria-label="Period"><a href="?p=30">30 days</a><a href="?p=90" aria-current="true">90 days</a></nav>'
    ),
    "{{ ui.figs([('Added', '3,040'), ('Rewards', '$5,900', '$450 to come')]) }}": (
        '<dl class="figs"><div class="fig"><dt>Added</dt><dd>3,040</dd></div><div class="fig"><dt>Rewards</dt><dd>$5,900</dd><dd>$450 to come</dd></div></dl>'
    ),
    "{{ ui.facts([('Plan', 'Growth'), ('Role', ''), ('Tickets', 0)]) }}": '<dl class="facts"><dt>Plan</dt><dd>Growth</dd><dt>Tickets</dt><dd>0</dd></dl>',
    "{{ ui.funnel([('Sent', '5,214', '', 100), ('Delivered', '5,121', '98.2% of sent', 98.2)]) }}": (
        '<ol class="funnel" role="list"><li><span>Sent</span><b>5,214</b><svg class="hbar" aria-hidden="true"><rect width="100.0%" height="100%" rx="2"/></svg></li>'
        '<li><span>Delivered <small>98.2% of sent</small></span><b>5,121</b><svg class="hbar" aria-hidden="true"><rect width="98.2%" height="100%" rx="2"/></svg></li></ol>'
    ),
    "{{ ui.key([('acc', 'NPS'), ('sw', '95% margin')]) }}": (
        '<ul class="key" role="list"><li><i class="dot acc"></i> NPS</li><li><i class="sw"></i> 95% margin</li></ul>'
    ),
    "{{ ui.pm(45, 6) }}": '<span><b>45</b> <span class="mute">±6</span></span>',
    "{{ ui.ends('not at all likely', 'extremely likely') }}": (
        '<div class="ends"><span id="end-0">0 = not at all likely</span><span id="end-10">10 = extremely likely</span></div>'
    ),
    "{{ ui.deed('x', 'We did', 'y', '2026-06-02', '2 June 2026', raised=4) }}": (
        '<li><p class="lbl2">You said</p><p class="you">“x”</p><p class="lbl2">We did</p><p>y</p><p class="fine"><time datetime="2026-06-02">2 June 2026</time></p></li>'
    ),
    "{{ ui.sure('Erase my record', 'This cannot be undone.', 'Erase my record', '/x') }}": (
        '<details class="sure"><summary>Erase my record</summary><div><p>This cannot be undone.</p><form method="post" action="/x">'
        '<input type="hidden" name="csrf_token" value="tok"><button class="go alt sm danger" type="submit">Erase my record</button></form></div></details>'
    ),
    "{{ ui.event('user', 'Assigned', when='11:58', at='2026-10-05T11:58') }}": (
        '<li><span class="mini"><svg class="ico" viewBox="0 0 16 16" aria-hidden="true"><use href="/static/icons.svg#user"/></svg></span>'
        '<p class="ev">Assigned <time datetime="2026-10-05T11:58">11:58</time></p></li>'
    ),
}


@pytest.mark.parametrize(("source", "expected"), CASES.items())
def test_part_is_drawn_as_the_stylesheet_expects(source: str, expected: str) -> None:
    assert squeeze(draw(source)) == expected


@pytest.mark.parametrize(
    ("state", "inside"),
    [
        ("ok", 'stroke-dasharray="45 100"'),
        ("late", 'stroke-dasharray="100 100"'),
        ("wait", "M7.2 6.5v5M10.8 6.5v5"),
        ("met", "M6 9.3 8.2 11.5 12.2 7"),
    ],
)
def test_clock_shows_each_state_by_shape_and_words(ui: Any, state: str, inside: str) -> None:
    html = ui.clock(state, "4 h 23 min", "Due 15:05", used=45)
    assert html.startswith(f'<span class="clock {state}">')
    assert inside in html
    assert "<span>4 h 23 min <small>Due 15:05</small></span>" in html


@pytest.mark.parametrize(
    ("points", "clear", "classes", "icon", "words"),
    [
        (12, True, "delta up", "#up", "12 points"),
        (-8, True, "delta down", "#dn", "8 points"),
        (5, False, "delta flat", "#up", "5 points"),
        (1, True, "delta up", "#up", "1 point"),
        (0, True, "delta flat", None, "0 points"),
    ],
)
def test_change_is_coloured_only_when_it_is_clear(ui: Any, points: int, clear: bool, classes: str, icon: str | None, words: str) -> None:
    html = ui.delta(points, clear)
    assert f'class="{classes}"' in html
    assert re.sub("<[^>]+>", "", html).strip() == words
    assert (icon in html) if icon else ("<use" not in html)


def test_text_of_customers_is_escaped_everywhere() -> None:
    evil = '<script>alert(1)</script>"'
    html = draw(
        "{{ ui.comment(3, e, [e], [e]) }}{{ ui.case_row('/c', e, 2, e, '', '', company=e, tags=[e], worth=e, pick=e) }}"
        "{{ ui.message(e, e, e) }}{{ ui.who(e) }}{{ ui.recap(3, e, '/x') }}{{ ui.btn(e, attrs={'data-x': e}) }}{{ ui.flash('bad', e) }}"
        "{{ ui.ask('x', e, e, '/x', e) }}{{ ui.lines(e, [{'count': 1, 'text': e, 'sub': e, 'link': (e, e)}]) }}{{ ui.share(e) }}",
        e=evil,
    )
    assert "<script" not in html
    assert '"&#34;' not in html.replace("&#34;", "")


def test_card_holds_head_body_and_foot() -> None:
    html = squeeze(draw("{% call ui.card('Segments', width='w7', flush=True, footer='Below', sub='Why') %}<p>x</p>{% endcall %}"))
    assert html == (
        '<section class="card flush w7" aria-labelledby="h-segments"><header><h2 id="h-segments">Segments</h2><p class="sub mt2">Why</p></header>'
        '<div class="body"><p>x</p></div><footer>Below</footer></section>'
    )


def test_table_names_its_box_and_sorts_by_links() -> None:
    html = squeeze(
        draw(
            "{% call ui.table('Members', ['Member', ('Answers', 'r'), {'text': 'NPS', 'cls': 'r', 'href': '?sort=nps', 'sort': 'descending'}, none]) %}"
            "<tr><td>x</td></tr>{% endcall %}"
        )
    )
    assert html.startswith(
        '<div class="scroll mt2" tabindex="0" role="region" aria-label="Members, table"><table class="tbl cards"><caption class="vh">Members</caption>'
    )
    assert '<th scope="col" class="r" aria-sort="descending"><a href="?sort=nps">NPS <svg' in html
    assert '<th scope="col"><span class="vh">Action</span></th>' in html


def test_steps_before_the_current_one_are_done() -> None:
    html = squeeze(draw("{{ ui.steps([('Who', '?step=1'), 'Message', 'When'], at=2) }}"))
    assert '<li class="done"><a href="?step=1">' in html
    assert html.count('aria-current="step"') == 1
    assert html.count('class="done"') == 1


def test_tabs_say_which_one_is_open_and_how_many_wait() -> None:
    html = squeeze(draw("{{ ui.tabs([('Open', '?a', True, 14), ('No owner', '?b', False, 2, True), ('Closed', '?c', False)], 'Views') }}"))
    assert '<a href="?a" aria-current="page">Open <span class="num">14</span></a>' in html
    assert '<a href="?b">No owner <span class="num hot">2</span></a>' in html
    assert '<a href="?c">Closed</a>' in html


def test_flash_that_is_bad_interrupts_and_others_wait() -> None:
    FLASHES.extend([("good", "Saved."), ("bad", "Not sent.")])
    html = ENV.from_string('{% import "components/ui.html" as ui %}{{ ui.flashes() }}').render()
    assert '<div class="note good mb4" role="status">' in html
    assert '<div class="note bad mb4" role="alert">' in html


class Sample(Form):
    subject = StringField("Subject", [DataRequired("Write a subject")])
    body = TextAreaField("Team note")
    role = SelectField("Role", choices=[SelectChoice("a", "Admin"), SelectChoice("v", "Viewer")])
    who = RadioField("Who gets it", choices=[SelectChoice("all", "Everyone"), SelectChoice("seg", "A segment")], default="all")
    reply = BooleanField("I would like a reply")
    secret = PasswordField("Password")
    token = HiddenField()


def test_field_with_an_error_is_tied_to_hint_and_error() -> None:
    form = Sample(MultiDict({"subject": "  ", "role": "v", "who": "seg"}))
    assert not form.validate()
    html = squeeze(draw("{{ ui.field(form.subject, hint='Short.', maxlength=78) }}", form=form))
    assert html.startswith(
        '<div class="fld is-bad"><label for="subject">Subject</label><p class="hint" id="subject-h">Short.</p><p class="err" id="subject-e">'
    )
    assert 'aria-describedby="subject-h subject-e"' in html
    assert 'aria-invalid="true"' in html
    assert 'maxlength="78"' in html


def test_error_summary_counts_and_links_to_each_field() -> None:
    form = Sample(MultiDict({"role": "nobody", "who": "all"}))
    assert not form.validate()
    form.form_errors.append("The account is closed.")
    html = squeeze(draw("{{ ui.errors(form) }}", form=form))
    assert (
        '<div class="errsum mb4" role="alert" tabindex="-1" aria-labelledby="errsum-t"><h2 id="errsum-t">There are 3 things to fix</h2>'
        in html
    )
    assert '<li><a href="#subject">Write a subject</a></li>' in html
    assert "<li>The account is closed.</li>" in html


def test_error_summary_is_silent_when_all_is_well() -> None:
    form = Sample(MultiDict({"subject": "Hello", "role": "a", "who": "all"}))
    assert form.validate()
    assert draw("{{ ui.errors(form) }}", form=form) == ""


def test_every_kind_of_field_gets_its_class() -> None:
    form = Sample(MultiDict({"subject": "Hello", "role": "v", "who": "seg", "reply": "y"}))
    html = draw(
        "{% for f in (form.subject, form.body, form.role, form.who, form.reply) %}{{ ui.field(f) }}{% endfor %}{{ ui.password(form.secret) }}",
        form=form,
    )
    assert '<input class="inp"' in html
    assert '<textarea class="txt"' in html
    assert '<select class="sel"' in html
    assert html.count('<label class="pick">') == 3
    assert re.search(r'<input checked id="who-1" name="who" type="radio" value="seg"><span>A segment</span>', html)
    assert 'data-reveal="secret"' in html
    assert 'autocomplete="current-password"' in html


def test_typed_text_is_kept_beside_the_error() -> None:
    form = Sample(MultiDict({"subject": "", "body": 'kept "words" <b>', "role": "v", "who": "seg"}))
    form.validate()
    html = draw("{{ ui.field(form.body) }}{{ ui.field(form.role) }}", form=form)
    assert "kept &#34;words&#34; &lt;b&gt;</textarea>" in html
    assert '<option selected value="v">' in html


def test_scale_has_eleven_numbers_and_nothing_chosen_by_itself() -> None:
    html = draw("{% call ui.scale() %}<h1>How likely?</h1>{% endcall %}")
    assert html.count('type="radio"') == 11
    assert "checked" not in html
    assert "data-g" not in html, "the scale is never coloured"
    assert "<legend><h1>How likely?</h1></legend>" in html


@pytest.mark.parametrize("picked", [0, 3, 10])
def test_scale_keeps_the_number_that_was_picked(picked: int) -> None:
    html = draw("{% call ui.scale(selected=n) %}q{% endcall %}", n=picked)
    assert html.count("checked") == 1
    assert re.search(rf'value="{picked}"[^>]* checked', html)


def test_share_link_is_shown_short_and_copied_whole(ui: Any) -> None:
    html = ui.share("https://larkfield.example/with/maya-7Q2")
    assert 'value="larkfield.example/with/maya-7Q2" data-full="https://larkfield.example/with/maya-7Q2"' in html


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("#14574a", "#14574a"),
        ("#FFFFFF", "#FFFFFF"),
        ("red", ""),
        ("#14574a;}", ""),
        ("#1457zz", ""),
        ("", ""),
        (None, ""),
        ("#14574a\n", ""),
    ],
)
def test_only_plain_hex_reaches_a_style_element(ui: Any, color: str | None, expected: str) -> None:
    assert ui.hex(color) == expected


def page(name: str, g: dict[str, Any], **values: Any) -> str:
    PLACE.update(g)
    source = "{% extends '" + name + "' %}{% block main %}<h1>{{ title }}</h1>{{ ui.tag('x') }}{% endblock %}"
    return ENV.from_string(source).render(**values)


@pytest.mark.parametrize("name", ["base.html", "public.html", "blank.html"])
def test_every_layout_has_one_main_and_no_inline_code(name: str) -> None:
    html = page(name, {"account": Company(), "member": None}, title="Overview")
    assert html.lstrip().startswith("<!doctype html>")
    assert html.count("<main") == 1
    assert html.count("<h1") == 1
    assert 'class="tag">x<' in html
    assert " style=" not in html
    assert not re.search(r"<script(?![^>]*\ssrc=)", html)
    assert not re.search(r"\son\w+=", html)


def test_customer_page_wears_the_company_colour_under_a_nonce() -> None:
    html = page("public.html", {"account": Company()}, title="Thank you", stop_url="/u/tok")
    assert '<style nonce="nonce-1">:root { --brand: #14574a; --on-brand: #ffffff }</style>' in html
    assert "48 Quay Street, Portland, ME 04101&nbsp;· Sent with Wordback" in html
    assert 'You get this because you are a Larkfield customer. <a href="/u/tok">Stop survey emails</a>' in html
    assert "htmx" not in html


def test_workspace_title_names_page_and_account_and_marks_errors() -> None:
    form = Sample(MultiDict({}))
    form.validate()
    assert "<title>Error: Settings · Larkfield · Wordback</title>" in page("base.html", {"account": Company()}, title="Settings", form=form)


@pytest.mark.parametrize("g", [{}, {"account": Company()}, {"account": Company(), "member": object()}])
def test_error_page_fits_the_place_it_happened(g: dict[str, Any]) -> None:
    PLACE.update(g)
    html = ENV.get_template("error.html").render(heading="Nothing here", message="It moved.", status=404, reference="ab12")
    assert html.count("<h1") == 1
    assert "Nothing here" in html
    assert "ab12" in html


SOURCES = sorted(p for p in TEMPLATES.rglob("*.html") if "email" not in p.relative_to(TEMPLATES).parts)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(TEMPLATES)))
def test_templates_use_no_inline_style_or_script_and_only_known_icons(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\sstyle\s*=", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    assert not re.search(r"\son(click|change|submit|load|input|key\w+)\s*=", source)
    named = set(re.findall(r"ico\('([a-z]+)'", source)) | set(re.findall(r"icon='([a-z]+)'", source))
    assert named <= ICONS, f"unknown icons: {named - ICONS}"


def test_every_part_is_offered_by_the_one_import() -> None:
    offered = ENV.get_template("components/ui.html").module
    for path in (TEMPLATES / "components").glob("*.html"):
        if path.name == "ui.html":
            continue
        for macro in re.findall(r"{% macro (\w+)\(", path.read_text()):
            assert hasattr(offered, macro), f"{macro} of {path.name}"


def test_navigation_names_icons_that_exist() -> None:
    assert {e.icon for _, _, entries in SECTIONS for e in entries} <= ICONS


def test_markup_given_by_the_page_is_not_escaped_twice() -> None:
    html = draw("{{ ui.event('user', text) }}", text=Markup("Assigned to <b>Tomás</b>"))
    assert "<b>Tomás</b>" in html
