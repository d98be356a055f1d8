"""The made-up year leaves a company that works from today on."""

from datetime import timedelta
from typing import Any

import pytest

from nps.core import clock as product_clock
from nps.core.db import db
from nps.delivery.models import SenderDomain
from nps.demo import words, year
from nps.referrals import queries, service
from tests.referrals.world import click, promoter


def test_a_friend_who_comes_after_the_year_counts(account: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(year, "CUSTOMERS", 2)
    db.session.add(SenderDomain(domain="larkfield.example", state="verified", created_at=clock.now()))
    db.session.flush()
    today = product_clock.now()
    clock.move(days=-400)
    year._set_up(year.Year(account, [], print, until=today), today)
    clock.at(today + timedelta(minutes=1))
    program = queries.default_program()
    assert program is not None
    program.holdout_percent = 0
    maya = promoter()
    clock.move(minutes=1)
    referral = service.claim(queries.link_of(maya.id), "leo@lantern.example", click_ref=click(maya))
    assert referral is not None
    assert referral.state == "claimed"


def test_every_page_of_the_offer_says_the_same_two_months() -> None:
    for name in ("headline", "lead", "share_words", "friend_words", "friend_title", "friend_form_title", "friend_small_print"):
        assert "two" in str(words.OFFER[name]).lower() or "2 months" in str(words.OFFER[name]), name
        assert "one month" not in str(words.OFFER[name])
