"""The sample company is made through the product's own services: a short year of few customers leaves every part of the loop behind."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from nps.accounts import queries as accounts
from nps.accounts.models import Membership
from nps.campaigns.models import Campaign
from nps.contacts.models import Contact
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.demo import seed, year
from nps.followups.models import Case
from nps.referrals.models import Click, Conversion
from nps.responses.models import Response
from nps.rewards import queries as rewards
from nps.rewards.models import LedgerLine, Reward


def count(model: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_short_time_leaves_every_part_of_the_loop_behind_and_a_second_start_changes_the_key_alone(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(year, "CUSTOMERS", 180)
    monkeypatch.setattr(year, "WAVES", (45,))
    said: list[str] = []
    with tenancy.unscoped("the demo is made before anybody is in it"):
        first = seed.ensure("ines@larkfield.example", "larkfield demo 2026", {}, said.append)
        again = seed.ensure("ines@larkfield.example", "larkfield demo 2026", {}, said.append)
    assert said.count("Making the sample company") == 1
    assert first["account"] == again["account"] == "larkfield"
    assert first["api_key"] != again["api_key"]
    assert abs((product_clock.now() - datetime.now(UTC)).total_seconds()) < 5
    account = accounts.find_account("larkfield")
    assert account is not None
    with tenancy.account_scope(account.id):
        assert count(Contact) >= 180
        assert count(Campaign) == 1
        assert count(Response) > 5
        assert count(Case) > 0
        assert count(Click) > 0
        assert count(Conversion) > 0
        assert count(Reward) > 0
        assert count(LedgerLine) > 0
        assert rewards.violations() == []
        owner = db.session.scalars(select(Membership).order_by(Membership.created_at)).first()
        assert owner is not None
    assert [one.name for one in accounts.list_accounts_of(owner.user_id)] == ["Larkfield", "Quayside Coffee"]
