"""Members and invitations: who may do what to whom, and that an account never loses its last owner."""

import re
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from nps.accounts import queries, service
from nps.accounts.errors import AboveYou, AlreadyIn, LastOwner, LinkOver, OwnRole, ResentOften, SeatsTaken
from nps.accounts.models import Account, ApiKey, AuditEntry, LoginSession, Membership, TeamInvite, User
from nps.accounts.rules import MAY, RIGHT_NAMES, Role, may_give, rights_in_full, rights_table
from nps.core import clock, ids, tenancy
from nps.core import db as database
from nps.core.db import db
from nps.core.errors import DomainError, NotFound


def join(role: Role, email: str, name: str = "Somebody New") -> tuple[User, Membership]:
    user = service.create_user(email, name)
    row = Membership(user_id=user.id, role=role, created_at=clock.now())
    db.session.add(row)
    db.session.flush()
    return user, row


@pytest.fixture
def me(account: Account, owner: User) -> Membership:
    found = queries.find_membership(account.id, owner.id)
    assert found is not None
    return found


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    """Mails handed over: (name, address, values)."""
    mails: list[tuple[str, str, dict[str, Any]]] = []

    def keep(name: str, email: str, values: dict[str, Any], *, key: str) -> None:
        mails.append((name, email, values))

    monkeypatch.setattr("nps.accounts.service.team.mail_address", keep)
    return mails


def token_of(sent: list[tuple[str, str, dict[str, Any]]]) -> str:
    return str(sent[-1][2]["link"]).rpartition("/")[2]


@pytest.mark.parametrize(
    ("giver", "role", "allowed"),
    [
        (Role.OWNER, Role.OWNER, True),
        (Role.OWNER, Role.VIEWER, True),
        (Role.ADMIN, Role.ADMIN, True),
        (Role.ADMIN, Role.OWNER, False),
        (Role.MANAGER, Role.VIEWER, False),
        (Role.REVIEWER, Role.REVIEWER, False),
    ],
)
def test_nobody_gives_a_role_above_their_own(giver: Role, role: Role, allowed: bool) -> None:
    assert may_give(giver, role) is allowed


def test_rights_table_says_what_the_matrix_says() -> None:
    table = dict(rights_table())
    assert table["Approve rewards"] == ["Yes", "Yes", "–", "–", "–", "Yes", "–"]
    assert table["Work cases"] == ["Yes", "Yes", "Yes", "Yes", "Notes", "–", "–"]
    assert table["Change the plan, close the account"] == ["Yes", "–", "–", "–", "–", "–", "–"]
    assert len(rights_in_full()) == len(MAY)
    assert set(RIGHT_NAMES) <= set(MAY)


def test_role_acts_with_the_next_click(sign_in: Any, account: Account, me: Membership) -> None:
    user, row = join(Role.ADMIN, "amara@larkfield.example")
    browser = sign_in(user)
    assert browser.get("/larkfield/members").status_code == 200
    service.change_role(me, row.id, Role.ANALYST, by="test")
    db.session.commit()
    assert browser.get("/larkfield/members").status_code == 403


def test_admin_touches_no_owner_and_nobody_themselves(account: Account, me: Membership) -> None:
    _, admin = join(Role.ADMIN, "amara@larkfield.example")
    with pytest.raises(AboveYou):
        service.change_role(admin, me.id, Role.VIEWER, by="test")
    with pytest.raises(AboveYou):
        service.remove_member(admin, me.id, by="test")
    with pytest.raises(OwnRole):
        service.change_role(admin, admin.id, Role.VIEWER, by="test")
    with pytest.raises(OwnRole):
        service.remove_member(admin, admin.id, by="test")
    _, other = join(Role.VIEWER, "sol@larkfield.example")
    with pytest.raises(AboveYou):
        service.change_role(admin, other.id, Role.OWNER, by="test")


def test_last_owner_stays(account: Account, me: Membership) -> None:
    with pytest.raises(LastOwner):
        service.remove_member(me, me.id, by="test")
    _, second = join(Role.OWNER, "ruth@larkfield.example")
    service.remove_member(me, me.id, by="test")
    with pytest.raises(LastOwner):
        service.remove_member(second, second.id, by="test")


def test_two_owners_who_remove_each_other_at_once_leave_one(app: Flask, account: Account, me: Membership) -> None:
    _, second = join(Role.OWNER, "ruth@larkfield.example")
    db.session.commit()
    ready, outcome = threading.Barrier(2), []

    def run(actor_id: UUID, victim_id: UUID) -> None:
        with app.app_context(), tenancy.account_scope(account.id):
            ready.wait()
            try:
                with database.unit():
                    service.remove_member(queries.get_membership(actor_id), victim_id, by="test")
                outcome.append("done")
            except DomainError as error:
                outcome.append(error.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in ((me.id, second.id), (second.id, me.id))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    db.session.expire_all()
    owners = db.session.scalars(select(Membership).where(Membership.role == Role.OWNER, Membership.removed_at.is_(None))).all()
    assert len(owners) == 1
    assert outcome.count("done") == 1


def test_removed_member_loses_sessions_and_keys_at_once(sign_in: Any, account: Account, me: Membership) -> None:
    user, row = join(Role.ADMIN, "amara@larkfield.example", "Amara Kone")
    browser = sign_in(user)
    _, secret = service.create_api_key("Warehouse", ["responses:read"], user.id)
    db.session.commit()
    service.remove_member(me, row.id, by="ines@larkfield.example")
    db.session.commit()
    assert browser.get("/larkfield/you").headers["Location"].startswith("/login")
    assert queries.find_api_key(secret) is None
    assert db.session.scalars(select(LoginSession).where(LoginSession.user_id == user.id)).all() == []
    actions = db.session.scalars(select(AuditEntry.action)).all()
    assert {"member.removed", "key.revoked"} <= set(actions)


def test_removed_member_can_be_invited_again(account: Account, me: Membership, owner: User, sent: Any) -> None:
    user, row = join(Role.ANALYST, "petra@larkfield.example")
    service.remove_member(me, row.id, by="test")
    service.invite(account, me, owner, "petra@larkfield.example", Role.VIEWER)
    made = service.open_invite(token_of(sent))
    _, again = service.accept_invite(made, user)
    assert again.id == row.id
    assert again.role == Role.VIEWER
    assert again.removed_at is None


def test_invitation_is_mailed_and_joins_a_new_person_once(client: Any, account: Account, me: Membership, owner: User, sent: Any) -> None:
    service.invite(account, me, owner, "kei@larkfield.example", Role.RESPONDER)
    name, address, values = sent[0]
    assert (name, address) == ("team_invite", "kei@larkfield.example")
    assert values["inviter"] == "Ines Marchetti"
    path = "/invitations/" + token_of(sent)
    assert "Ines Marchetti invites" in client.get(path).text
    refused = client.form(path, {"name": "", "password": "short"})
    assert refused.status_code == 422
    assert "Type your name" in refused.text
    assert "at least 12" in refused.text
    joined = client.form(path, {"name": "Kei Tanaka", "password": ""})
    assert (joined.status_code, joined.headers["Location"]) == (303, "/larkfield/")
    assert client.get("/larkfield/you").status_code == 200
    assert client.get(path).status_code == 410
    assert client.form(path, {"name": "Kei Tanaka"}).status_code == 410
    kei = queries.find_user("kei@larkfield.example")
    assert kei is not None
    assert kei.email_confirmed_at is not None


def test_invitation_for_a_known_address_needs_that_person(
    client: Any, sign_in: Any, account: Account, rival: Account, me: Membership, owner: User, sent: Any
) -> None:
    service.invite(account, me, owner, "rita@rival.example", Role.VIEWER)
    path = "/invitations/" + token_of(sent)
    assert "Sign in to join" in client.get(path).text
    assert client.form(path, {"name": "Somebody Else"}).status_code == 200
    assert queries.count_members() == 1
    stranger, _ = join(Role.VIEWER, "sol@larkfield.example")
    assert "Sign out" in sign_in(stranger).get(path).text
    rita = queries.find_user("rita@rival.example")
    assert rita is not None
    assert sign_in(rita).form(path).headers["Location"] == "/larkfield/"
    assert queries.count_members() == 3


def test_accepting_twice_at_once_joins_once(account: Account, me: Membership, owner: User, sent: Any) -> None:
    service.invite(account, me, owner, "kei@larkfield.example", Role.VIEWER)
    first, second = service.open_invite(token_of(sent)), service.open_invite(token_of(sent))
    service.accept_invite(first, None, name="Kei")
    with pytest.raises(LinkOver):
        service.accept_invite(second, None, name="Kei")


@pytest.mark.parametrize("hours", [47, 49])
def test_invitation_works_for_two_days(account: Account, me: Membership, owner: User, sent: Any, clock: Any, hours: int) -> None:
    service.invite(account, me, owner, "kei@larkfield.example", Role.VIEWER)
    clock.move(hours=hours)
    if hours < 48:
        assert service.open_invite(token_of(sent)).email == "kei@larkfield.example"
    else:
        with pytest.raises(LinkOver):
            service.open_invite(token_of(sent))


def test_resending_makes_a_new_link_five_times_a_day(account: Account, me: Membership, owner: User, sent: Any, clock: Any) -> None:
    clock.at(clock.now().replace(hour=8, minute=0))
    made = service.invite(account, me, owner, "kei@larkfield.example", Role.VIEWER)
    first = token_of(sent)
    for _ in range(4):
        service.resend_invite(account, owner, made.id)
    with pytest.raises(ResentOften):
        service.resend_invite(account, owner, made.id)
    with pytest.raises(LinkOver):
        service.open_invite(first)
    assert service.open_invite(token_of(sent)).id == made.id
    clock.move(days=1)
    service.resend_invite(account, owner, made.id)


def test_withdrawn_invitation_opens_nothing(account: Account, me: Membership, owner: User, sent: Any) -> None:
    made = service.invite(account, me, owner, "kei@larkfield.example", Role.VIEWER)
    service.withdraw_invite(made.id, by="test")
    with pytest.raises(LinkOver):
        service.open_invite(token_of(sent))
    with pytest.raises(LinkOver):
        service.resend_invite(account, owner, made.id)


def test_member_and_oneself_are_not_invited(account: Account, me: Membership, owner: User, sent: Any) -> None:
    join(Role.VIEWER, "sol@larkfield.example")
    for address in ("sol@larkfield.example", owner.email):
        with pytest.raises(AlreadyIn):
            service.invite(account, me, owner, address, Role.VIEWER)
    assert sent == []


def test_second_invitation_replaces_the_first(account: Account, me: Membership, owner: User, sent: Any) -> None:
    service.invite(account, me, owner, "kei@larkfield.example", Role.VIEWER)
    first = token_of(sent)
    service.invite(account, me, owner, "kei@larkfield.example", Role.ANALYST)
    with pytest.raises(LinkOver):
        service.open_invite(first)
    assert [one.role for one in queries.list_open_invites()] == [Role.ANALYST]


def test_plan_limits_members_with_invitations_counted(account: Account, me: Membership, owner: User, sent: Any, clock: Any) -> None:
    service.keep_limits(account, {"members": 2})
    service.invite(account, me, owner, "kei@larkfield.example", Role.VIEWER)
    with pytest.raises(SeatsTaken):
        service.invite(account, me, owner, "sol@larkfield.example", Role.VIEWER)
    clock.move(days=3)
    service.invite(account, me, owner, "sol@larkfield.example", Role.VIEWER)


def test_only_a_hash_of_the_token_is_kept(account: Account, me: Membership, owner: User, sent: Any) -> None:
    made = service.invite(account, me, owner, "kei@larkfield.example", Role.VIEWER)
    assert token_of(sent) not in repr({c.name: getattr(made, c.name) for c in TeamInvite.__table__.columns})
    assert made.token_hash == ids.digest(token_of(sent))


def test_rivals_member_and_invitation_answer_like_nothing(account: Account, rival: Account, me: Membership) -> None:
    with tenancy.account_scope(rival.id):
        theirs = db.session.scalars(select(Membership.id)).one()
    for act in (lambda: service.change_role(me, theirs, Role.VIEWER, by="t"), lambda: service.remove_member(me, theirs, by="t")):
        with pytest.raises(NotFound):
            act()


def test_invite_form_keeps_what_was_typed_and_says_why(signed_in: Any, account: Account) -> None:
    answer = signed_in.form("/larkfield/members/invitations", {"email": "a@b@c", "role": "analyst"})
    assert answer.status_code == 422
    assert 'value="a@b@c"' in answer.text
    assert re.search(r'<option selected value="analyst">', answer.text)
    assert "<title>Error: Members" in answer.text
    assert queries.list_open_invites() == []


def test_admin_is_not_offered_ownership(sign_in: Any, account: Account) -> None:
    admin, _ = join(Role.ADMIN, "amara@larkfield.example")
    browser = sign_in(admin)
    assert 'value="owner"' not in browser.get("/larkfield/members").text
    assert browser.form("/larkfield/members/invitations", {"email": "kei@x.example", "role": "owner"}).status_code == 422


def test_member_page_changes_the_role_and_says_so(signed_in: Any, account: Account) -> None:
    _, row = join(Role.VIEWER, "sol@larkfield.example", "Sol Ortega")
    db.session.commit()
    path = f"/larkfield/members/{row.id}"
    assert "Sol Ortega" in signed_in.get(path).text
    assert signed_in.form(path, {"role": "analyst"}).status_code == 303
    assert "Sol Ortega is Analyst from the next click on." in signed_in.get("/larkfield/members").text
    assert signed_in.form(path, {"role": "emperor"}).status_code == 422


def test_key_dies_with_its_maker_and_others_stay(account: Account, me: Membership, owner: User) -> None:
    user, row = join(Role.ADMIN, "amara@larkfield.example")
    service.create_api_key("Hers", ["contacts:read"], user.id)
    kept, _ = service.create_api_key("Ours", ["contacts:read"], owner.id)
    service.remove_member(me, row.id, by="test")
    assert [key.id for key in queries.list_api_keys()] == [kept.id]
    assert db.session.scalars(select(ApiKey).where(ApiKey.revoked_at.is_not(None))).one().name == "Hers"


def test_expiry_is_two_days_after_sending(account: Account, me: Membership, owner: User, sent: Any) -> None:
    made = service.invite(account, me, owner, "kei@larkfield.example", Role.VIEWER)
    assert made.expires_at - made.created_at == timedelta(days=2)
