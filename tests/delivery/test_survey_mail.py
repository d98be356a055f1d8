"""The survey mail: same words and links in both parts, eleven of them, small, readable by anything."""

import email
import re
from email.policy import default
from html.parser import HTMLParser
from typing import Any

import pytest

from nps.delivery.compose import Template, Wording, compile, mark
from nps.web import email_templates
from tests.delivery.test_compose import values

WORDS = {
    "pick_from": "Pick a number from 0 (not at all likely) to 10 (extremely likely):",
    "low": "0 = not at all likely",
    "high": "10 = extremely likely",
    "after_text": "You will see one short question after that. That is the whole survey.",
    "after_html": "Pick a number and you will see one short question. That is the whole survey.",
    "write_instead": "If you would rather write, reply to this email. It comes to me.",
    "how_often": "We ask each customer at most once every 90 days.",
    "stop": "Stop survey emails",
    "buttons_not_working": "Buttons not working?",
    "open_in_browser": "Open the survey in your browser",
}
LINK = "https://answers.larkfield.example/s/" + mark("token:survey")


def survey(**changes: Any) -> Template:
    given: dict[str, Any] = {
        "language": "en",
        "dir": "ltr",
        "subject": mark("first_name", "Hello") + ", how are we doing?",
        "preview": "Pick a number from 0 to 10. It takes about 20 seconds, and a person reads every answer.",
        "greeting": "Hi " + mark("first_name", "there") + ",",
        "intro": "",
        "question": "How likely are you to recommend Larkfield to another business owner?",
        "points": list(range(11)),
        "link": LINK,
        "hidden_link": LINK + "/seal",
        "closing": "",
        "stop_link": "https://answers.larkfield.example/u/" + mark("token:stop"),
        "sender_name": "Ines Marchetti",
        "sender_role": "Customer lead, Larkfield",
        "account_name": "Larkfield",
        "postal_address": "Larkfield Inc., 48 Quay Street, Portland, ME 04101, USA",
        "brand_color": "#14574a",
        "brand_on_dark": "#a9cfc5",
        "words": WORDS,
        **changes,
    }
    words = email_templates.render("survey", **given)
    return compile(Wording(words.subject, words.text, words.html, "Ines Marchetti", "ines@larkfield.example"))


def parts(template: Template, first_name: str = "Dana") -> tuple[bytes, Any, str, str]:
    slots = {"first_name": first_name, "token:survey": "t" * 59, "token:stop": "u" * 59}
    data = template.splice(values(slots=slots))
    parsed = email.message_from_bytes(data, policy=default)
    text, html = (parsed.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    return data, parsed, text, html


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.skip = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.skip += tag in ("style", "title")
        if tag == "a":
            self.links.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self.skip -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self.skip:
            self.words.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_both_parts_have_the_same_eleven_links_and_the_stop_link():
    _, parsed, text, html = parts(survey())
    assert parsed["Subject"] == "Dana, how are we doing?"
    wanted = [f"https://answers.larkfield.example/s/{'t' * 59}?score={n}" for n in range(11)]
    assert re.findall(r"https://\S+score=\d+", text) == wanted
    hrefs = [link["href"] for link in read(html).links]
    assert [href for href in hrefs if href and "score=" in href] == wanted
    stop = f"https://answers.larkfield.example/u/{'u' * 59}"
    assert stop in text
    assert hrefs.count(stop) == 1


def test_the_text_part_reads_as_designed():
    _, _, text, _ = parts(survey())
    link = f"https://answers.larkfield.example/s/{'t' * 59}"
    scale = "".join(f"{n:2d}  {link}?score={n}\n" for n in range(11))
    assert text == (
        "Hi Dana,\n\nHow likely are you to recommend Larkfield to another business owner?\n\n"
        f"Pick a number from 0 (not at all likely) to 10 (extremely likely):\n\n{scale}\n"
        "You will see one short question after that. That is the whole survey.\n"
        "If you would rather write, reply to this email. It comes to me.\n\n"
        "Ines Marchetti\nCustomer lead, Larkfield\n\n--\n"
        "We ask each customer at most once every 90 days.\n"
        f"Stop survey emails: https://answers.larkfield.example/u/{'u' * 59}\n"
        "Larkfield Inc., 48 Quay Street, Portland, ME 04101, USA\n"
    )


def test_the_html_part_says_what_the_text_part_says():
    _, _, _, html = parts(survey(intro="A line before.", closing="A line after."))
    said = re.sub(r"\s+", " ", " ".join(read(html).words))
    for words in (
        "Hi Dana,",
        "A line before.",
        "How likely are you to recommend Larkfield",
        WORDS["low"],
        WORDS["high"],
        WORDS["after_html"],
        WORDS["write_instead"],
        "A line after.",
        "Ines Marchetti",
        "Customer lead, Larkfield",
        WORDS["how_often"],
        "48 Quay Street",
    ):
        assert words in said


def test_nothing_is_fetched_and_one_link_is_hidden():
    data, _, text, html = parts(survey())
    reader = read(html)
    assert not {"img", "form", "script", "link", "iframe", "svg"} & set(reader.tags)
    assert "url(" not in html
    assert "@import" not in html
    hidden = [link for link in reader.links if link["href"] and link["href"].endswith("/seal")]
    assert [(link["style"], link["aria-hidden"], link["tabindex"]) for link in hidden] == [("display:none;", "true", "-1")]
    assert "/seal" not in text
    assert len(data) <= 30 * 1024
    assert b"\r\n." not in data


@pytest.mark.parametrize(("dir", "start", "end"), [("ltr", "left", "right"), ("rtl", "right", "left")])
def test_labels_stand_at_their_ends_in_both_directions(dir, start, end):
    _, _, _, html = parts(survey(dir=dir, language="ar" if dir == "rtl" else "en"))
    assert f'dir="{dir}"' in html
    assert re.search(rf'align="{start}"[^>]*>0 = not', html)
    assert re.search(rf'align="{end}"[^>]*>10 = extremely', html)


def test_short_scales_stand_in_one_row_with_both_labels():
    _, _, _, html = parts(survey(points=[1, 2, 3, 4, 5], words={**WORDS, "low": "1 = very dissatisfied", "high": "5 = very satisfied"}))
    assert html.count("score=") == 5
    assert "half2" not in html.split("</style>")[1]
    assert "1 = very dissatisfied" in html
    assert "5 = very satisfied" in html


def test_a_long_language_fits_too():
    words = dict.fromkeys(WORDS, "長い言葉で書かれた文章です。" * 4)
    data, _, _, _ = parts(
        survey(words=words, question="友人や同僚に勧める可能性はどのくらいありますか？" * 2, intro="説明" * 150), "山田 太郎"
    )
    assert len(data) <= 30 * 1024


def test_a_value_missing_from_the_wording_is_an_error():
    with pytest.raises(Exception, match="undefined"):
        email_templates.render("survey", subject="x")
