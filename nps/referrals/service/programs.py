"""Programs: the draft every account starts with, editing, and the ways between draft, live, paused and ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from nps.accounts import queries as accounts
from nps.accounts.events import AccountOpened
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.core.money import decimals, format_money
from nps.referrals import queries
from nps.referrals.errors import NotReady, WrongState
from nps.referrals.models import DaySalt, Program, ProgramChange, ProgramVersion
from nps.referrals.rules import destinations, programs, sharing, versions
from nps.referrals.rules.programs import Missing, ProgramState

RUN_FIELDS = frozenset(
    (
        "name",
        "destination_url",
        "landing",
        "cookie",
        "strict",
        "holdout_percent",
        "min_score",
        "code_style",
        "strictness",
        "consumer",
        "show_first_name",
        "show_company",
        "show_words",
        "utm",
        "channels",
    )
)


def ensure_default() -> Program:
    """The account's default program, made as a draft with words that can stand where there is none yet."""
    found = queries.default_program()
    if found is not None:
        return found
    account = accounts.get_account(tenancy.current())
    now, product = clock.now(), account.product or account.name
    flat = 50 * 10 ** decimals(account.currency)
    worth, cap = format_money(flat, account.currency), 1000 * 10 ** decimals(account.currency)
    program = Program(
        name="Refer a friend",
        default_since=now,
        destination_url=account.website if account.website.startswith("https://") else "",
        channels=list(sharing.DEFAULT_WAYS),
        created_at=now,
    )
    db.session.add(program)
    db.session.flush()
    version = ProgramVersion(
        program_id=program.id,
        number=1,
        effective_at=now,
        headline=f"Give a free month. Get {worth}.",
        lead=(
            f"Friends who join with your link get one month of {product} free. "
            f"You get {worth} credit each time one of them becomes a customer."
        ),
        pitch=f"See for yourself what {product} does for you.",
        ask=f"Know someone who would like {product}?",
        friend_offer="words",
        friend_words="1 month free",
        friend_detail="No card needed to start",
        friend_title=f"One month of {product}, free.",
        friend_form_title="Start your free month",
        friend_hint="We send you the way in. No password, no card.",
        friend_button="Start free",
        friend_steps=[],
        advocate_words=f"{worth} credit",
        advocate_detail="After their first payment",
        rules=[
            {"id": "first", "side": "advocate", "on": "qualified", "kind": "flat", "amounts": {account.currency: flat}, "max_months": 1}
        ],
        caps=[{"period": "year", "currency": account.currency, "amount": cap}],
        automatic_minor=2 * flat,
        second_person_minor=10 * flat,
        share_subject=f"{product}: worth a look",
        share_words=f"I use {product} and like it. This link gives you one month free.",
        disclosure=sharing.DISCLOSURE,
        created_by="Wordback",
        created_at=now,
    )
    db.session.add(version)
    db.session.add(ProgramChange(program_id=program.id, state=ProgramState.DRAFT, actor="Wordback", occurred_at=now))
    db.session.flush()
    return program


def open_first(event: AccountOpened) -> None:
    """A new account finds a draft to edit instead of an empty page."""
    ensure_default()


def save(program: Program, fields: Mapping[str, Any], actor: str) -> ProgramVersion:
    """Store edited settings. In a draft the one version is changed; a live program gets a new version where promises differ.

    A change that is worse for people who already share begins 14 days later. Raises WrongState for an ended program.
    """
    if program.state == ProgramState.ENDED:
        raise WrongState("This program has ended. Copy it to start again; nothing was changed.")
    now = clock.now()
    for name, value in fields.items():
        if name in RUN_FIELDS:
            setattr(program, name, value)
    version = queries.newest_version(program.id)
    promised = {name: value for name, value in fields.items() if name not in RUN_FIELDS}
    changed = {name: value for name, value in promised.items() if getattr(version, name) != value}
    if not changed:
        db.session.flush()
        return version
    if program.state == ProgramState.DRAFT:
        for name, value in changed.items():
            setattr(version, name, value)
        db.session.flush()
        return version
    kept = {c.key: getattr(version, c.key) for c in ProgramVersion.__table__.columns if c.key not in ("account_id", "id")}
    new = ProgramVersion(**{**kept, **changed, "number": version.number + 1, "created_by": actor, "created_at": now})
    new.effective_at = versions.effective(_promise(queries.version_at(program.id, now)), _promise(new), now)
    db.session.add(new)
    db.session.flush()
    return new


def _promise(version: ProgramVersion) -> versions.Promise:
    return versions.Promise(
        version.rules,
        version.caps,
        version.hold_days,
        version.attribution_days,
        version.qualify_days,
        version.qualifies,
        version.qualify_nth,
    )


def gaps(program: Program) -> Sequence[Missing]:
    """What keeps a program from going live."""
    facts = queries.readiness(program, queries.newest_version(program.id))
    return programs.missing(facts, destinations.allowed(program.destination_url, facts.verified_hosts))


def go_live(program: Program, actor: str) -> None:
    """Draft to live. Raises NotReady naming everything that is missing."""
    version = queries.newest_version(program.id)
    found = gaps(program)
    if found:
        raise NotReady(
            "The program is not live yet. " + " ".join(gap.text for gap in found),
            fields={gap.field: gap.text for gap in found},
        )
    now = clock.now()
    _move(program, "go_live", actor, "", now)
    version.effective_at = now
    program.live_since = now
    ensure_salts(now)


def pause(program: Program, actor: str, reason: str = "") -> None:
    """No new asks and no new referrals from later touches; earlier sign-ups still qualify and are paid."""
    _move(program, "pause", actor, reason, clock.now())
    program.paused_because = reason[:40] or "by hand"


def resume(program: Program, actor: str) -> None:
    _move(program, "resume", actor, "", clock.now())
    program.paused_because = ""


def end(program: Program, actor: str, reason: str = "") -> None:
    """For good. Links say that the offer has ended; what was earned is paid."""
    now = clock.now()
    _move(program, "end", actor, reason, now)
    program.ended_at = now


def _move(program: Program, verb: str, actor: str, reason: str, now: datetime) -> None:
    after = programs.move(ProgramState(program.state), verb)
    if after is None:
        raise WrongState(f"A program that is {program.state} cannot do this. Nothing was changed.")
    program.state = after
    db.session.add(ProgramChange(program_id=program.id, state=after, actor=actor[:120], reason=reason[:200], occurred_at=now))
    db.session.flush()


def ensure_salts(now: datetime) -> None:
    """Random salts for today and tomorrow (UTC), and none that is older than 48 hours."""
    days = [now.date() + timedelta(days=n) for n in (0, 1)]
    known = set(db.session.scalars(select(DaySalt.day).where(DaySalt.day.in_(days))))
    for day in days:
        if day not in known:
            db.session.add(DaySalt(day=day, salt=ids.new_token(32)))
    for old in db.session.scalars(select(DaySalt).where(DaySalt.day < now.date() - timedelta(days=2))):
        db.session.delete(old)
    db.session.flush()
