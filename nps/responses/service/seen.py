"""A number picked on a page that a person touched and left without sending."""

from datetime import datetime, timedelta
from uuid import UUID

from nps.accounts import queries as accounts
from nps.core import clock, tenancy
from nps.core.db import db
from nps.jobs import outbox
from nps.responses import queries, rules
from nps.responses.models import Response
from nps.responses.queries import Link
from nps.responses.rules import Method, Seen, Signal, State, Verdict
from nps.responses.service import hits, taking
from nps.responses.service.taking import Answer

GRACE = timedelta(minutes=10)
"""So long a picked number waits for the button: the comment grace."""


def touch(link: Link, hit: Seen, *, visible_seconds: float, timed: bool) -> None:
    """Keep what the page's script tells: the score chosen, the hand that was there, how long the page was in view.

    A number with a hand makes the response provisional; `settle` looks again ten minutes later. Nothing typed is taken.
    """
    hits.keep(link, hit, Verdict.PERSON if hit.hand else Verdict.UNCLEAR, [f"visible {min(max(visible_seconds, 0), 86400):.0f}"])
    now, standing = hit.occurred_at, link.standing
    if hit.score is None or not hit.hand or link.quiet or not taking.is_open(link, now):
        return
    if standing is None:
        response = taking.create(link, Answer(hit.score), State.PROVISIONAL, Method.SEEN, [], now, partial=True)
    elif standing.state == State.PROVISIONAL:
        response = queries.get_response(standing.response_id)
        taking.say(response, Answer(hit.score), now)
        response.first_score = hit.score
    else:
        return
    found = _doubts(link, hit, visible_seconds, timed)
    response.signals = [signal.stored() for signal in found]
    outbox.enqueue("responses.settle", {"response_id": str(response.id)}, key=str(response.id), run_at=now + GRACE)


def _doubts(link: Link, hit: Seen, visible_seconds: float, timed: bool) -> list[Signal]:
    """What speaks against counting: signals of the visit, and the conditions of "seen" that are not met, as U1 and U2."""
    recent = queries.recent_hits(link.invitation_id, hit.occurred_at - hits.HOUR)
    sent = rules.Sent(hit.occurred_at, hit.network, hit.user_agent, None, hit.hand, False, False)
    found = rules.signals(recent, sent, accepted_at=hits.accepted_at(link, timed))
    return [*found, *rules.unseen(recent, sent, visible_seconds, accepted_at=hits.accepted_at(link, timed))]


def settle(response_id: UUID) -> None:
    """Ten minutes are over: the picked number counts if every condition was met and nothing speaks against it by now.

    With a strong signal it needs a check; else it stays picked and not sent, for a member to count. Twice changes nothing.
    """
    now = clock.now()
    response = db.session.get(Response, (tenancy.current(), response_id))
    if response is None or response.state != State.PROVISIONAL:
        return
    link = queries.open_link(response.invitation_id, lock=True)
    found = [rules.read_signal(stored) for stored in response.signals]
    burst = _later_burst(link, response.first_at)
    if burst or any(signal.strong for signal in found):
        response.state = State.QUARANTINED
        response.signals = [*response.signals, *([burst.stored()] if burst else [])]
    elif not found and accounts.get_account(response.account_id).count_seen:
        response.state = State.VERIFIED
        taking.keep_version(response, Method.SEEN, response.changed_at)
        taking.verified(response, link.quiet, now, counted_late=False)


def _later_burst(link: Link, since: datetime) -> Signal | None:
    """S1 or S2 in a visit of the person that went on after the number was picked."""
    recent = queries.recent_hits(link.invitation_id, since - hits.HOUR)
    for hand in [hit for hit in recent if hit.kind == "seen" and hit.hand]:
        last = max(hit.occurred_at for hit in recent if (hit.network, hit.user_agent) == (hand.network, hand.user_agent))
        sent = rules.Sent(last, hand.network, hand.user_agent, None, hand.hand, False, False)
        strong = [signal for signal in rules.signals(recent, sent, accepted_at=None) if signal.strong]
        if strong:
            return strong[0]
    return None
