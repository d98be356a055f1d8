"""What an account may use, how much of it is used, and who sees it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nps.accounts import service as accounts
from nps.accounts.models import Account, Membership, User
from nps.accounts.rules import Role
from nps.billing import queries, rules, service
from nps.billing.models import Subscription, UsageNotice
from nps.billing.rules import Entitlement
from nps.core import clock as product_clock
from nps.core.db import db
from nps.delivery.models import Message


def pays(account: Account, plan: str, status: str = "active", **more: Any) -> Subscription:
    now = product_clock.now()
    row = Subscription(stripe_customer_id="cus_x", plan=plan, interval="month", status=status, fetched_at=now, created_at=now, **more)
    db.session.add(row)
    db.session.flush()
    return row


def test_new_account_starts_with_the_trial_and_its_limits(account: Account) -> None:
    assert queries.entitled("answers") == 100
    assert queries.entitled(Entitlement.ADVANCED) is True
    assert account.limits["members"] == 5
    assert account.limits["plan"] == "trial"


def test_trial_ends_in_free_with_the_daily_look(account: Account, clock: Any) -> None:
    clock.move(days=15)
    assert queries.entitled("answers") == 50
    service.look_daily(account.id)
    assert account.limits["members"] == 2


def test_unknown_entitlement_is_a_mistake(account: Account) -> None:
    with pytest.raises(ValueError):
        queries.entitled("gold")


@pytest.mark.parametrize(
    ("status", "plan"), [("active", "growth"), ("trialing", "growth"), ("past_due", "growth"), ("canceled", "free"), ("unpaid", "free")]
)
def test_only_a_live_subscription_gives_its_plan(account: Account, clock: Any, status: str, plan: str) -> None:
    pays(account, "growth", status)
    clock.move(days=20)
    assert queries.current_plan().key == plan


def test_meters_count_from_rows_with_their_limits(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[datetime, datetime]] = []

    def answers(start: datetime, end: datetime) -> int:
        asked.append((start, end))
        return 85

    monkeypatch.setattr(queries._Meters, "sources", {"answers": answers, "contacts": lambda *_: 12})
    found = {meter.key: meter for meter in queries.meters(product_clock.now())}
    assert (found["answers"].used, found["answers"].limit, found["answers"].level) == (85, 100, rules.Level.NEAR)
    assert (found["contacts"].used, found["contacts"].limit) == (12, 1000)
    assert (found["members"].used, found["members"].limit) == (1, 5)
    assert asked[0][0].day == 1


def test_owner_is_told_once_a_level_and_period(account: Account, monkeypatch: pytest.MonkeyPatch, clock: Any) -> None:
    used = {"answers": 79}
    monkeypatch.setattr(queries._Meters, "sources", {"answers": lambda *_: used["answers"]})
    told = []
    for value in (79, 80, 99, 100, 130, 130):
        used["answers"] = value
        told += [(n.meter, n.level) for n in service.note_use(product_clock.now())]
    assert told == [("answers", "near"), ("answers", "full")]
    assert len(db.session.scalars(select(UsageNotice)).all()) == 2
    subjects = set(db.session.scalars(select(Message.subject)))
    assert subjects == {"Larkfield has used 80 of 100 verified answers", "Larkfield has used 100 of 100 verified answers"}


@pytest.mark.parametrize(
    ("start", "end", "now", "expected"),
    [
        ("2026-01-31", "2027-01-31", "2026-02-15", ("2026-01-31", "2026-02-28")),
        ("2026-01-31", "2027-01-31", "2026-02-28", ("2026-02-28", "2026-03-31")),
        ("2026-01-31", "2027-01-31", "2027-01-30", ("2026-12-31", "2027-01-31")),
        ("2026-10-05", "2026-11-05", "2026-10-06", ("2026-10-05", "2026-11-05")),
        ("2025-10-05", "2025-11-05", "2026-10-06", ("2026-10-01", "2026-11-01")),
    ],
)
def test_a_period_is_a_month_from_its_first_day(start: str, end: str, now: str, expected: tuple[str, str]) -> None:
    def at(day: str) -> datetime:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)

    assert rules.period(at(start), at(end), True, at(now)) == (at(expected[0]), at(expected[1]))


def test_without_a_subscription_the_calendar_month_counts() -> None:
    now = datetime(2026, 12, 9, 11, tzinfo=UTC)
    assert rules.period(None, None, False, now) == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def member(role: Role) -> User:
    user = accounts.create_user(f"{role}@larkfield.example", "Somebody")
    db.session.add(Membership(user_id=user.id, role=role, created_at=product_clock.now()))
    db.session.commit()
    return user


def test_admin_sees_and_only_an_owner_changes(sign_in: Any, account: Account) -> None:
    admin = sign_in(member(Role.ADMIN))
    assert admin.get("/larkfield/billing").status_code == 200
    assert "An owner may" in admin.get("/larkfield/billing/plans").text or "–" in admin.get("/larkfield/billing/plans").text
    assert admin.form("/larkfield/billing/pages", {"kind": "checkout", "plan": "growth", "interval": "month"}).status_code == 403
    analyst = sign_in(member(Role.ANALYST))
    assert analyst.get("/larkfield/billing").status_code == 403


def test_billing_page_shows_meters_limits_and_warnings(signed_in: Any, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries._Meters, "sources", {"answers": lambda *_: 100, "contacts": lambda *_: 850, "emails": lambda *_: 5})
    page = signed_in.get("/larkfield/billing").text
    for words in (
        "Verified answers",
        "Contacts",
        "Survey emails",
        "Team members",
        "of 1,000",
        "You are never charged more without saying yes.",
    ):
        assert words in page
    assert "Verified answers: 100 of 100." in page
    assert "No new wave starts" in page


def test_full_seats_stop_invitations_and_not_waves(signed_in: Any, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries._Meters, "sources", {"members": lambda *_: 500})
    page = signed_in.get("/larkfield/billing").text
    assert "Nobody can be invited until the plan is larger. Everybody who is in stays." in page
    assert "No new wave starts" not in page


def test_plans_page_compares_and_links(signed_in: Any, account: Account) -> None:
    page = signed_in.get("/larkfield/billing/plans").text
    assert "$1,990" in signed_in.get("/larkfield/billing/plans?interval=year").text
    for words in ("Starter", "Growth", "Scale", "$199", "25,000"):
        assert words in page


def test_year_is_counted_month_by_month(account: Account) -> None:
    now = product_clock.now()
    pays(account, "growth", period_start_at=now - timedelta(days=40), period_end_at=now + timedelta(days=325))
    start, end = queries.current_period(now)
    assert timedelta(days=27) < end - start < timedelta(days=32)
    assert start <= now < end


class TestBillingOff:
    @pytest.fixture
    def settings(self, db_url: str, tmp_path: Any) -> Any:
        from tests.conftest import settings_for  # noqa: PLC0415 - the fixture it replaces

        return settings_for(db_url, tmp_path)

    def test_everything_without_limits_and_without_pages(self, signed_in: Any, account: Account) -> None:
        assert queries.entitled("contacts") is None
        assert queries.entitled("advanced") is True
        assert account.limits == {}
        assert signed_in.get("/larkfield/billing").status_code == 404
        assert "/larkfield/billing" not in signed_in.get("/larkfield/settings").text
