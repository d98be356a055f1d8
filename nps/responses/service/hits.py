"""Requests on links, kept as they came."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.sql import bindparam

from nps.campaigns import service as campaigns
from nps.core import ids
from nps.core.errors import TooMany
from nps.core.prepared import ACCOUNT, Prepared
from nps.jobs import outbox
from nps.responses import queries, rules
from nps.responses.models import Hit
from nps.responses.queries import Link
from nps.responses.rules import Seen, State, Verdict

_H = Hit.__table__
_KEEP = Prepared(insert(Hit))
_CONDEMN = Prepared(
    update(Hit)
    .where(
        _H.c.account_id == ACCOUNT,
        _H.c.invitation_id == bindparam("invitation"),
        _H.c.network == bindparam("from_network"),
        _H.c.user_agent == bindparam("agent"),
        _H.c.occurred_at >= bindparam("since"),
    )
    .values(verdict=Verdict.MACHINE.value)
)
_POSTS = Prepared(
    select(func.count())
    .select_from(_H)
    .where(
        _H.c.account_id == ACCOUNT,
        _H.c.invitation_id == bindparam("invitation"),
        _H.c.kind == "post",
        _H.c.occurred_at >= bindparam("since"),
    )
)
HOUR = timedelta(hours=1)
FLOODED = "This link was used very often. Wait an hour, then send once more. Nothing you sent before was lost."


def accepted_at(link: Link, timed: bool) -> datetime | None:
    """When a mail server took the message; None where times tell nothing: no server in between, a test."""
    return link.asked_at if timed and not link.is_test else None


def keep(link: Link, hit: Seen, verdict: Verdict, signals: Sequence[str] = ()) -> None:
    """Append a hit."""
    _KEEP(
        id=ids.new_id(),
        invitation_id=link.invitation_id,
        occurred_at=hit.occurred_at,
        kind=hit.kind,
        method=hit.method,
        score=hit.score,
        network=hit.network,
        user_agent=hit.user_agent,
        hand=hit.hand,
        verdict=verdict.value,
        signals=list(signals),
    )


def look(link: Link, hit: Seen, *, timed: bool) -> None:
    """Keep a request that opened a page, and what it looks like with what is known of its visit. Nothing is counted.

    A burst that comes after an answer was sent puts that answer up for another look, in a job: a GET decides nothing.
    """
    earlier = queries.recent_hits(link.invitation_id, hit.occurred_at - HOUR) if hit.score is not None else []
    verdict = rules.hit_verdict(earlier, hit, accepted_at=accepted_at(link, timed))
    keep(link, hit, verdict)
    if hit.score is not None and link.standing is None:
        _note_pick(link, hit, verdict, earlier)
    if verdict is Verdict.MACHINE and hit.method != "HEAD" and (earlier or hit.kind == "hidden"):
        here = rules.visit(
            earlier or queries.recent_hits(link.invitation_id, hit.occurred_at - HOUR), hit.network, hit.user_agent, hit.occurred_at
        )
        if here:
            _CONDEMN(invitation=link.invitation_id, from_network=hit.network, agent=hit.user_agent, since=here[0].occurred_at)
        if link.standing is not None and link.standing.state in (State.VERIFIED, State.PROVISIONAL):
            outbox.enqueue("responses.judge", {"response_id": str(link.standing.response_id)}, key=str(link.standing.response_id))


def _note_pick(link: Link, hit: Seen, verdict: Verdict, earlier: Sequence[Seen]) -> None:
    """Who picked a number gets no reminder; machines pick nothing, and a burst tells that the picks before it were theirs."""
    if verdict is not Verdict.MACHINE:
        if link.picked_at is None:
            campaigns.note_pick(link.invitation_id, hit.occurred_at)
    elif link.picked_at is not None and hit.occurred_at - link.picked_at < HOUR:
        seen = [*earlier, hit]
        verdicts = rules.judge(seen, accepted_at=None)
        if all(v is Verdict.MACHINE for one, v in zip(seen, verdicts, strict=True) if one.score is not None):
            campaigns.note_pick(link.invitation_id, None)


def refuse_flood(link: Link, now: datetime, hits: Sequence[Seen] | None = None) -> None:
    """Raises TooMany after 100 posts within the hour."""
    if hits is None or len(hits) >= queries.MOST_HITS:
        posts = _POSTS(invitation=link.invitation_id, since=now - HOUR).scalar_one()
    else:
        posts = sum(hit.kind == "post" for hit in hits)
    if posts >= rules.POSTS_AN_HOUR:
        raise TooMany(FLOODED, retry_after=3600)
