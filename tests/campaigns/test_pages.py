"""The pages of campaigns, the way a member walks through them."""

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nps.accounts import service as accounts
from nps.accounts.models import Membership
from nps.campaigns import service
from nps.campaigns.models import Campaign, Invitation
from nps.core import tenancy
from nps.core.db import db
from nps.delivery.models import MailboxMail
from nps.surveys import queries as surveys
from nps.surveys import rules as survey_rules
from tests.campaigns.factories import campaign_with, make_contact

TUESDAY = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)
BASE = "/larkfield/campaigns"


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.unescape(response.get_data(as_text=True))).split())


def the_campaign() -> Campaign:
    return db.session.scalars(select(Campaign).order_by(Campaign.created_at.desc())).first()  # type: ignore[return-value]


def typed(response: Any) -> dict[str, Any]:
    """The fields of the editor's form as a browser would send them back untouched."""
    page = response.get_data(as_text=True)
    form = page[page.index('<form class="form"') :]
    form = form[: form.index("</form>")]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        name, kind = attributes.get("name"), attributes.get("type")
        if not name or name == "csrf_token" or (kind in ("checkbox", "radio") and " checked" not in tag):
            continue
        value = html.unescape(attributes.get("value", ""))
        found[name] = [*found[name], value] if isinstance(found.get(name), list) else [found[name], value] if name in found else value
    for name, body in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        found[name] = html.unescape(body).lstrip("\r\n")
    for name, body in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option selected value="([^"]*)"', body) or re.search(r'<option value="([^"]*)"', body)
        found[name] = html.unescape(chosen[1]) if chosen else ""
    return found


def test_an_account_without_campaigns_is_shown_one_way_forward(signed_in: Any, account: Any) -> None:
    page = signed_in.get(BASE)
    assert page.status_code == 200
    assert "Your score will appear here" in text_of(page)
    assert "Write a survey" in text_of(page)


def test_a_campaign_is_written_step_by_step_and_sent_without_script(signed_in: Any, account: Any, clock: Any, run_jobs: Any) -> None:
    clock.at(TUESDAY)
    for n in range(5):
        make_contact(f"Dana Number{n}", email=f"p{n}@a.example")
    made = signed_in.form(BASE, {"name": "Autumn relationship survey"})
    assert made.status_code == 303
    where = made.headers["Location"]
    who = signed_in.get(where)
    assert "5 contacts match. 5 can be asked now." in text_of(who)
    after = signed_in.form(where, {**typed(who), "do": "next"})
    assert after.headers["Location"].endswith("step=message")
    message = signed_in.get(after.headers["Location"])
    assert "Dana, how are we doing?" in text_of(message)
    assert "Ines at Larkfield" in message.get_data(as_text=True)
    words = typed(message)
    assert set(survey_rules.FIELDS) <= set(words)
    after = signed_in.form(where, {**words, "subject": "One question about {{ product }}", "whom": "a friend or colleague", "do": "next"})
    assert after.headers["Location"].endswith("step=when"), text_of(after)
    when = signed_in.get(after.headers["Location"])
    after = signed_in.form(where, {**typed(when), "hours": "at_once", "do": "next"})
    assert after.headers["Location"].endswith("step=send"), text_of(after)
    send = signed_in.get(after.headers["Location"])
    assert "Start sending to 5 people" in text_of(send)
    started = signed_in.form(f"{where}/launches", typed(send))
    assert started.status_code == 303
    assert "The first mails leave now" in text_of(signed_in.get(where))
    run_jobs()
    mails = db.session.scalars(select(MailboxMail)).all()
    assert {mail.subject for mail in mails} == {"One question about Larkfield"}
    assert len(mails) == 5
    page = text_of(signed_in.get(where))
    assert "5 of 5 asked" in page
    assert "100%" in page
    assert the_campaign().launched_by == "Ines Marchetti"


@pytest.mark.parametrize("step", ["who", "message", "when", "send"])
def test_every_step_opens_and_saves_what_it_shows(signed_in: Any, account: Any, step: str) -> None:
    make_contact("Dana", email="dana@a.example")
    campaign = campaign_with("Autumn")
    where = f"{BASE}/{campaign.id}"
    page = signed_in.get(f"{where}?step={step}")
    assert page.status_code == 200
    if step == "send":
        return
    saved = signed_in.form(where, {**typed(page), "do": "save"})
    assert saved.status_code == 303, text_of(saved)
    assert signed_in.get(saved.headers["Location"]).status_code == 200
    db.session.refresh(campaign)
    assert (campaign.gap_days, campaign.sample_percent, campaign.reminder_days, campaign.send_now) == (90, 100, 5, False)


@pytest.mark.parametrize(
    ("step", "change", "said"),
    [
        ("who", {"name": ""}, "Give the campaign a name."),
        ("who", {"gap_days": "8"}, "The gap between two surveys is 30 to 365 days."),
        ("who", {"sample_percent": "many"}, "Ask 1 to 100 % of the audience."),
        ("who", {"segment_id": "nonsense"}, "This segment is not there any more."),
        ("message", {"subject": "{{ contact.frist_name }}"}, "Did you mean contact.first_name?"),
        ("message", {"subject": "{{7*7}}"}, "is not a placeholder"),
        ("message", {"product": ""}, "Write what customers know you by."),
        ("message", {"whom": "my cat"}, "Choose one of: a friend or colleague"),
        ("message", {"reminder": "y", "reminder_days": "2"}, "A reminder goes 3 to 14 days after the first message."),
        ("message", {"reply_to": "eve@evil.example"}, "Replies go to a member of this account."),
        ("message", {"brand_color": "red"}, "“red” is not a color."),
        ("when", {"start": "later", "day": "2020-01-01", "clock": "09:00"}, "That start lies in the past: 1 January, 09:00."),
        ("when", {"start": "later", "day": "", "clock": ""}, "Choose a day and a time for the start"),
        ("when", {"days": []}, "Choose at least one day of the week."),
        ("when", {"window_start": "11:00", "window_end": "09:00"}, "is too short"),
        ("when", {"spread_days": "61"}, "Spread over 1 to 60 sending days"),
    ],
)
def test_what_cannot_be_saved_comes_back_with_a_sentence_and_all_typing(
    signed_in: Any, account: Any, step: str, change: dict[str, Any], said: str
) -> None:
    campaign = campaign_with("Autumn")
    where = f"{BASE}/{campaign.id}"
    fields = {**typed(signed_in.get(f"{where}?step={step}")), **change, "do": "next"}
    if step == "message":
        fields["intro"] = "These words are kept."
    back = signed_in.form(where, fields)
    assert back.status_code == 422
    assert said in text_of(back)
    assert "<title>Error: " in back.get_data(as_text=True)
    if step == "message":
        assert "These words are kept." in back.get_data(as_text=True)
    db.session.refresh(campaign)
    assert (campaign.name, campaign.gap_days) == ("Autumn", 90)


def test_words_that_ask_for_a_good_score_are_kept_by_one_press_and_the_campaign_says_so(signed_in: Any, account: Any) -> None:
    make_contact("Dana", email="dana@a.example")
    campaign = campaign_with("Autumn", send_now=True)
    where = f"{BASE}/{campaign.id}"
    fields = {**typed(signed_in.get(f"{where}?step=message")), "subject": "Give us a 10!", "do": "next"}
    back = signed_in.form(where, fields)
    assert back.status_code == 422
    assert "This asks for a good score, so the answers will not tell you the truth." in text_of(back)
    assert signed_in.form(where, {**fields, "keep_leading": "1"}).status_code == 303
    assert "Ines Marchetti kept it" in text_of(signed_in.get(f"{where}?step=send"))
    service.launch(campaign.id)
    assert "Ines Marchetti kept them" in text_of(signed_in.get(where))


def test_a_second_member_who_saves_later_sees_both_versions_and_loses_nothing(
    signed_in: Any, account: Any, sign_in: Any, clock: Any
) -> None:
    tom = accounts.create_user("tom@larkfield.example", "Tomás Rey")
    db.session.add(Membership(user_id=tom.id, role="manager", created_at=clock.now()))
    campaign = campaign_with("Autumn")
    where = f"{BASE}/{campaign.id}"
    other = sign_in(tom)
    mine, theirs = typed(signed_in.get(f"{where}?step=message")), typed(other.get(f"{where}?step=message"))
    clock.move(minutes=2)
    assert other.form(where, {**theirs, "closing": "Tomás was here.", "do": "save"}).status_code == 303
    clash = signed_in.form(where, {**mine, "closing": "Ines was here.", "do": "save"})
    assert clash.status_code == 409
    said = text_of(clash)
    assert "Tomás Rey changed this campaign" in said
    assert "Saved: Tomás was here." in said
    assert "Yours: Ines was here." in said
    again = signed_in.form(where, {**typed(clash), "do": "save"})
    assert again.status_code == 303
    assert surveys.get_survey(campaign.survey_id).closing == "Ines was here."


def test_the_preview_shows_the_typed_mail_to_a_real_contact_with_a_policy_of_its_own(signed_in: Any, account: Any) -> None:
    make_contact("Dana Whitfield", email="dana@a.example")
    campaign = campaign_with("Autumn")
    where = f"{BASE}/{campaign.id}"
    fields = typed(signed_in.get(f"{where}?step=message"))
    fragment = signed_in.form(
        f"{where}/preview", {**fields, "subject": 'Hi {{ contact.first_name | default: "you" }}<b>', "intro": "Größe & Maß"}
    )
    assert fragment.status_code == 200
    assert "Hi Dana&lt;b&gt;" in fragment.get_data(as_text=True)
    source = html.unescape(re.search(r'<iframe src="([^"]+)"', fragment.get_data(as_text=True))[1])  # type: ignore[index]
    mail = signed_in.get(source)
    assert mail.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "script-src" not in mail.headers["Content-Security-Policy"]
    page = mail.get_data(as_text=True)
    assert "Größe &amp; Maß" in page
    assert "Hi Dana," in page
    assert "<script" not in page
    assert "unsafe-inline" not in signed_in.get(f"{where}?step=message").headers["Content-Security-Policy"]
    text = signed_in.get(f"{where}/mail?as=text")
    assert text.content_type.startswith("text/plain")
    assert "Hi Dana," in text.get_data(as_text=True)


@pytest.mark.parametrize("packed", ["x", "eJwDAAAAAAE=", "AAAA", "eJyrVkrOz0vLTFeyUkpUqgUAIewEqg=="])
def test_a_preview_address_that_is_not_ours_is_refused(signed_in: Any, account: Any, packed: str) -> None:
    campaign = campaign_with("Autumn")
    assert signed_in.get(f"{BASE}/{campaign.id}/mail?t={packed}").status_code == 422


def test_a_name_that_looks_like_a_placeholder_stands_literally_in_the_preview(signed_in: Any, account: Any) -> None:
    make_contact("Dana", email="dana@a.example", first_name="{{7*7}}")
    campaign = campaign_with("Autumn")
    page = signed_in.get(f"{BASE}/{campaign.id}/mail").get_data(as_text=True)
    assert "Hi {{7*7}}," in page


def test_the_live_count_says_how_many_and_why_without_saving(signed_in: Any, account: Any, clock: Any) -> None:
    for n in range(4):
        make_contact(f"P{n}", email=f"p{n}@a.example")
    make_contact("Asked", email="asked@a.example").last_asked_at = clock.now() - timedelta(days=40)
    campaign = campaign_with("Autumn")
    said = text_of(signed_in.get(f"{BASE}/{campaign.id}/count?segment_id=everyone&gap_days=90"))
    assert "5 contacts match. 4 can be asked now; 1 cannot, see why." in said
    assert "1 was asked less than 90 days ago" in said
    assert "5 contacts match. 5 can be asked now." in text_of(signed_in.get(f"{BASE}/{campaign.id}/count?segment_id=everyone&gap_days=30"))
    db.session.refresh(campaign)
    assert campaign.gap_days == 90


def test_a_test_is_sent_from_the_page_and_a_stranger_is_left_out_by_name(signed_in: Any, account: Any, run_jobs: Any) -> None:
    campaign = campaign_with("Autumn")
    where = f"{BASE}/{campaign.id}"
    sent = signed_in.form(f"{where}/tests", {"test": "ines@larkfield.example, dana@gmail.test"})
    assert sent.status_code == 303
    assert "dana@gmail.test was left out; the 1 other was sent." in text_of(signed_in.get(sent.headers["Location"]))
    assert signed_in.form(f"{where}/tests", {"test": ""}).status_code == 422
    run_jobs()
    assert [m.rcpt_to for m in db.session.scalars(select(MailboxMail))] == ["ines@larkfield.example"]


def test_the_survey_page_can_be_looked_at_with_a_test_link(signed_in: Any, account: Any) -> None:
    campaign = campaign_with("Autumn")
    led = signed_in.form(f"{BASE}/{campaign.id}/visits")
    assert led.status_code == 303
    assert led.headers["Location"].startswith("/s/")
    row = db.session.scalars(select(Invitation)).one()
    assert (row.is_test, row.state, row.wave) == (True, "asked", 0)


def test_pressing_start_twice_makes_one_run(signed_in: Any, account: Any) -> None:
    make_contact("Dana", email="dana@a.example")
    campaign = campaign_with("Autumn", send_now=True)
    where = f"{BASE}/{campaign.id}"
    assert signed_in.form(f"{where}/launches", {"matched": "1"}).status_code == 303
    again = signed_in.form(f"{where}/launches", {"matched": "1"})
    assert again.status_code == 303
    assert "nothing is sent twice" in text_of(signed_in.get(where))
    db.session.refresh(campaign)
    assert campaign.wave == 1


def test_a_refused_start_says_why_and_sends_nothing(signed_in: Any, account: Any, run_jobs: Any) -> None:
    for n in range(10):
        make_contact(f"P{n}", email=f"p{n}@a.example")
    campaign = campaign_with("Autumn", send_now=True)
    back = signed_in.form(f"{BASE}/{campaign.id}/launches", {"matched": "5"})
    assert back.status_code == 422
    assert "You confirmed 5 people; 10 match now. Nothing was sent." in text_of(back)
    run_jobs()
    assert db.session.scalars(select(MailboxMail)).first() is None


def test_pause_resume_and_stop_from_the_page(signed_in: Any, account: Any, run_jobs: Any) -> None:
    for n in range(6):
        make_contact(f"P{n}", email=f"p{n}@a.example")
    campaign = campaign_with("Autumn", send_now=True, spread_days=2)
    service.launch(campaign.id)
    where = f"{BASE}/{campaign.id}"
    signed_in.form(f"{where}/pauses")
    assert "Nothing leaves until somebody presses Resume." in text_of(signed_in.get(where))
    run_jobs()
    assert signed_in.form(f"{where}/resumptions").status_code == 303
    run_jobs()
    page = signed_in.get(where)
    assert "3 people are not asked then, for good. 3 people were asked" in text_of(page)
    signed_in.form(f"{where}/stops", {"links": "close"})
    assert "Stopped" in text_of(signed_in.get(where))
    assert signed_in.form(f"{where}/pauses").status_code == 409
    assert signed_in.form(f"{where}/archivings").status_code == 303
    assert "Autumn" not in text_of(signed_in.get(BASE))
    assert "Autumn" in text_of(signed_in.get(f"{BASE}?v=archived"))


def test_the_figures_redraw_alone_and_stop_when_the_campaign_has_ended(signed_in: Any, account: Any, run_jobs: Any) -> None:
    make_contact("Dana", email="dana@a.example")
    campaign = campaign_with("Autumn", send_now=True, reminder_days=None)
    service.launch(campaign.id)
    part = signed_in.get(f"{BASE}/{campaign.id}/progress", headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert 'hx-trigger="every 2s"' in part.get_data(as_text=True)
    assert "<html" not in part.get_data(as_text=True)
    assert "Nobody is held back so far." in text_of(part)
    run_jobs()
    assert "Everybody of the audience was asked." in text_of(signed_in.get(f"{BASE}/{campaign.id}/progress"))
    service.tick()
    run_jobs()
    assert signed_in.get(f"{BASE}/{campaign.id}/progress", headers={"HX-Request": "true"}).status_code == 286


def test_people_are_listed_with_reasons_and_exported_with_the_columns_of_the_api(
    signed_in: Any, account: Any, run_jobs: Any, clock: Any
) -> None:
    dana = make_contact("Dana Whitfield", email="dana@a.example", company="=Bright Oak")
    dana.properties = {"plan": "Growth"}
    make_contact("Asked Before", email="before@a.example").last_asked_at = clock.now() - timedelta(days=3)
    make_contact("No Address", email=None)
    campaign = campaign_with("Autumn", send_now=True)
    service.launch(campaign.id)
    run_jobs()
    where = f"{BASE}/{campaign.id}"
    page = text_of(signed_in.get(f"{where}/people"))
    for words in ("Dana Whitfield", "Was asked less than 90 days ago", "Has no email address"):
        assert words in page
    assert "Dana Whitfield" in text_of(signed_in.get(f"{where}/people?q=dana"))
    assert "Asked Before" not in text_of(signed_in.get(f"{where}/people?q=dana"))
    assert "Nobody here" in text_of(signed_in.get(f"{where}/people?state=answered"))
    file = signed_in.get(f"{where}/invitations.csv")
    assert file.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(file.data.decode("utf-8-sig"))))
    assert list(rows[0])[:18] == [
        "invitation_id", "campaign", "wave", "contact_id", "email", "channel", "state", "reason", "reason_until", "due_at", "asked_at",
        "reminded_at", "answered_at", "expires_at", "language", "survey_version", "variant", "canary",
    ]  # fmt: skip
    by_email = {row["email"]: row for row in rows}
    assert by_email["dana@a.example"]["state"] == "asked"
    assert by_email["dana@a.example"]["asked.plan"] == "Growth"
    assert by_email["dana@a.example"]["asked.company"] == "'=Bright Oak"
    assert by_email["dana@a.example"]["survey_version"] == "1"
    assert (by_email["before@a.example"]["state"], by_email["before@a.example"]["reason"]) == ("planned", "throttled")
    assert (by_email[""]["state"], by_email[""]["reason"]) == ("skipped", "no_address")


def test_every_gate_is_explained_for_one_person(signed_in: Any, account: Any, clock: Any) -> None:
    dana = make_contact("Dana Whitfield", email="dana@a.example")
    dana.last_asked_at = clock.now() - timedelta(days=41)
    campaign = campaign_with("Autumn")
    page = text_of(signed_in.get(f"{BASE}/{campaign.id}/gates?q=dana@a.example"))
    assert "Asked 41 days ago; 49 days to go" in page
    assert page.count("Passed") == 9
    assert "Waits" in page
    assert page.count("Not reached") == 3
    assert "No contact has “nobody@a.example”" in text_of(signed_in.get(f"{BASE}/{campaign.id}/gates?q=nobody@a.example"))
    assert signed_in.get(f"{BASE}/{campaign.id}/gates?contact=nonsense").status_code == 200


def test_the_explorer_names_the_reason_that_the_file_names(signed_in: Any, account: Any, clock: Any, run_jobs: Any) -> None:
    for n, change in enumerate(({}, {"last_asked_at": clock.now() - timedelta(days=9)}, {"held_at": clock.now()})):
        dana = make_contact(f"Dana {n}", email=f"p{n}@a.example")
        for name, value in change.items():
            setattr(dana, name, value)
    campaign = campaign_with("Autumn", send_now=True)
    service.launch(campaign.id)
    run_jobs()
    where = f"{BASE}/{campaign.id}"
    for n, words in enumerate(("Has this wave’s invitation", "Was asked less than 90 days ago", "Has an open case")):
        assert words.lower() in text_of(signed_in.get(f"{where}/gates?q=p{n}@a.example")).lower()


def test_a_viewer_sees_no_address_and_starts_nothing(account: Any, sign_in: Any, clock: Any, run_jobs: Any) -> None:
    vera = accounts.create_user("vera@larkfield.example", "Vera")
    db.session.add(Membership(user_id=vera.id, role="viewer", created_at=clock.now()))
    make_contact("Dana Whitfield", email="dana@a.example")
    campaign = campaign_with("Autumn", send_now=True)
    browser = sign_in(vera)
    where = f"{BASE}/{campaign.id}"
    assert browser.form(f"{where}/launches", {"matched": "1"}).status_code == 403
    assert browser.form(where, {"step": "who"}).status_code == 403
    service.launch(campaign.id)
    run_jobs()
    for path in ("/people", "/invitations.csv", "/gates?q=dana@a.example"):
        page = browser.get(f"{where}{path}")
        assert page.status_code == 200
        assert path.startswith("/gates") or "dana@a.example" not in page.get_data(as_text=True)
    assert ">dana@a.example" not in browser.get(f"{where}/gates?q=dana@a.example").get_data(as_text=True)


def test_a_rivals_campaign_is_not_there(signed_in: Any, account: Any, rival: Any) -> None:
    with tenancy.account_scope(rival.id):
        theirs = campaign_with("Theirs")
        db.session.flush()
        theirs_id = theirs.id
    for path in ("", "/people", "/invitations.csv", "/gates", "/progress", "/mail", "/count"):
        assert signed_in.get(f"{BASE}/{theirs_id}{path}").status_code == 404
    for path in ("", "/launches", "/pauses", "/resumptions", "/stops", "/copies", "/discards", "/tests", "/visits", "/preview"):
        assert signed_in.form(f"{BASE}/{theirs_id}{path}", {"step": "who"}).status_code == 404


def test_a_draft_is_discarded_and_one_with_tests_ends_its_links(signed_in: Any, account: Any, run_jobs: Any) -> None:
    plain, tested = campaign_with("Plain"), campaign_with("Tested")
    service.send_test(tested.id, ["ines@larkfield.example"])
    for campaign_id in [plain.id, tested.id]:
        assert signed_in.form(f"{BASE}/{campaign_id}/discards").status_code == 303
        assert signed_in.get(f"{BASE}/{campaign_id}").status_code == 404
    assert "Tested" not in text_of(signed_in.get(BASE)).replace("“Tested” was discarded", "")


def test_a_campaign_is_used_again_as_a_new_draft(signed_in: Any, account: Any) -> None:
    campaign = campaign_with("Autumn", reminder_days=None, gap_days=120)
    made = signed_in.form(f"{BASE}/{campaign.id}/copies")
    assert made.status_code == 303
    again = the_campaign()
    assert (again.name, again.reminder_days, again.gap_days, again.state) == ("Autumn, again", None, 120, "draft")
    assert again.survey_id != campaign.survey_id
