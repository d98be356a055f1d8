"""Plans, meters, subscriptions and signatures: decisions without a database."""

from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from nps.billing import rules
from nps.billing.rules import Entitlement, Level, OutsideSubscription

NOW = datetime(2026, 10, 6, 14, 42, tzinfo=UTC)
BORN = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("plan", "month", "answers", "contacts", "emails", "members", "programs", "endpoints", "api"),
    [
        ("free", 0, 50, 500, 1_000, 2, 1, 1, 60),
        ("starter", 4_900, 500, 5_000, 5_000, 4, 1, 3, 120),
        ("growth", 19_900, 2_500, 25_000, 10_000, 10, 3, 10, 600),
        ("scale", 59_900, 10_000, 100_000, 50_000, 30, 20, 50, 1_200),
        ("trial", 0, 100, 1_000, 500, 5, 1, 2, 60),
    ],
)
def test_the_price_list_says(
    plan: str, month: int, answers: int, contacts: int, emails: int, members: int, programs: int, endpoints: int, api: int
) -> None:
    found = rules.PLANS[plan]
    assert found.month_minor == month
    assert found.price_minor("year") == month * 10
    gives = found.gives
    assert (gives[Entitlement.ANSWERS], gives[Entitlement.CONTACTS], gives[Entitlement.EMAILS]) == (answers, contacts, emails)
    assert (gives[Entitlement.MEMBERS], gives[Entitlement.PROGRAMS], gives[Entitlement.ENDPOINTS]) == (members, programs, endpoints)
    assert gives[Entitlement.API_PER_MINUTE] == api


def test_every_plan_answers_every_question() -> None:
    for plan in rules.PLANS.values():
        assert set(plan.gives) == set(Entitlement)
    assert set(rules.UNLIMITED) == set(Entitlement)
    assert rules.UNLIMITED[Entitlement.CONTACTS] is None
    assert rules.UNLIMITED[Entitlement.ADVANCED] is True


@pytest.mark.parametrize(
    ("bought", "live", "days", "expected"),
    [
        ("growth", True, 100, "growth"),
        ("growth", False, 100, "free"),
        (None, False, 13.9, "trial"),
        (None, False, 14, "free"),
        ("starter", True, 2, "starter"),
    ],
)
def test_plan_that_counts(bought: str | None, live: bool, days: float, expected: str) -> None:
    assert rules.plan_of(bought, live, BORN, BORN + timedelta(days=days)) == expected


@pytest.mark.parametrize(("days", "passed"), [(0, True), (11.9, True), (12, False), (13, False), (40, False)])
def test_rest_of_the_trial_goes_along_only_above_48_hours(days: float, passed: bool) -> None:
    assert (rules.trial_end_to_pass(BORN, BORN + timedelta(days=days)) is not None) is passed


@pytest.mark.parametrize(
    ("used", "limit", "expected"),
    [
        (0, 50, Level.FINE),
        (39, 50, Level.FINE),
        (40, 50, Level.NEAR),
        (49, 50, Level.NEAR),
        (50, 50, Level.FULL),
        (51, 50, Level.FULL),
        (9, None, Level.FINE),
    ],
)
def test_meter_warns_at_80_and_is_full_at_100_percent(used: int, limit: int | None, expected: Level) -> None:
    assert rules.level(used, limit) is expected


@pytest.mark.parametrize(("used", "limit", "room"), [(0, 500, 550), (540, 500, 10), (550, 500, 0), (900, 500, 0), (7, None, None)])
def test_import_has_room_up_to_110_percent(used: int, limit: int | None, room: int | None) -> None:
    assert rules.import_room(used, limit) == room


def sub(id_: str, status: str, created: int = 1, price: str = "p") -> OutsideSubscription:
    return OutsideSubscription(id_, status, created, price)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], None),
        ([sub("a", "canceled")], None),
        ([sub("a", "past_due", 9), sub("b", "active", 1)], "b"),
        ([sub("a", "trialing", 9), sub("b", "past_due", 10)], "a"),
        ([sub("a", "active", 1), sub("b", "active", 2)], "b"),
        ([sub("a", "incomplete", 1), sub("b", "unpaid", 2), sub("c", "paused")], None),
    ],
)
def test_best_live_subscription_counts(found: list[OutsideSubscription], expected: str | None) -> None:
    chosen = rules.best(found)
    assert (chosen.id if chosen else None) == expected


@given(
    st.lists(
        st.builds(sub, st.text(min_size=1, max_size=3), st.sampled_from(["active", "trialing", "past_due", "canceled"]), st.integers(0, 5)),
        max_size=6,
    )
)
def test_order_in_which_subscriptions_are_listed_changes_nothing(found: list[OutsideSubscription]) -> None:
    assert rules.best(found) == rules.best(list(reversed(found)))


@pytest.mark.parametrize(
    ("state", "status", "days_late", "expected"),
    [
        ("active", "active", None, "active"),
        ("active", None, None, "active"),
        ("active", "past_due", 0, "past_due"),
        ("past_due", "past_due", 13, "past_due"),
        ("past_due", "past_due", 14, "read_only"),
        ("read_only", "active", None, "active"),
        ("unverified", "past_due", 20, "unverified"),
        ("closed", "active", None, "closed"),
        ("suspended", "active", None, "suspended"),
    ],
)
def test_state_of_the_account_follows_its_payment(state: str, status: str | None, days_late: int | None, expected: str) -> None:
    since = NOW - timedelta(days=days_late) if days_late is not None else None
    assert rules.account_state(state, status, since, NOW) == expected


SECRET, OLD = "whsec_new", "whsec_old"
BODY = b'{"id":"evt_1","object":"event"}'


def header(body: bytes = BODY, secret: str = SECRET, at: datetime = NOW, scheme: str = "v1") -> str:
    stamp = int(at.timestamp())
    made = stripe.WebhookSignature._compute_signature(f"{stamp}.{body.decode()}", secret)
    return f"t={stamp},{scheme}={made}"


@pytest.mark.parametrize("seconds", [-300, -1, 0, 1, 300])
def test_call_signed_by_the_library_is_taken_within_five_minutes(seconds: int) -> None:
    assert rules.signature_problem(header(at=NOW + timedelta(seconds=seconds)), BODY, (SECRET, OLD), NOW) is None


def test_old_secret_is_taken_while_both_are_kept() -> None:
    assert rules.signature_problem(header(secret=OLD), BODY, (SECRET, OLD), NOW) is None
    assert rules.signature_problem(header(secret=OLD), BODY, (SECRET, ""), NOW) == "wrong signature"


@pytest.mark.parametrize(
    ("given_header", "body"),
    [
        (None, BODY),
        ("", BODY),
        ("t=abc,v1=00", BODY),
        ("v1=00", BODY),
        ("t=1", BODY),
        (header(scheme="v0"), BODY),
        (header() + "é", BODY),
        (header(), BODY.replace(b"evt_1", b"evt_2")),
        (header(), b'{"id": "evt_1", "object": "event"}'),
        (header(secret="whsec_other"), BODY),
        (header(at=NOW + timedelta(seconds=301)), BODY),
        (header(at=NOW - timedelta(seconds=301)), BODY),
        ("t=" + "9" * 400 + ",v1=00", BODY),
        ("t=1,t=2,v1=00", BODY),
    ],
)
def test_call_that_is_not_ours_is_refused(given_header: str | None, body: bytes) -> None:
    assert rules.signature_problem(given_header, body, (SECRET,), NOW) is not None


def test_empty_secret_opens_nothing() -> None:
    assert rules.signature_problem(header(secret=""), BODY, ("", ""), NOW) == "wrong signature"
