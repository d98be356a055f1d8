"""The overview page and its data: the same numbers, the states, the words, what is refused."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from nps.accounts.models import Account
from nps.analytics import service
from nps.contacts.models import PropertyDefinition
from nps.core import tenancy
from nps.core.db import db
from nps.referrals import service as referrals
from tests.analytics.conftest import TODAY, Asker, keep
from tests.conftest import Browser
from tests.referrals.world import live_program


def page(browser: Browser, query: str = "") -> str:
    answer = browser.get(f"/larkfield/{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)[:2000]
    return str(answer.get_data(as_text=True))


def data(browser: Browser, query: str = "") -> dict[str, Any]:
    answer = browser.get(f"/larkfield/metrics.json{query}")
    assert answer.status_code == 200
    return dict(answer.get_json())


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def define(key: str, label: str) -> None:
    db.session.add(PropertyDefinition(key=key, label=label, kind="text", created_at=db.func.now()))


def test_before_the_first_answer_the_page_says_why_it_is_empty(signed_in: Browser) -> None:
    html = page(signed_in)
    assert "Your score will appear here" in html
    assert "Most answers arrive within a day, and the score shows once 30 people have answered." in html
    assert data(signed_in)["value"]["state"] == "none"


def test_worked_example_stands_on_the_page_and_in_the_data(signed_in: Browser, asker: Asker) -> None:
    asker.answers({10: 20, 8: 23, 0: 8})
    html, numbers = page(signed_in), data(signed_in)
    assert numbers["value"]["nps"] == pytest.approx(23.5294117647, abs=1e-9)
    assert (numbers["value"]["shown"], numbers["n"], numbers["counts"]) == (24, 51, [8, 0, 0, 0, 0, 0, 0, 0, 23, 0, 20])
    assert (numbers["recorded"], numbers["excluded"]) == (51, {})
    assert '<tspan class="big">24</tspan>' in html
    assert "51 answers" in html
    for share in ("39.2%", "45.1%", "15.7%"):
        assert share in html
    assert "9 July to 6 October 2026 · All campaigns" in html


def test_page_is_the_same_while_answers_wait_and_after_they_are_folded(signed_in: Browser, asker: Asker) -> None:
    asker.answers({10: 20, 8: 23, 0: 8})
    asker.answers({10: 20, 8: 20}, TODAY - timedelta(days=100))
    before, numbers = page(signed_in), data(signed_in)
    service.fold()
    after, again = page(signed_in), data(signed_in)
    assert numbers.pop("as_of") != again.pop("as_of")
    assert again == numbers
    assert after == before


@pytest.mark.parametrize(("n", "state"), [(0, "none"), (4, "hidden"), (29, "few"), (30, "ok")])
def test_states_hold_on_every_surface(signed_in: Browser, asker: Asker, n: int, state: str) -> None:
    asker.answer(5, TODAY - timedelta(days=200))  # so that the page is not empty
    asker.answers({10: n})
    html, numbers = page(signed_in), data(signed_in)
    words = text_of(html)
    value = numbers["value"]
    assert value["state"] == state
    assert (value["nps"] is None) == (state != "ok")
    assert (value["lo"] is None) == (state in ("none", "hidden"))
    assert (numbers["counts"] is None) == (state == "hidden")
    assert (numbers["n"] is None) == (state == "hidden")
    assert (numbers["shares"] is None) == (state != "ok")
    assert ('class="tip"' in html) == (state == "ok")
    assert ('class="hbar tall mt4"' in html) == (state == "ok")
    sentence = {"none": "No answers in this window", "hidden": "Fewer than 5 answers", "few": "Under 30 answers, too few to report"}
    if state in sentence:
        assert sentence[state] in words
        assert "with 95% confidence" not in words
    if state == "hidden":
        assert "4" not in re.findall(r'aria-label="Answers by score[^"]*"', html)
        assert "Answers by score, 0 to 10" not in html
        assert "All 4" not in words
        assert "recorded" in numbers
        assert numbers["recorded"] is None


def test_recorded_answers_are_counted_or_left_out_for_one_reason(signed_in: Browser, asker: Asker) -> None:
    asker.answers({9: 30})
    asker.answer(0, state="quarantined")
    asker.answer(0, state="provisional")
    asker.answer(0, state="left_out")
    asker.answer(0, state="withdrawn")
    asker.answer(0, method="manual", told=False)
    asker.answer(0, state="quarantined", is_test=True)
    numbers = data(signed_in)
    assert numbers["excluded"] == {"test": 1, "machine": 1, "waiting": 1, "withdrawn": 1, "left_out": 1, "manual": 1}
    assert numbers["recorded"] == numbers["n"] + sum(numbers["excluded"].values()) == 36
    words = text_of(page(signed_in))
    assert "6 answers are left out: 1 tests, 1 from machines" in words
    assert "With the 2 answers waiting for review: 88." in words


def test_change_and_its_verdict(signed_in: Browser, asker: Asker) -> None:
    asker.answers({10: 40, 0: 60}, TODAY - timedelta(days=100))
    asker.answers({10: 60, 0: 40})
    words = text_of(page(signed_in))
    assert "40 points on the 90 days before. Outside the margin (±27), so a clear change." in words
    assert data(signed_in)["previous"]["change"]["clear"] is True
    assert "Under 30 answers" not in words


def test_too_few_answers_before_give_no_comparison(signed_in: Browser, asker: Asker) -> None:
    asker.answers({10: 30})
    asker.answers({10: 29}, TODAY - timedelta(days=100))
    assert "Under 30 answers in the 90 days before, too few to compare with." in text_of(page(signed_in))
    assert data(signed_in)["previous"]["change"] is None


def test_segments_show_every_state_and_link_to_their_answers(signed_in: Browser, asker: Asker) -> None:
    define("plan", "Plan")
    keep("plan")
    asker.answers({10: 30, 0: 10}, properties={"plan": "Growth"})
    asker.answers({10: 5, 0: 35}, properties={"plan": "Starter"})
    asker.answers({10: 18}, properties={"plan": "Partner"})
    asker.answers({10: 2}, properties={"plan": "<b>Tiny</b>"})
    html = page(signed_in)
    words = text_of(html)
    assert "Growth scores above Starter beyond the margin." in words
    assert "18 –Under 30 answers, too few to report" in words
    assert "under 5 –Fewer than 5 answers" in words
    assert "<b>Tiny</b>" not in html
    assert "?f=plan%3Ais%3AGrowth" in html
    only = data(signed_in, "?f=plan:is:Growth")
    assert (only["n"], only["value"]["shown"], only["filters"]) == (40, 50, ["plan:is:Growth"])
    split = data(signed_in, "?by=plan")["split"]
    assert [(row["name"], row["n"]) for row in split["rows"]] == [("Growth", 40), ("Starter", 40), ("Partner", 18), ("<b>Tiny</b>", None)]


def test_trend_marks_the_running_month_and_gives_its_numbers(signed_in: Browser, asker: Asker) -> None:
    asker.answers({10: 40, 0: 20}, TODAY - timedelta(days=60))
    asker.answers({10: 30, 0: 10}, TODAY - timedelta(days=30))
    asker.answers({10: 20, 0: 10})
    html = page(signed_in)
    assert "Trend, by month" in html
    assert 'class="ln dash"' in html
    assert 'October 2026 <span class="mute">(so far)</span>' in html
    assert "since August. Within the margin" in text_of(html)
    assert "October is still running." in html


def test_funnel_counts_invitations_of_the_window(signed_in: Browser, asker: Asker) -> None:
    silent = [asker.invitation(asker.contact(), TODAY - timedelta(days=3)) for _ in range(6)]
    asker.invitation(asker.contact(), TODAY - timedelta(days=3), state="undelivered")
    asker.invitation(asker.contact(), TODAY - timedelta(days=300))
    asker.invitation(asker.contact(), TODAY, is_test=True)
    asker.hit(silent[0], 9)
    asker.hit(silent[1], 9, "machine")
    asker.answer(9, TODAY - timedelta(days=3), comment="Fast")
    asker.answer(9, TODAY - timedelta(days=3))
    words = text_of(page(signed_in))
    assert "Sent9" in words
    assert "Delivered 88.9% of sent8" in words
    assert "Picked a score 37.5% of delivered3" in words
    assert "Answered 25.0% of delivered2" in words
    assert "Left a comment 50.0% of answers1" in words
    assert "1 click by a mail scanner is left out. Opens are not shown" in words


def test_comments_are_escaped_newest_first_and_by_group(signed_in: Browser, asker: Asker) -> None:
    asker.answers({10: 30})
    for days, score in ((3, 3), (2, 10), (1, 8)):
        person = asker.contact(name=f"Person {score}", company="Bright Oak")
        asker.answer(score, TODAY - timedelta(days=days), person, comment=f"<script>{score}</script>")
    html = page(signed_in)
    assert "<script>3" not in html
    order = [html.index(f"&lt;script&gt;{score}") for score in (8, 10, 3)]
    assert order == sorted(order)
    assert "Detractors 1" in html
    only = page(signed_in, "?c=det")
    assert "&lt;script&gt;3" in only
    assert "&lt;script&gt;8" not in only
    assert "Bright Oak" in only


def test_each_comment_leads_to_the_person_and_to_what_to_do_next(signed_in: Browser, asker: Asker, account: Account) -> None:
    live_program(account)
    glad, known, even = (asker.contact(name=name) for name in ("Glad Person", "Known Person", "Even Person"))
    asked = referrals.enrol(known, "hand", score=10).advocate
    assert asked is not None
    for score, person in ((10, glad), (9, known), (8, even)):
        asker.answer(score, TODAY, person, told=False, comment=f"Words of {score}")
    html = page(signed_in)
    assert f'<a href="/larkfield/contacts/{glad}">Glad Person</a>' in html
    assert f'href="/larkfield/referrals/advocates/{asked.id}">Asked to share<span class="vh">: Known Person</span>' in html
    assert f'href="/larkfield/contacts/{glad}#share">Invite to share' in html
    assert text_of(html).count("Invite to share") == 1
    done = signed_in.form("/larkfield/referrals/advocates", {"contact_id": str(glad)})
    assert "/referrals/advocates/" in done.location
    assert "Invite to share" not in page(signed_in)
    reason = re.search(r'name="reason" value="([^"]+)"', html)
    assert reason is not None
    opened = signed_in.form("/larkfield/cases", {"contact": str(even), "reason": reason[1]})
    assert "To reply to the answer 8: “Words of 8”" in text_of(signed_in.get(opened.location).get_data(as_text=True))


def test_rights_decide_over_comments_and_names(signed_in: Browser, asker: Asker, account: Account, sign_in: Any) -> None:
    from nps.accounts import service as accounts  # noqa: PLC0415
    from nps.accounts.models import Membership  # noqa: PLC0415

    asker.answer(3, contact_id=asker.contact(name="Dana Whitfield"), comment="Bank feed is down")
    for role in ("reviewer", "viewer"):
        user = accounts.create_user(f"{role}@larkfield.example", role)
        db.session.add(Membership(user_id=user.id, role=role, created_at=account.created_at))
        db.session.flush()
        html = page(sign_in(user))
        assert ("Bank feed is down" in html) == (role == "viewer")
        assert "Dana" not in html
        assert "DW" in html or role == "reviewer"


def test_another_account_is_not_there(signed_in: Browser, rival: Account, asker: Asker, make_asker: Any) -> None:
    with tenancy.account_scope(rival.id):
        other = make_asker(rival)
        other.answers({0: 40})
        campaign = other.main
        db.session.commit()
    assert signed_in.get("/rival/").status_code == 404
    assert signed_in.get("/rival/metrics.json").status_code == 404
    assert data(signed_in)["n"] == 0
    assert signed_in.get(f"/larkfield/metrics.json?campaign={campaign}").status_code == 404


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?group=pro", "There is no parameter “group”."),
        ("?p=45", "“45” is not a period."),
        ("?from=2026-10-02&to=2026-10-01", "The first day lies after the last."),
        ("?f=nonsense", "“nonsense” is not a filter."),
        ("?f=plan:is:Growth", "There is no property “plan”."),
        ("?by=plan", "There is no property “plan”."),
        ("?unit=company", "“company” is not a unit."),
    ],
)
def test_what_makes_no_question_is_a_422_that_says_what(signed_in: Browser, asker: Asker, query: str, said: str) -> None:
    asker.answer(9)
    for path in ("/larkfield/", "/larkfield/metrics.json"):
        answer = signed_in.get(path + query)
        assert answer.status_code == 422
        assert said in answer.get_data(as_text=True)


def test_unit_contact_takes_the_latest_answer(signed_in: Browser, asker: Asker) -> None:
    people = [asker.contact() for _ in range(30)]
    for person in people:
        asker.answer(0, TODAY - timedelta(days=20), person)
        asker.answer(10, TODAY, person)
    every, latest = data(signed_in), data(signed_in, "?unit=contact")
    assert (every["n"], every["value"]["shown"]) == (60, 0)
    assert (latest["n"], latest["value"]["shown"]) == (30, 100)
    assert "30 customers, latest answer each" in page(signed_in, "?unit=contact")


def test_numbers_of_every_question_agree_between_page_and_data(signed_in: Browser, asker: Asker) -> None:
    define("plan", "Plan")
    keep("plan")
    for number in range(120):
        plan = {"plan": ["Growth", "Scale", ""][number % 3]}
        asker.answer([0, 7, 9, 10][number % 4], TODAY - timedelta(days=number), properties=plan)
    for query in ("", "?p=30", "?p=365", "?f=plan:is:Growth", "?f=plan:is:", "?from=2026-08-01&to=2026-08-31", "?unit=contact"):
        numbers, html = data(signed_in, query), page(signed_in, query)
        shown = numbers["value"]["shown"]
        assert f'<tspan class="big">{"–" if shown is None else str(shown).replace("-", "−")}</tspan>' in html, query
        assert json.dumps(numbers, allow_nan=False)


def test_page_has_no_style_attributes_and_one_heading(signed_in: Browser, asker: Asker) -> None:
    asker.answers({10: 30})
    html = page(signed_in)
    assert " style=" not in html
    assert html.count("<h1>") == 1
    assert '<a href="/larkfield/" aria-current="page">' in html


def test_reading_the_page_writes_nothing(app: Flask, signed_in: Browser, asker: Asker) -> None:
    asker.answers({10: 3})
    page(signed_in)
    from nps.analytics.models import DailySum  # noqa: PLC0415

    assert db.session.query(DailySum).count() == 0


def test_what_waits_stands_first_with_its_most_urgent(signed_in: Browser, asker: Asker, clock: Any) -> None:
    from nps.contacts.models import Import  # noqa: PLC0415
    from nps.followups import service as followups  # noqa: PLC0415

    person = asker.contact(name="Marcus Bell")
    clock.at(datetime(2026, 10, 6, 13, tzinfo=UTC))  # nine in New York, an hour after the answer came
    response = asker.answer(2, contact_id=person, comment="Charged twice")
    followups.open_case(
        person, response.id, queue_id=None, target_minutes=60, wants_reply=True, score=2, started_at=clock.now(), rule="Detractors"
    )
    now = asker.survey.created_at
    db.session.add(
        Import(
            filename="a.csv", state="done", encoding="utf-8", delimiter=",", header=["email"], header_key="x", size=1, rows=20, parts=1,
            to_fix=12, created_at=now, finished_at=now,
        )
    )  # fmt: skip
    html = page(signed_in)
    words = text_of(html)
    made = db.session.scalars(select(Import)).one()
    assert f'href="/larkfield/imports/{made.id}"' in html
    assert "12 contacts to fix" in words
    assert "1 reply due today" in words
    assert "Next in 1 h" in words
    assert "100% of those" not in words
    assert "0 of 1 who needed a reply heard from a person." in words
    assert "In follow-ups" in words
    clock.move(days=4)
    html = page(signed_in)
    assert 'class="hot"' in html
    assert "1 reply is overdue" in text_of(html)
    assert "Marcus Bell, " in text_of(html)
