"""Facts about money and sign-ups come in: stored first, each once by its outside id, then settled.

Everything here may be called in any order and any number of times; the rows that follow are the same.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from nps.accounts import queries as accounts
from nps.core import clock, ids, tenancy
from nps.core.db import db, serialise
from nps.core.errors import Invalid
from nps.core.events import publish
from nps.core.money import CURRENCIES
from nps.referrals import queries
from nps.referrals.errors import BadAmount, SameIdOtherContent
from nps.referrals.events import ConversionAdjusted, ConversionRecorded
from nps.referrals.models import Adjustment, Conversion, ConversionRef, Friend, FriendEvent, PaymentWarning, Referral, Touch
from nps.referrals.rules.stripe_events import Binding, Ended, Fact, Hint, Keys, Sale, SameSale, Taken, Warned
from nps.referrals.service import attribution, friends

LARGEST = 2**53
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=5)
STRIPE = "stripe"
Refs = Iterable[tuple[str, str]]


def _alone() -> None:
    """Facts of one account are taken one after the other: a refund and its sale must see each other."""
    serialise(f"referral-facts:{tenancy.current()}")


def convert(
    source: str,
    external_id: str,
    *,
    gross: int,
    currency: str,
    occurred_at: datetime,
    keys: Keys,
    net: int | None = None,
    tax: int = 0,
    hints: Sequence[Hint] = (),
    refs: Refs = (),
    product: str = "",
    subscription: str = "",
    reason: str = "",
    strict: bool = True,
) -> Conversion:
    """Store one paid sale and give it to whoever brought the buyer. `net` is without tax and shipping (default gross - tax).

    The same id with the same content gives the first row again. With `strict`, other content raises SameIdOtherContent;
    providers repeat themselves with later times, so their first word stands. Raises BadAmount, Invalid.
    """
    now = clock.now()
    external_id, currency = _id(external_id), _currency(currency)
    net = gross - tax if net is None else net
    _check_amounts(gross, net, tax)
    _check_time(occurred_at, now)
    _alone()
    told = _hash(gross, net, tax, currency, occurred_at, product, subscription)
    known = queries.find_conversion(source, external_id)
    if known is not None:
        if strict and known.content_hash != told:
            raise SameIdOtherContent(
                "This sale was told before with another amount, time or product. The first word stands; nothing was changed."
            )
        return known
    friend = friends.resolve(keys, now)
    conversion = Conversion(
        source=source,
        external_id=external_id,
        content_hash=told,
        sale_id=_sale([*refs, (source, external_id)]),
        friend_id=friend.id,
        gross=gross,
        net=net,
        tax=tax,
        currency=currency,
        occurred_at=occurred_at,
        day=occurred_at.astimezone(ZoneInfo(accounts.get_account(tenancy.current()).time_zone)).date(),
        product=product[:255],
        subscription=subscription[:255],
        reason=reason[:40],
        received_at=now,
    )
    db.session.add(conversion)
    db.session.flush()
    _one_sale_counts(conversion.sale_id)
    _add_touches(friend, hints, occurred_at, now)
    attribution.settle(friend.id, now)
    publish(ConversionRecorded(tenancy.current(), conversion.id, conversion.referral_id, now))
    return conversion


def refund(source: str, conversion_external_id: str, external_id: str, *, amount: int, currency: str, occurred_at: datetime) -> Adjustment:
    """Money of a sale told by `source` went back. May come before the sale. Raises as `convert`."""
    now = clock.now()
    _check_amounts(amount, amount, 0)
    _check_time(occurred_at, now)
    _alone()
    known = db.session.scalar(
        select(Adjustment).where(Adjustment.source == source, Adjustment.kind == "refund", Adjustment.external_id == _id(external_id))
    )
    if known is not None and (known.amount, known.currency) != (amount, _currency(currency)):
        raise SameIdOtherContent("This refund was told before with another amount. The first word stands; nothing was changed.")
    return adjust(
        source,
        Taken(
            "refund",
            external_id,
            amount,
            currency,
            "succeeded",
            ((source, _id(conversion_external_id)),),
            occurred_at,
            now if known is None else known.heard_at,
            2,
        ),
    )


def adjust(source: str, taken: Taken) -> Adjustment:
    """Keep the newest version of a refund, credit note or dispute and settle the sale it is about.

    An older version (by the provider's time, then by how far the status is) never replaces a newer one.
    """
    now = clock.now()
    external_id, currency = _id(taken.external_id), _currency(taken.currency)
    if not 0 <= taken.amount < LARGEST:
        raise BadAmount("This is not an amount that can be refunded.")
    _alone()
    sale_id = _sale(taken.refs) if taken.refs else ids.new_id()
    row = db.session.scalar(
        select(Adjustment).where(Adjustment.source == source, Adjustment.kind == taken.kind, Adjustment.external_id == external_id)
    )
    if row is None:
        row = Adjustment(
            source=source,
            kind=taken.kind,
            external_id=external_id,
            sale_id=sale_id,
            amount=taken.amount,
            currency=currency,
            status=taken.status,
            gate_only=taken.gate_only,
            occurred_at=taken.occurred_at,
            heard_at=taken.heard_at,
            rank=taken.rank,
            received_at=now,
        )
        db.session.add(row)
    elif (taken.heard_at, taken.rank) > (row.heard_at, row.rank):
        row.amount, row.status, row.gate_only = taken.amount, taken.status, taken.gate_only
        row.heard_at, row.rank = taken.heard_at, taken.rank
        row.occurred_at = min(row.occurred_at, taken.occurred_at)
    else:
        return row
    db.session.flush()
    _settle_sale(row.sale_id, now)
    return row


def bind(source: str, binding: Binding) -> Friend:
    """A buyer is tied to evidence, perhaps by signing up. Settles the friend."""
    now = clock.now()
    _alone()
    friend = friends.resolve(binding.keys, now)
    if binding.signed_up:
        _add_event(friend, "signup", "", source, binding.object_id, binding.occurred_at, now)
    _add_touches(friend, binding.hints, binding.occurred_at, now)
    attribution.settle(friend.id, now)
    return friend


def sign_up(
    source: str,
    external_id: str,
    *,
    keys: Keys,
    occurred_at: datetime,
    click_id: str = "",
    code: str = "",
    advocate_id: UUID | None = None,
    event: str = "",
    method: str = "server_click",
) -> Friend:
    """The company's server says that somebody signed up, or (`event`) reached its own qualifying event.

    Evidence is a click id, a code, or the advocate named outright. Raises Invalid for a time or id that cannot be.
    """
    now = clock.now()
    _check_time(occurred_at, now)
    _alone()
    friend = friends.resolve(keys, now)
    _add_event(friend, "event" if event else "signup", event[:60], source, _id(external_id), occurred_at, now)
    if click_id:
        _add_touch(friend, Hint(method, "click", click_id, external_id), occurred_at, now)
    if code:
        _add_touch(friend, Hint("metadata_code", "code", code, external_id), occurred_at, now)
    if advocate_id is not None:
        link = queries.link_of(queries.get_advocate(advocate_id).id)
        _add_touch(friend, Hint("metadata_code", "code", link.code, external_id), occurred_at, now)
    attribution.settle(friend.id, now)
    return friend


def same_sale(refs: Refs) -> None:
    """Several outside ids name one sale: tie them together and settle what that changes."""
    now = clock.now()
    _alone()
    _settle_sale(_sale(refs), now)


def warn(source: str, warned: Warned) -> None:
    """The provider warned of fraud on a payment."""
    now = clock.now()
    _alone()
    sale_id = _sale(warned.refs)
    known = select(PaymentWarning).where(PaymentWarning.source == source, PaymentWarning.external_id == warned.external_id)
    if db.session.scalar(known) is None:
        db.session.add(PaymentWarning(source=source, external_id=warned.external_id, sale_id=sale_id, occurred_at=warned.occurred_at))
        db.session.flush()
    _settle_sale(sale_id, now)


def end(source: str, ended: Ended) -> None:
    """A subscription ended: the friend is no longer a live customer."""
    _alone()
    friend = friends.resolve(ended.keys, clock.now())
    friend.ended_at = max(t for t in (friend.ended_at, ended.occurred_at) if t is not None)


def take(source: str, fact: Fact) -> None:
    """Any fact a provider's event told."""
    if isinstance(fact, Sale):
        convert(
            source,
            fact.external_id,
            gross=fact.gross,
            net=fact.net,
            tax=fact.tax,
            currency=fact.currency,
            occurred_at=fact.occurred_at,
            keys=fact.keys,
            hints=fact.hints,
            refs=fact.refs,
            product=fact.product,
            subscription=fact.subscription,
            reason=fact.reason,
            strict=False,
        )
    elif isinstance(fact, Taken):
        adjust(source, fact)
    elif isinstance(fact, Binding):
        bind(source, fact)
    elif isinstance(fact, SameSale):
        same_sale(fact.refs)
    elif isinstance(fact, Warned):
        warn(source, fact)
    else:
        end(source, fact)


def credit_by_hand(friend_id: UUID, advocate_id: UUID, actor: str, reason: str) -> Referral | None:
    """A member decides who brought a friend. The reason is kept with the touch. Raises Invalid without one."""
    if not reason.strip():
        raise Invalid("Say why. The reason is kept with the decision.", fields={"reason": "Say why."})
    now = clock.now()
    _alone()
    advocate = queries.get_advocate(advocate_id)
    db.session.add(
        Touch(
            friend_id=friend_id,
            advocate_id=advocate.id,
            method="manual",
            evidence_kind="member",
            evidence=actor[:255],
            object_id=f"{reason.strip()[:200]} {ids.new_token(6)}",
            occurred_at=now,
            created_at=now,
        )
    )
    db.session.flush()
    return attribution.settle(friend_id, now, force=True)


def credit_to(friend_id: UUID, named: str, actor: str, reason: str) -> Referral | None:
    """Credit by hand to whoever an address or a code names. Raises Invalid when nobody does."""
    advocate = queries.advocate_named(named.strip())
    if advocate is None:
        words = "Nobody with this address or code shares your program."
        raise Invalid(f"{words} Nothing was changed.", fields={"advocate": words})
    return credit_by_hand(friend_id, advocate.id, actor, reason)


def attribute_again(friend_id: UUID) -> Referral | None:
    """The button of "Sales without a source": try once more, sales of any age included."""
    _alone()
    return attribution.settle(friend_id, clock.now(), force=True)


def _sale(refs: Refs) -> UUID:
    """The sale these outside ids name. Ids that named different sales until now become one."""
    wanted = list(dict.fromkeys((kind, value[:255]) for kind, value in refs if value))
    known = {
        (kind, value): row
        for kind, value in wanted
        if (row := db.session.scalar(select(ConversionRef).where(ConversionRef.kind == kind, ConversionRef.value == value))) is not None
    }
    sales = sorted({row.sale_id for row in known.values()})
    sale_id = sales[0] if sales else ids.new_id()
    for other in sales[1:]:
        for table in (ConversionRef, Conversion, Adjustment, PaymentWarning):
            db.session.execute(update(table).where(table.sale_id == other).values(sale_id=sale_id))
    for kind, value in wanted:
        if (kind, value) not in known:
            db.session.add(ConversionRef(kind=kind, value=value, sale_id=sale_id))
    db.session.flush()
    if len(sales) > 1:
        _one_sale_counts(sale_id)
    return sale_id


def _one_sale_counts(sale_id: UUID) -> None:
    """Of several conversions about the same money one counts: Stripe's before others, then the earlier id."""
    rows = db.session.scalars(select(Conversion).where(Conversion.sale_id == sale_id)).all()
    rows = sorted(rows, key=lambda c: (c.source != STRIPE, not c.external_id.startswith("in_"), c.occurred_at, c.external_id))
    for n, row in enumerate(rows):
        row.duplicate = n > 0
    db.session.flush()


def _settle_sale(sale_id: UUID, now: datetime) -> None:
    """Weigh again whoever a sale concerns and tell that it changed."""
    sales = db.session.scalars(select(Conversion).where(Conversion.sale_id == sale_id)).all()
    for friend_id in sorted({c.friend_id for c in sales}):
        attribution.settle(friend_id, now)
    for conversion in sales:
        if not conversion.duplicate:
            publish(ConversionAdjusted(tenancy.current(), conversion.id, conversion.referral_id, now))


def _add_touches(friend: Friend, hints: Sequence[Hint], occurred_at: datetime, now: datetime) -> None:
    for hint in hints:
        _add_touch(friend, hint, occurred_at, now)


def _add_touch(friend: Friend, hint: Hint, occurred_at: datetime, now: datetime) -> None:
    """Keep a piece of evidence once. A click's own time is taken when the click is known."""
    value, object_id = hint.value[:255], hint.object_id[:255]
    known = select(Touch).where(
        Touch.friend_id == friend.id, Touch.method == hint.method, Touch.evidence == value, Touch.object_id == object_id
    )
    if db.session.scalar(known) is not None:
        return
    touch = Touch(
        friend_id=friend.id,
        advocate_id=None,
        method=hint.method,
        evidence_kind=hint.kind,
        evidence=value,
        object_id=object_id,
        occurred_at=occurred_at,
        created_at=now,
    )
    attribution.identify(touch)
    db.session.add(touch)
    db.session.flush()


def _add_event(friend: Friend, kind: str, name: str, source: str, external_id: str, occurred_at: datetime, now: datetime) -> None:
    external = f"{name}:{external_id}" if name else external_id
    known = select(FriendEvent).where(FriendEvent.source == source, FriendEvent.kind == kind, FriendEvent.external_id == external[:255])
    if db.session.scalar(known) is None:
        db.session.add(
            FriendEvent(
                friend_id=friend.id,
                kind=kind,
                name=name,
                source=source,
                external_id=external[:255],
                occurred_at=occurred_at,
                created_at=now,
            )
        )
        db.session.flush()


def _id(external_id: str) -> str:
    text = external_id.strip()
    if not text or len(text) > 255 or "\x00" in text:
        raise Invalid("Each sale needs an id of its own, 1 to 255 characters.", fields={"external_id": "1 to 255 characters."})
    return text


def _currency(currency: str) -> str:
    code = currency.upper()
    if code not in CURRENCIES:
        raise BadAmount(f"“{currency[:10]}” is not a currency.", fields={"currency": "Use an ISO code such as USD."})
    return code


def _check_amounts(gross: int, net: int, tax: int) -> None:
    for name, value in (("amount", gross), ("net", net), ("tax", tax)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadAmount("Amounts are whole numbers of the smallest unit.", fields={name: "A whole number of cents."})
    if not 0 < gross < LARGEST:
        raise BadAmount("The amount must be above 0.", fields={"amount": "Above 0, in the smallest unit."})
    if not 0 <= net <= gross or not 0 <= tax <= gross:
        raise BadAmount("Tax and net lie between 0 and the amount.", fields={"tax": "Between 0 and the amount."})


def _check_time(occurred_at: datetime, now: datetime) -> None:
    if occurred_at.tzinfo is None or not OLDEST <= occurred_at <= now + AHEAD:
        raise Invalid("The time lies before 2000 or in the future.", fields={"occurred_at": "Between 2000 and now, with its time zone."})


def _hash(*parts: object) -> str:
    plain = [p.astimezone(UTC).isoformat() if isinstance(p, datetime) else p for p in parts]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()
