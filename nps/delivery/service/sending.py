"""The database side of sending: claims, intents, outcomes, and what dead workers left behind. Each function is part of one unit.

The sender serves all accounts, so these run `unscoped` and carry the account in their statements; events are published in the
scope of the account they are about.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, delete, distinct, func, or_, select, update

from nps.core import clock, ids, settings, tenancy
from nps.core.db import db
from nps.core.events import heard, publish
from nps.core.log import log
from nps.core.prepared import PutOnce
from nps.delivery import compose, queries, rules
from nps.delivery.events import BatchPaused, MessagesAboutToLeave, MessagesSettled, SendingPaused, SendingWarned
from nps.delivery.models import MailboxMail, MailLane, MailTemplate, Message, ProviderPace, SendingState
from nps.delivery.parcels import Parcel, Printer
from nps.delivery.rules import AddressEffect, Fate, LaneEffect, MessageState, Reply, Standing, SuppressionReason, Verdict
from nps.delivery.service import queueing, statements, stops

DOWN_AFTER = 5
PROBE_EVERY = timedelta(seconds=60)
HELD_AFTER = 3
CONTENT_REFUSALS = 3
STANDING_WINDOW = timedelta(days=7)

_ENDS = ("sent", "unknown", "failed", "deferred", "dropped")
_FATE = (Message.account_id, Message.id, Message.ref_kind, Message.ref_id, Message.contact_id, Message.kind)
_NO_SYNC = {"synchronize_session": False}
_put_lane = PutOnce(MailLane.__table__, ["name"])


def lease() -> timedelta:
    """How long a claim holds without being renewed: as long as a job's."""
    return timedelta(seconds=settings.current().job_lease_seconds)


@dataclass
class Books:
    """What one run of the sender remembers between its units of work."""

    token: UUID
    printer: Printer
    restricted: set[UUID] = field(default_factory=set)
    """Accounts that may only send what a member typed or a person asked for."""
    slowed: dict[tuple[UUID, str], tuple[float, datetime]] = field(default_factory=dict)
    bounced: set[UUID] = field(default_factory=set)


def open_books(printer: Printer) -> Books:
    return Books(ids.new_id(), printer)


# --- claims -------------------------------------------------------------------------------------------------------


def look_around(books: Books, now: datetime) -> list[UUID]:
    """Accounts with something due. Also reads who is held and which paces are slowed."""
    waiting = select(Message.account_id).where(statements.WAITS, Message.due_at <= now)
    accounts = list(db.session.scalars(waiting.distinct()))
    held = select(SendingState.account_id).where(or_(SendingState.standing == Standing.PAUSED, SendingState.held != ""))
    books.restricted = set(db.session.scalars(held))
    slowed = select(ProviderPace.account_id, ProviderPace.provider, ProviderPace.slowed_to, ProviderPace.slowed_at)
    books.slowed = {(row.account_id, row.provider): (row.slowed_to, row.slowed_at) for row in db.session.execute(slowed)}
    return accounts


def claim(books: Books, accounts: Sequence[UUID], limit: int, most_of_one: int, now: datetime) -> list[Parcel]:
    """Take due messages, an equal part from each account, the most urgent first; then in turns. Exclusive on both databases."""
    each = min(max(1, limit // max(1, len(accounts))), most_of_one)
    queues: list[list[Parcel]] = []
    taken = 0
    connection = db.session.connection()
    for account_id in accounts:
        given: dict[str, object] = {"account_id": account_id, "now": now, "each": each}
        if account_id in books.restricted:
            rows = connection.execute(statements.FIND_DUE_OF_KINDS, {**given, "kinds": list(queueing.PERSONAL)})
        else:
            rows = connection.execute(statements.FIND_DUE, given)
        found = [Parcel(*row) for row in rows]
        if found:
            queues.append(found)
            taken += len(found)
        if taken >= limit:
            break
    parcels = [queue[place] for place in range(max(map(len, queues), default=0)) for queue in queues if place < len(queue)]
    if not parcels:
        return []
    connection.execute(statements.CLAIM, {"ids": [parcel.id for parcel in parcels], "token": books.token, "until": now + lease()})
    lapsed = [parcel for parcel in parcels if parcel.lapses_at is not None and parcel.lapses_at <= now]
    if lapsed:
        _drop(lapsed, "lapsed", now)
        parcels = [parcel for parcel in parcels if parcel not in lapsed]
    _learn_templates(books, parcels)
    return parcels


def _learn_templates(books: Books, parcels: Iterable[Parcel]) -> None:
    wanted = {
        (parcel.account_id, parcel.template_id)
        for parcel in parcels
        if parcel.template_id is not None and not books.printer.knows(parcel.account_id, parcel.template_id)
    }
    for account_id, template_id in wanted:
        row = db.session.scalars(select(MailTemplate).where(MailTemplate.account_id == account_id, MailTemplate.id == template_id)).one()
        boundary = f"=_{row.key[:32]}"
        books.printer.learn(
            account_id,
            template_id,
            compose.Wording(row.subject, row.text, row.html, row.from_name, row.from_email, row.feedback_id, row.one_click, boundary),
        )


def release(books: Books, parcels: Iterable[Parcel]) -> None:
    """Give claims back untouched."""
    db.session.connection().execute(statements.RELEASE, {"ids": [parcel.id for parcel in parcels], "token": books.token})


def renew(books: Books, now: datetime) -> None:
    """Another lease for everything this run holds."""
    db.session.connection().execute(statements.RENEW, {"token": books.token, "until": now + lease()})


# --- intents ------------------------------------------------------------------------------------------------------


def begin(books: Books, parcels: Sequence[Parcel], now: datetime) -> list[Parcel]:
    """Mark claimed messages `sending`, having read stops and batches again in this very transaction. Returns those that go.

    The rows are locked before the stops are read, and a stop drops waiting rows in its own transaction, so one of the two sees
    the other: after a stop is committed no SMTP transaction starts for its address.
    """
    if not parcels:
        return []
    if heard(MessagesAboutToLeave):
        for account_id, mine in _by_account(parcels):
            with tenancy.account_scope(account_id):
                publish(MessagesAboutToLeave(account_id, tuple(parcel.fate() for parcel in mine), now))
    parcels = _above_the_floor(books, parcels, now)
    if not parcels:
        return []
    connection = db.session.connection()
    these = {"ids": [parcel.id for parcel in parcels], "token": books.token}
    done = connection.execute(statements.BEGIN, {**these, "now": now, "until": now + lease()})
    going = list(parcels)
    if done.rowcount < len(parcels):
        begun = set(connection.execute(statements.BEGUN, these).scalars())
        going = [parcel for parcel in parcels if parcel.id in begun]
        release(books, [parcel for parcel in parcels if parcel.id not in begun])
    stopped = _stopped(going, now)
    for reason in set(stopped.values()):
        _drop([parcel for parcel in going if stopped.get(parcel.id) == reason], reason, now)
    return [parcel for parcel in going if parcel.id not in stopped]


def _above_the_floor(books: Books, parcels: Sequence[Parcel], now: datetime) -> list[Parcel]:
    """Those without another survey message to the same person in the last 24 hours; the others wait until these are over."""
    surveys = [parcel for parcel in parcels if parcel.kind in rules.SURVEY_KINDS]
    if not surveys:
        return list(parcels)
    given = {
        "accounts": list({parcel.account_id for parcel in surveys}),
        "keys": list({parcel.to_key for parcel in surveys}),
        "kinds": list(rules.SURVEY_KINDS),
        "ids": [parcel.id for parcel in surveys],
        "since": now - rules.HARD_FLOOR,
    }
    asked = {(row[0], row[1]): row[2] for row in db.session.connection().execute(statements.ASKED_LATELY, given)}
    going: list[Parcel] = []
    waiting: list[tuple[Parcel, str]] = []
    for parcel in parcels:
        who = (parcel.account_id, parcel.to_key)
        if parcel.kind in rules.SURVEY_KINDS and who in asked:
            until = asked[who] + rules.HARD_FLOOR
            db.session.connection().execute(
                statements.PUT_OFF, {"ids": [parcel.id], "token": books.token, "until": until, "reason": "hard_floor"}
            )
            waiting.append((parcel, "hard_floor"))
            continue
        if parcel.kind in rules.SURVEY_KINDS:
            asked[who] = now
        going.append(parcel)
    if waiting:
        _tell(now, deferred=waiting)
    return going


def _stopped(parcels: Sequence[Parcel], now: datetime) -> dict[UUID, str]:
    """Reason by message for those that a stop covers."""
    wanted: dict[tuple[UUID, str], list[Parcel]] = {}
    for parcel in parcels:
        for key in queries.suppression_keys(parcel.to_email, parcel.to_key):
            wanted.setdefault((parcel.account_id, key), []).append(parcel)
    given = {"accounts": list({account_id for account_id, _ in wanted}), "keys": list({key for _, key in wanted}), "now": now}
    reasons: dict[UUID, str] = {}
    for account_id, key, reason in db.session.connection().execute(statements.STOPS, given):
        for parcel in wanted.get((account_id, key), ()):
            if parcel.kind not in queueing.PERSONAL or reason in rules.PERSONAL_REPLY_STOPPED_BY:
                reasons[parcel.id] = reason
    return reasons


def _drop(parcels: Sequence[Parcel], reason: str, now: datetime) -> None:
    db.session.execute(
        update(Message)
        .where(Message.id.in_([parcel.id for parcel in parcels]))
        .values(state=MessageState.DROPPED.value, reason=reason, finished_at=now, lease_token=None, lease_until=None),
        execution_options=_NO_SYNC,
    )
    _tell(now, dropped=[(parcel, reason) for parcel in parcels])


def set_aside(parcel: Parcel, problem: str, now: datetime) -> None:
    """A message that cannot be made into a mail fails with its reason and stops no other."""
    log.error("message set aside", message=str(parcel.id), account=str(parcel.account_id), problem=problem)
    db.session.execute(
        update(Message)
        .where(Message.id == parcel.id)
        .values(
            state=MessageState.FAILED.value,
            reason="set_aside",
            server_text=problem[:300],
            finished_at=now,
            lease_token=None,
            lease_until=None,
        ),
        execution_options=_NO_SYNC,
    )
    _tell(now, failed=[(parcel, "set_aside")])


# --- outcomes -----------------------------------------------------------------------------------------------------


def settle(books: Books, results: Sequence[tuple[Parcel, Reply]], now: datetime) -> None:
    """Record what became of messages: state, effect on the address, effect on the way out; tell the listeners."""
    sent: list[Parcel] = []
    told: dict[str, list[tuple[Parcel, str]]] = {"sent": [], "unknown": [], "failed": [], "deferred": []}
    for parcel, reply in results:
        verdict = rules.decide(reply, second_try=parcel.reason == "protocol")
        if verdict.state is MessageState.SENT:
            sent.append(parcel)
            continue
        state, reason = _record(books, parcel, reply, verdict, now)
        if state is not None and state.value in told:
            told[state.value].append((parcel, reason))
    told["sent"] = [(parcel, "") for parcel in _record_sent(books, sent, now)]
    _tell(now, **told)
    # suppressing publishes on its own, so it comes after the message's own fate
    for parcel, reply in results:
        verdict = rules.decide(reply, second_try=parcel.reason == "protocol")
        if verdict.address is not AddressEffect.NONE or verdict.lane is not LaneEffect.NONE:
            with tenancy.account_scope(parcel.account_id):
                _effects(books, parcel, reply, verdict, now)


def _record_sent(books: Books, parcels: list[Parcel], now: datetime) -> list[Parcel]:
    if not parcels:
        return []
    # also what was declared unknown while this worker was thought dead: its word proves that the message left
    connection = db.session.connection()
    given = {"ids": [parcel.id for parcel in parcels], "token": books.token, "now": now}
    if connection.execute(statements.SENT, given).rowcount == len(parcels):
        return parcels
    recorded = set(connection.execute(statements.RECORDED, given).scalars())
    return [parcel for parcel in parcels if parcel.id in recorded]


def _record(books: Books, parcel: Parcel, reply: Reply, verdict: Verdict, now: datetime) -> tuple[MessageState | None, str]:
    """One message that was not simply sent. Returns (its state, the reason), or (None, "") when it is no longer ours."""
    state, reason, due_at = verdict.state, verdict.reason, now
    if state is MessageState.DEFERRED and not verdict.again:
        again = rules.next_try(parcel.tries + 1, parcel.first_try_at or now, now, ids.bucket(f"{parcel.id}:{parcel.tries}", 1001))
        if again is None:
            state, reason = MessageState.FAILED, "gave_up"
        else:
            due_at = again
    enhanced = reply.enhanced
    done = db.session.execute(
        update(Message)
        .where(Message.id == parcel.id, Message.state.in_(("sending", "claimed")), Message.lease_token == books.token)
        .values(
            state=state.value,
            reason=reason,
            due_at=due_at,
            phase=reply.phase.value,
            smtp_code=reply.code or None,
            enhanced_code=".".join(map(str, enhanced)) if enhanced else None,
            server_text=reply.text.replace("\x00", "")[:300],
            finished_at=now if state in rules.ENDED else None,
            lease_token=None,
            lease_until=None,
        ),
        execution_options=_NO_SYNC,
    )
    return (state, reason) if done.rowcount else (None, "")  # type: ignore[attr-defined]


def _effects(books: Books, parcel: Parcel, reply: Reply, verdict: Verdict, now: datetime) -> None:
    if verdict.address is AddressEffect.HARD:
        stops.suppress(parcel.to_email, SuppressionReason.BOUNCED, "bounce", contact_id=parcel.contact_id)
    elif verdict.address is AddressEffect.SOFT and parcel.reason != "mailbox_full":
        # a full mailbox counts once for a message, however often it is tried
        stops.count_soft(parcel.to_email)
    if verdict.reason in ("bounced", "refused"):
        books.bounced.add(parcel.account_id)
    if verdict.lane in (LaneEffect.SLOW, LaneEffect.RECONNECT):
        _slow_down(books, parcel, now)
    elif verdict.lane is LaneEffect.SENDER:
        state = sending_state()
        state.sender_refusals += 1
        if state.sender_refusals >= HELD_AFTER and not state.held:
            hold("sender_not_ready")
            books.restricted.add(parcel.account_id)
    elif verdict.lane is LaneEffect.CONTENT and parcel.batch_id is not None:
        batch = queries.get_batch(parcel.batch_id)
        batch.content_refusals += 1
        if batch.content_refusals >= CONTENT_REFUSALS and batch.state == "running":
            batch.state, batch.reason, batch.changed_at = "paused", "content_refused", now
            db.session.flush()
            publish(BatchPaused(parcel.account_id, batch.id, "content_refused", now))
    elif verdict.lane in (LaneEffect.PROTOCOL, LaneEffect.OFF):
        log.error("mail server and we do not understand each other", phase=reply.phase.value, code=reply.code)


def _slow_down(books: Books, parcel: Parcel, now: datetime) -> None:
    provider = parcel.provider
    row = db.session.scalars(select(ProviderPace).where(ProviderPace.provider == provider)).first()
    base = settings.current().mail_pace_provider or 10.0
    pace = rules.halved(rules.pace_now(base, row.slowed_to if row else None, row.slowed_at if row else None, now))
    if row is None:
        row = ProviderPace(provider=provider, slowed_to=pace, slowed_at=now)
        db.session.add(row)
    row.slowed_to, row.slowed_at = pace, now
    db.session.flush()
    books.slowed[parcel.account_id, provider] = (pace, now)


def _by_account(parcels: Iterable[Parcel]) -> list[tuple[UUID, list[Parcel]]]:
    found: dict[UUID, list[Parcel]] = {}
    for parcel in parcels:
        found.setdefault(parcel.account_id, []).append(parcel)
    return list(found.items())


def _tell(now: datetime, **fates: list[tuple[Parcel, str]]) -> None:
    """MessagesSettled for each account, in its scope."""
    if not heard(MessagesSettled):
        return
    by_account: dict[UUID, dict[str, list[Fate]]] = {}
    for name, found in fates.items():
        for parcel, reason in found:
            by_account.setdefault(parcel.account_id, {}).setdefault(name, []).append(parcel.fate(reason))
    for account_id, named in by_account.items():
        with tenancy.account_scope(account_id):
            publish(_settled(account_id, now, named))


def _settled(account_id: UUID, now: datetime, named: dict[str, list[Fate]]) -> MessagesSettled:
    sent, unknown, failed, deferred, dropped = (tuple(named.get(name, ())) for name in _ENDS)
    return MessagesSettled(account_id, sent, unknown, failed, deferred, dropped, now)


# --- the account and the way out ----------------------------------------------------------------------------------


def sending_state() -> SendingState:
    """The row of the account in scope, made when there is none."""
    state = queries.find_sending_state()
    if state is None:
        state = SendingState(standing=Standing.GOOD.value, sender_refusals=0, held="")
        db.session.add(state)
        db.session.flush()
    return state


def hold(reason: str) -> None:
    """Nothing but typed replies and asked-for mails leaves this account until `resume_account`."""
    now = clock.now()
    state = sending_state()
    state.held = reason
    db.session.flush()
    publish(SendingPaused(tenancy.current(), reason, 0, 0, 0, now))


def resume_account() -> None:
    """The operator lets the account send again; bounces are counted from now on."""
    now = clock.now()
    state = sending_state()
    state.held, state.sender_refusals = "", 0
    state.standing, state.standing_at, state.counted_from = Standing.GOOD.value, now, now
    db.session.flush()
    queueing.wake()


def check_standing(now: datetime) -> Standing:
    """Bounces and complaints of the account's last seven days against the thresholds. A pause is lifted by the operator only."""
    state = sending_state()
    since = max(now - STANDING_WINDOW, state.counted_from or now - STANDING_WINDOW)
    refused = (Message.state == MessageState.FAILED) & Message.reason.in_(("bounced", "refused"))
    bounced = (Message.state == MessageState.BOUNCED) | refused
    counted = (Message.finished_at >= since, Message.state != MessageState.DROPPED, Message.kind.not_in(queueing.PERSONAL))
    row = db.session.execute(
        select(
            func.count(distinct(Message.to_key)),
            func.sum(case((bounced, 1), else_=0)),
            func.sum(case((Message.state == MessageState.COMPLAINED, 1), else_=0)),
        ).where(*counted)
    ).one()
    recipients, bounces, complaints = row[0] or 0, row[1] or 0, row[2] or 0
    found = rules.standing(recipients, bounces, complaints)
    if state.standing == Standing.PAUSED or found == state.standing:
        return Standing(state.standing)
    state.standing, state.standing_at = found.value, now
    db.session.flush()
    account_id = tenancy.current()
    if found is Standing.PAUSED:
        publish(SendingPaused(account_id, "account_paused", recipients, bounces, complaints, now))
    elif found is Standing.WARNED:
        publish(SendingWarned(account_id, recipients, bounces, complaints, now))
    return found


def lane(name: str, now: datetime) -> MailLane:
    """The row of a way out, made when there is none."""
    row = db.session.get(MailLane, name)
    if row is None:
        # two senders may begin at once: the second takes the row of the first
        _put_lane(name=name, state="up", failures=0, probe_at=None, words="", changed_at=now)
        row = db.session.get_one(MailLane, name)
    return row


def lane_open(name: str, now: datetime) -> bool:
    """May letters be tried on this way out? When it is down, every 60 seconds once."""
    row = lane(name, now)
    if row.state == "up":
        return True
    if row.state == "off" or row.probe_at is None or row.probe_at > now:
        return False
    row.probe_at = now + PROBE_EVERY
    db.session.flush()
    return True


def lane_worked(name: str, now: datetime) -> None:
    row = lane(name, now)
    if row.state != "up" or row.failures:
        log.info("mail server reachable", lane=name)
        row.state, row.failures, row.probe_at, row.words, row.changed_at = "up", 0, None, "", now
        db.session.flush()


def lane_reset(name: str, now: datetime) -> None:
    """A worker starts with settings read anew: a password refused before is worth another try."""
    row = lane(name, now)
    if row.state == "off":
        row.state, row.failures, row.changed_at = "up", 0, now
        db.session.flush()


def unreachable(books: Books, name: str, reply: Reply, parcel: Parcel | None, now: datetime) -> bool:
    """A connection could not be made ready. The message that was to use it is put off, or stays queued when our password is
    refused. True when the way out is closed for now: after five failures in a row, or at once for the password."""
    verdict = rules.decide(reply)
    row = lane(name, now)
    row.failures += 1
    row.words = reply.text[:300]
    down = verdict.lane is LaneEffect.DOWN and row.failures >= DOWN_AFTER
    off = verdict.lane is LaneEffect.OFF
    if down or off:
        state = "off" if off else "down"
        if row.state != state:
            log.error("mail server not usable", lane=name, state=state, phase=reply.phase.value, code=reply.code)
            row.state, row.changed_at = state, now
        row.probe_at = now + PROBE_EVERY if down else None
        if down:
            queueing.wake(row.probe_at)
    db.session.flush()
    if parcel is not None:
        if verdict.state is MessageState.QUEUED:
            release(books, [parcel])
        else:
            _put_off(books, parcel, reply, verdict, now)
    return down or off


def _put_off(books: Books, parcel: Parcel, reply: Reply, verdict: Verdict, now: datetime) -> None:
    db.session.execute(
        update(Message)
        .where(Message.id == parcel.id)
        .values(tries=Message.tries + 1, first_try_at=func.coalesce(Message.first_try_at, now)),
        execution_options=_NO_SYNC,
    )
    state, reason = _record(books, parcel, reply, verdict, now)
    if state is not None:
        _tell(now, **{state.value: [(parcel, reason)]})


# --- what others left behind --------------------------------------------------------------------------------------


def take_back(now: datetime) -> tuple[int, int]:
    """Leases that are over: `claimed` messages are queued again, `sending` ones are `unknown` from now on and never sent again by
    themselves. Returns how many of each."""
    ended = Message.lease_until < now
    done = db.session.execute(
        update(Message)
        .where(Message.state == MessageState.CLAIMED, ended)
        .values(state=MessageState.QUEUED.value, lease_token=None, lease_until=None),
        execution_options=_NO_SYNC,
    )
    rows = db.session.execute(
        update(Message)
        .where(Message.state == MessageState.SENDING, ended)
        .values(state=MessageState.UNKNOWN.value, reason="unknown", finished_at=now, lease_token=None, lease_until=None)
        .returning(*_FATE),
        execution_options=_NO_SYNC,
    ).all()
    by_account: dict[UUID, list[Fate]] = {}
    for row in rows:
        by_account.setdefault(row[0], []).append(Fate(row[1], row[2], row[3], row[4], row[5], "unknown"))
    for account_id, fates in by_account.items():
        with tenancy.account_scope(account_id):
            publish(_settled(account_id, now, {"unknown": fates}))
    return done.rowcount, len(rows)  # type: ignore[attr-defined]


def lapse(now: datetime) -> int:
    """Messages that came too late are dropped. Returns how many."""
    query = (
        update(Message)
        .where(statements.WAITS, Message.lapses_at <= now)
        .values(state=MessageState.DROPPED.value, reason="lapsed", finished_at=now)
        .returning(*_FATE)
    )
    by_account: dict[UUID, list[Fate]] = {}
    for row in db.session.execute(query, execution_options=_NO_SYNC).all():
        by_account.setdefault(row[0], []).append(Fate(row[1], row[2], row[3], row[4], row[5], "lapsed"))
    for account_id, fates in by_account.items():
        with tenancy.account_scope(account_id):
            publish(_settled(account_id, now, {"dropped": fates}))
    return sum(map(len, by_account.values()))


def next_moment(now: datetime) -> datetime | None:
    """When there is something to do again: a message becomes due or a lease ends. What is due and held back is woken by its release."""
    due = db.session.scalar(select(func.min(Message.due_at)).where(statements.WAITS, Message.due_at > now))
    over = db.session.scalar(select(func.min(Message.lease_until)).where(statements.HELD))
    moments = [moment for moment in (due, over) if moment is not None]
    return max(min(moments), now) if moments else None


def sweep(now: datetime) -> None:
    """Every five minutes: dead claims, messages come too late, due messages without a job."""
    take_back(now)
    lapse(now)
    moment = next_moment(now)
    if db.session.scalar(select(Message.id).where(statements.DUE).limit(1), {"now": now}) is not None:
        queueing.wake()
    if moment is not None:
        queueing.wake(moment)


# --- the built-in mailbox -----------------------------------------------------------------------------------------


def keep_in_mailbox(mails: Iterable[tuple[str, str, bytes]], now: datetime) -> None:
    """Store (sender, recipient, bytes) in the built-in mailbox."""
    for mail_from, rcpt_to, data in mails:
        head = compose.header_of(data, "Message-ID", "Subject")
        db.session.add(
            MailboxMail(
                mail_from=mail_from, rcpt_to=rcpt_to, message_id=head["Message-ID"], subject=head["Subject"], received_at=now, data=data
            )
        )
    db.session.flush()


def empty_mailbox(before: datetime) -> int:
    """Forget mails of the built-in mailbox. Returns how many."""
    done = db.session.execute(delete(MailboxMail).where(MailboxMail.received_at < before))
    count: int = done.rowcount  # type: ignore[attr-defined]
    return count
