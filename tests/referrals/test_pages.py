"""The team's pages of the program: figures, settings, states, advocates, sales."""

from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import select

from nps.core import clock, ids
from nps.core.db import db
from nps.delivery.models import Message, SenderDomain
from nps.referrals import queries, service
from nps.referrals.models import Advocate, AskRefusal, Conversion, Program
from tests.referrals.world import Shop, click, live_program, person, promoter, tell


def program() -> Program:
    db.session.expire_all()
    return db.session.scalars(select(Program)).one()


class Fields(HTMLParser):
    """What a browser would send for the page's form if nothing were touched."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.data: dict[str, Any] = {}
        self.select = self.area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in given:
            self.data[self.select] = given.get("value") or ""
        elif tag == "textarea":
            self.area, self.data[name] = name, ""
        elif tag == "input" and name and name not in ("csrf_token", "q"):
            kind = given.get("type")
            if kind == "radio" and "checked" in given:
                self.data[name] = given.get("value") or ""
            elif kind == "checkbox" and "checked" in given:
                self.data.setdefault(name, []).append(given.get("value") or "")
            elif kind not in ("radio", "checkbox"):
                self.data[name] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.select = self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            # A browser drops the line break right after the tag.
            self.data[self.area] += data.removeprefix("\r").removeprefix("\n") if not self.data[self.area] else data


def typed(browser: Any, **change: str) -> dict[str, Any]:
    """The settings form as the page has it, with changes."""
    return {**Fields(browser.get("/larkfield/referrals/settings").get_data(as_text=True)).data, **change}


def follow(browser: Any, answer: Any) -> Any:
    """The page an answer leads to."""
    assert answer.status_code == 303
    return browser.get(answer.headers["Location"])


@pytest.fixture
def live(account: Any) -> Program:
    return live_program(account)


def test_a_new_account_finds_a_draft_with_what_is_missing(signed_in: Any, account: Any) -> None:
    page = signed_in.get("/larkfield/referrals").get_data(as_text=True)
    assert "Draft" in page
    assert "2 things are missing before this can go live." in page
    assert "Give the address where friends sign up." in page
    assert "Write the referral terms." in page


def test_going_live_is_refused_with_the_list_and_then_works(signed_in: Any, account: Any) -> None:
    answer = follow(signed_in, signed_in.form("/larkfield/referrals/state", {"do": "go_live"})).get_data(as_text=True)
    assert "The program is not live yet." in answer
    assert program().state == "draft"
    data = typed(signed_in, destination_url="https://larkfield.example/start", terms="Be kind.")
    assert signed_in.form("/larkfield/referrals/settings", data).status_code == 303
    page = signed_in.get("/larkfield/referrals").get_data(as_text=True)
    assert "The sign-up address must be https on a domain you have verified." in page
    db.session.add(SenderDomain(domain="larkfield.example", state="verified", created_at=clock.now()))
    db.session.commit()
    signed_in.form("/larkfield/referrals/state", {"do": "go_live"})
    assert program().state == "live"
    for verb, state in (("pause", "paused"), ("resume", "live"), ("end", "ended"), ("resume", "ended"), ("nonsense", "ended")):
        signed_in.form("/larkfield/referrals/state", {"do": verb})
        assert program().state == state


WRONG: list[tuple[dict[str, str], str]] = [
    ({"percent": "101", "kind": "percent"}, "percent"),
    ({"percent": "0", "kind": "percent"}, "percent"),
    ({"amount": "abc"}, "amount"),
    ({"amount": "-5"}, "amount"),
    ({"amount": ""}, "amount"),
    ({"amount": "1.005"}, "amount"),
    ({"cap": "10"}, "cap"),
    ({"hold_days": "-1"}, "hold_days"),
    ({"attribution_days": "401"}, "attribution_days"),
    ({"qualify_days": "401"}, "qualify_days"),
    ({"look_back_days": "1001"}, "look_back_days"),
    ({"holdout_percent": "51"}, "holdout_percent"),
    ({"name": ""}, "name"),
    ({"disclosure": ""}, "disclosure"),
    ({"milestone_lines": "soon: a month"}, "milestone_lines"),
    ({"quote_lines": "words by nobody"}, "quote_lines"),
    ({"friend_list": "10", "friend_less": "11"}, "friend_less"),
    ({"qualifies": "event", "qualify_event": ""}, "qualify_event"),
]


def test_each_wrong_setting_is_named_and_everything_typed_is_kept(signed_in: Any, live: Program) -> None:
    data = typed(signed_in, headline="A headline that must not be lost")
    for change, field in WRONG:
        answer = signed_in.form("/larkfield/referrals/settings", {**data, **change})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422, change
        assert f'href="#{field}"' in page, change
        assert "A headline that must not be lost" in page
    assert queries.newest_version(program().id).number == 1


def test_saving_without_a_change_makes_no_version_and_a_change_makes_one(signed_in: Any, live: Program) -> None:
    same, other = typed(signed_in), typed(signed_in, amount="75", advocate_words="$75 credit")
    assert signed_in.form("/larkfield/referrals/settings", same).status_code == 303
    assert queries.newest_version(program().id).number == 1
    assert signed_in.form("/larkfield/referrals/settings", other).status_code == 303
    new = queries.newest_version(program().id)
    assert (new.number, new.rules[0]["amounts"]) == (2, {"USD": 7_500})
    worse = typed(signed_in, amount="10", advocate_words="$10 credit")
    page = follow(signed_in, signed_in.form("/larkfield/referrals/settings", worse)).get_data(as_text=True)
    assert "begins in 14 days" in page


def test_the_page_counts_people_and_leaves_machines_out(signed_in: Any, live: Program) -> None:
    maya = promoter(name="Maya Okafor", company="Fern & Fable")
    promoter("jo@harbor.example", name="Jo Lindqvist")
    service.share(maya, "wa")
    for n in range(3):
        click(maya, visitor=f"{n:032d}")
    click(maya, visitor=f"{0:032d}")
    click(maya, verdict="bot", signs=8)
    shop = Shop()
    tell(shop.binding(click(maya, visitor="9" * 32)), shop.sale())
    db.session.commit()
    page = signed_in.get("/larkfield/referrals").get_data(as_text=True)
    funnel = queries.funnel(program().id)
    assert (funnel.asked, funnel.shared, funnel.visits, funnel.sign_ups, funnel.qualified, funnel.bots) == (2, 1, 4, 1, 1, 1)
    for words in (
        "Promoters invited",
        "50.0% of invited",
        "25.0% of visits",
        "Maya Okafor",
        "1 click of machines left out.",
        "All 2 advocates",
        "1 reward waits",
    ):
        assert words in page, words


def test_advocates_are_found_and_one_is_shown_with_friends(signed_in: Any, live: Program) -> None:
    maya = promoter(name="Maya Okafor", company="Fern & Fable")
    promoter("jo@harbor.example", name="Jo Lindqvist")
    service.claim(queries.link_of(maya.id), "leo@lantern.example")
    db.session.commit()
    assert "Jo Lindqvist" not in signed_in.get("/larkfield/referrals/advocates?q=fern").get_data(as_text=True)
    assert "Nobody fits" in signed_in.get("/larkfield/referrals/advocates?q=100%25_").get_data(as_text=True)
    page = signed_in.get(f"/larkfield/referrals/advocates/{maya.id}").get_data(as_text=True)
    assert "leo@lantern.example" in page
    assert queries.link_of(maya.id).code in page


def test_waiting_words_are_let_through_or_set_back(signed_in: Any, live: Program) -> None:
    maya = promoter()
    service.save_words(maya, "Call 0171 2345678")
    db.session.commit()
    path = f"/larkfield/referrals/advocates/{maya.id}"
    assert "Call 0171 2345678" in signed_in.get(path).get_data(as_text=True)
    signed_in.form(f"{path}/words", {"do": "show"})
    db.session.expire_all()
    assert db.session.scalars(select(Advocate)).one().words_state == "shown"


def test_removing_needs_a_reason(signed_in: Any, live: Program) -> None:
    maya = promoter()
    db.session.commit()
    path = f"/larkfield/referrals/advocates/{maya.id}/removal"
    assert signed_in.form(path, {"reason": " "}).status_code == 422
    assert signed_in.form(path, {"reason": "Posted as an ad"}).status_code == 303
    db.session.expire_all()
    assert db.session.scalars(select(Advocate)).one().state == "removed"


def test_a_contact_is_invited_by_hand_with_a_mail_only_when_ticked(signed_in: Any, live: Program) -> None:
    quiet, mailed, held = person("a@x.example", None), person("b@x.example", None), person("c@x.example", 3)
    db.session.commit()
    signed_in.form("/larkfield/referrals/advocates", {"contact_id": str(quiet.id)})
    signed_in.form("/larkfield/referrals/advocates", {"contact_id": str(mailed.id), "mail": "y"})
    answer = follow(signed_in, signed_in.form("/larkfield/referrals/advocates", {"contact_id": str(held.id)}))
    assert "Not invited" in answer.get_data(as_text=True)
    assert [m.to_email for m in db.session.scalars(select(Message))] == ["b@x.example"]
    assert [r.reason for r in db.session.scalars(select(AskRefusal))] == ["not_promoter"]


def test_a_sale_without_a_source_is_credited_by_hand_with_a_reason(signed_in: Any, live: Program) -> None:
    maya = promoter()
    shop = Shop()
    tell(shop.binding(), shop.sale())
    db.session.commit()
    assert "leo@lantern.example" in signed_in.get("/larkfield/referrals/sales").get_data(as_text=True)
    sale = db.session.scalars(select(Conversion)).one()
    again = follow(signed_in, signed_in.form(f"/larkfield/referrals/sales/{sale.id}/attribution")).get_data(as_text=True)
    assert "Still no link" in again
    path = f"/larkfield/referrals/sales/{sale.id}/credit"
    assert signed_in.form(path, {"advocate": "nobody@x.example", "reason": "Phone"}).status_code == 422
    assert signed_in.form(path, {"advocate": queries.link_of(maya.id).code, "reason": ""}).status_code == 422
    assert signed_in.form(path, {"advocate": "maya@fern.example", "reason": "Told us on the phone"}).status_code == 303
    db.session.expire_all()
    assert db.session.scalars(select(Conversion)).one().referral_id is not None
    assert "Every sale has a source" in signed_in.get("/larkfield/referrals/sales").get_data(as_text=True)


def test_the_friends_page_is_previewed_before_anybody_shares(signed_in: Any, account: Any) -> None:
    page = signed_in.get("/larkfield/referrals/friend-preview").get_data(as_text=True)
    assert "Maya thought of you." in page
    assert "disabled" in page


def test_unknown_advocates_and_sales_are_404(signed_in: Any, live: Program) -> None:
    for path in (f"advocates/{ids.new_id()}", f"sales/{ids.new_id()}/credit"):
        assert signed_in.get(f"/larkfield/referrals/{path}").status_code == 404


def test_somebody_is_invited_from_their_page_and_gets_no_mail_unless_the_box_is_ticked(signed_in: Any, account: Any, run_jobs: Any) -> None:
    live_program(account)
    silent, told = person("silent@fern.example"), person("told@fern.example")
    page = signed_in.get(f"/larkfield/contacts/{silent.id}").text
    assert "Nothing is sent unless you tick the box." in page
    assert 'name="mail" value="yes">' in page
    signed_in.form("/larkfield/referrals/advocates", {"contact_id": str(silent.id)})
    signed_in.form("/larkfield/referrals/advocates", {"contact_id": str(told.id), "mail": "yes"})
    run_jobs()
    assert [message.to_email for message in db.session.scalars(select(Message))] == ["told@fern.example"]
    page = signed_in.get(f"/larkfield/contacts/{silent.id}").text
    assert "Invite to share" not in page
    assert "Visits, friends and rewards" in page
