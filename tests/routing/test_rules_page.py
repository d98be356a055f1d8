"""The page of the routing rules: save, move, refuse, two members at once, a try on past answers."""

from collections.abc import Callable
from typing import Any

import pytest

from nps.accounts import service as accounts_service
from nps.accounts.models import Account, Membership
from nps.contacts import service as contacts
from nps.contacts.rules.properties import Kind
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.followups.models import Case
from nps.followups.service import queues
from nps.routing import queries, rules
from nps.routing.models import RoutingDecision, RoutingRuleSet
from nps.routing.rules import Destination
from tests.conftest import Browser
from tests.responses.conftest import Asked, asked, campaign

__all__ = ["asked", "campaign"]
PATH = "/larkfield/routing/rules"
Ask = Callable[..., Asked]


def rule(n: int, name: str, **fields: str) -> dict[str, str]:
    """The fields of one rule as the page sends them."""
    values = {"name": name, "on": "1", "from": "", "to": "", "wish": "", "destination": "case", **fields}
    return {f"rule-{n}-{key}": value for key, value in values.items() if value is not None}


def form(*given: dict[str, str], based_on: int = 0, do: str = "save") -> dict[str, str]:
    found = {"count": str(len(given)), "based_on": str(based_on), "do": do}
    for fields in given:
        found |= fields
    return found


def names(page: str) -> list[str]:
    """Names in the fields, in order."""
    return [part.split('value="', 1)[1].split('"', 1)[0] for part in page.split('-name" name="')[1:]]


def test_every_account_starts_with_four_rules_that_nobody_saved(signed_in: Browser, account: Account) -> None:
    page = signed_in.get(PATH)
    assert page.status_code == 200
    assert names(page.text) == ["Wants a reply", "Detractors", "Promoters", "Passives"]
    assert db.session.query(RoutingRuleSet).count() == 0


def test_saved_rules_are_read_back_as_they_were_written(signed_in: Browser, account: Account) -> None:
    contacts.define_property("Plan", Kind.TEXT)
    queue = queues.default_queue()
    db.session.commit()
    sent = signed_in.form(
        PATH,
        form(
            rule(
                1,
                "Growth",
                **{"from": "0", "to": "6", "key": "plan", "op": "is", "value": "Growth", "queue": str(queue.id), "target": "30"},
            ),
            rule(2, "Refunds", contains="refund", wish="yes"),
            rule(3, "Sharers", **{"from": "9", "destination": "referral"}),
            rule(4, "Quiet", destination="none", on=""),
        ),
    )
    assert sent.status_code == 303
    in_force = queries.rules_in_force()
    assert in_force.number == 1
    first, second, third, fourth = in_force.rules
    assert [(c.field, c.op, c.value) for c in first.conditions] == [
        ("score", "between", [0, 6]),
        ("property", "is", {"key": "plan", "value": "Growth"}),
    ]
    assert (first.queue_id, first.target_minutes, first.destination) == (queue.id, 30, Destination.CASE)
    assert {c.field for c in second.conditions} == {"wants_reply", "comment"}
    assert third.conditions[0].value == [9, 10]
    assert (third.destination, fourth.enabled, fourth.destination) == (Destination.REFERRAL, False, Destination.NONE)
    page = signed_in.get(PATH).text
    assert "Saved. The rules hold for answers from now on" in page
    assert names(page) == ["Growth", "Refunds", "Sharers", "Quiet"]
    assert 'value="Growth"' in page
    assert signed_in.form(PATH, form(*resent(page), based_on=1)).status_code == 303
    assert queries.rules_in_force().rules == in_force.rules, "saved as shown, nothing changes"


def resent(page: str) -> list[dict[str, str]]:
    """The fields of the page as a browser would send them."""
    from html.parser import HTMLParser  # noqa: PLC0415

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: dict[str, str] = {}
            self.select = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            name = given.get("name") or ""
            if tag == "select":
                self.select = name
            elif tag == "option" and "selected" in given:
                self.found[self.select] = given.get("value") or ""
            elif tag == "input" and name.startswith("rule-") and (given.get("type") != "checkbox" or "checked" in given):
                self.found[name] = given.get("value") or ""

    reader = Reader()
    reader.feed(page)
    count = max(int(name.split("-")[1]) for name in reader.found if name.startswith("rule-"))
    return [{k: v for k, v in reader.found.items() if k.startswith(f"rule-{n}-")} for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("do", "order"),
    [
        ("up-2", ["B", "A", "C"]),
        ("down-1", ["B", "A", "C"]),
        ("delete-2", ["A", "C"]),
        ("add", ["A", "B", "C", ""]),
        ("up-1", ["A", "B", "C"]),
        ("down-3", ["A", "B", "C"]),
        ("delete-99", ["A", "B", "C"]),
        ("nonsense", ["A", "B", "C"]),
        ("up-", ["A", "B", "C"]),
    ],
)
def test_buttons_change_the_list_and_save_nothing(signed_in: Browser, account: Account, do: str, order: list[str]) -> None:
    page = signed_in.form(PATH, form(rule(1, "A", contains="kept words"), rule(2, "B"), rule(3, "C"), do=do))
    assert (page.status_code, names(page.text)) == (200, order)
    assert "kept words" in page.text
    assert "Not saved yet" in page.text
    assert queries.rules_in_force().number == 0


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"name": ""}, "rule-1-name", "Give this rule a name."),
        ({"name": "x" * 81}, "rule-1-name", "81 characters, 80 fit"),
        ({"from": "7", "to": "3"}, "rule-1-from", "the lower one first"),
        ({"from": "eleven"}, "rule-1-from", "Scores go from 0 to 10"),
        ({"target": "soon"}, "rule-1-target", "“soon” is not a number of minutes."),
        ({"target": "1"}, "rule-1-target", "between 5 and 14,400"),
        ({"target": "99999"}, "rule-1-target", "between 5 and 14,400"),
        ({"key": "plan", "op": "is"}, "rule-1-value", "Say which value"),
        ({"key": "plan", "op": "like", "value": "x"}, "rule-1-op", "Choose how"),
        ({"destination": "moon"}, "rule-1-destination", "Choose what happens."),
        ({"queue": "nonsense"}, "rule-1-queue", "Choose one of the list."),
        ({"queue": str(ids.new_id())}, "rule-1-queue", "does not exist any more"),
        ({"destination": "referral", "program": str(ids.new_id())}, "rule-1-program", "has ended"),
    ],
)
def test_what_cannot_be_saved_is_said_and_kept(
    signed_in: Browser, account: Account, fields: dict[str, str], place: str, words: str
) -> None:
    page = signed_in.form(PATH, form(rule(1, **{"name": "Kept name", "contains": "kept words", **fields})))
    assert page.status_code == 422
    assert words in page.text
    assert f'href="#{place}"' in page.text
    assert f'id="{place}-e"' in page.text
    assert "kept words" in page.text
    assert "<title>Error: " in page.text
    assert queries.rules_in_force().number == 0


def test_more_than_a_hundred_rules_are_refused(signed_in: Browser, account: Account) -> None:
    page = signed_in.form(PATH, form(*(rule(n, f"Rule {n}") for n in range(1, 102))))
    assert (page.status_code, "101 rules are too many, 100 fit" in page.text) == (422, True)


def test_a_rule_that_can_never_be_reached_is_saved_and_pointed_out(signed_in: Browser, account: Account) -> None:
    signed_in.form(PATH, form(rule(1, "All low", **{"from": "0", "to": "6"}), rule(2, "Zeros", **{"from": "0", "to": "0"})))
    page = signed_in.get(PATH).text
    assert "“Zeros” can never be reached" in page
    assert page.count("Can never be reached") == 1
    assert queries.rules_in_force().number == 1


def test_two_members_at_once_both_keep_what_they_wrote(signed_in: Browser, account: Account) -> None:
    assert signed_in.form(PATH, form(rule(1, "Ines was first"))).status_code == 303
    late = signed_in.form(PATH, form(rule(1, "Tomás was second", contains="his words")))
    assert late.status_code == 409
    assert "Ines changed these rules" in late.text
    assert "Ines was first" in late.text
    assert names(late.text) == ["Tomás was second"]
    assert "his words" in late.text
    assert 'name="based_on" value="1"' in late.text
    assert signed_in.form(PATH, form(rule(1, "Tomás was second"), based_on=1)).status_code == 303
    assert [r.name for r in queries.rules_in_force().rules] == ["Tomás was second"]


def test_an_empty_list_routes_nothing(signed_in: Browser, asked: Ask) -> None:
    assert signed_in.form(PATH, form()).status_code == 303
    dana = asked()
    dana.answer(1)
    assert db.session.query(Case).count() == 0
    assert "No rule is here" in signed_in.get(PATH).text


def test_a_try_on_past_answers_counts_and_writes_nothing(signed_in: Browser, asked: Ask) -> None:
    for name, score in (("Ann", 2), ("Ben", 5), ("Cleo", 8), ("Dora", 10)):
        asked(f"{name} Person").answer(score, f"{name} said so")
    before = db.session.query(RoutingDecision).count()
    page = signed_in.form(
        PATH,
        form(
            rule(1, "Zeros", **{"from": "0", "to": "0"}),
            rule(2, "Up to 8", to="8"),
            rule(3, "Nothing", destination="none"),
            do="try",
        ),
    )
    assert page.status_code == 200
    text = page.text
    assert "4 answers tried." in text
    assert "Fits no answer of this time" in text
    assert "Ann said so" in text
    assert "Ask one question" in text
    assert names(text) == ["Zeros", "Up to 8", "Nothing"]
    assert (db.session.query(RoutingDecision).count(), db.session.query(Case).count(), queries.rules_in_force().number) == (before, 2, 0)


def test_the_try_is_a_pure_count() -> None:
    wanted = rules.DEFAULT_RULES
    answers = [(rules.Facts(score=n, group="", wants_reply=n == 10), "none" if n % 2 else "") for n in range(11)]
    tried = rules.try_on(wanted, answers)
    assert tried.answers == 11
    assert tried.decided == {"Wants a reply": 1, "Detractors": 7, "Promoters": 1, "Passives": 2}
    assert sum(tried.moves.values()) == 11
    assert tried == rules.try_on(wanted, answers)


@pytest.mark.parametrize(("role", "code"), [("owner", 200), ("admin", 200), ("manager", 403), ("responder", 403), ("viewer", 403)])
def test_who_may_see_and_change_the_rules(sign_in: Callable[..., Browser], account: Account, role: str, code: int) -> None:
    user = accounts_service.create_user(f"{role}@larkfield.example", "Some Body", None)
    db.session.add(Membership(user_id=user.id, role=role, created_at=clock.now()))
    db.session.commit()
    browser = sign_in(user)
    assert browser.get(PATH).status_code == code
    assert browser.form(PATH, form(rule(1, "Mine"))).status_code == (303 if code == 200 else 403)
    assert queries.rules_in_force().number == (1 if code == 200 else 0)


def test_a_rivals_rules_are_elsewhere(signed_in: Browser, account: Account, rival: Account) -> None:
    signed_in.form(PATH, form(rule(1, "Ours")))
    with tenancy.account_scope(rival.id):
        assert queries.rules_in_force().number == 0
    assert signed_in.get("/rival/routing/rules").status_code == 404


def test_the_page_carries_no_script_of_its_own(signed_in: Browser, account: Account) -> None:
    page: Any = signed_in.get(PATH)
    assert "onclick" not in page.text
    assert " style=" not in page.text
