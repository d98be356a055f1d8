"""An answer that came as a reply to the survey mail: a number alone in the first line, the rest is the comment."""

from nps.core.errors import NotFound
from nps.delivery.events import ReplyReceived
from nps.responses import queries, rules
from nps.responses.queries import Link
from nps.responses.rules import Method, State
from nps.responses.service import taking
from nps.responses.service.taking import Answer

MAILS = ("invitation", "reminder")
"""What a message of a survey says that it belongs to."""


def take_reply(event: ReplyReceived) -> None:
    """Count the score of a reply to a survey, from the address that was asked, while the link is open; or add it as the comment.

    A score from a strange address counts for nobody. Words without a score become the comment only where there is none and
    edits are open; what else a reply starts is for followers of the same event.
    """
    if event.ref_kind not in MAILS or event.ref_id is None or not event.from_known:
        return
    try:
        link = queries.open_link(event.ref_id, lock=True)
    except NotFound:  # the survey was deleted meanwhile; the mail is still somebody's to read
        return
    if link.erased:
        return
    if event.score is not None:
        _score(link, event)
    elif link.standing is not None:
        _words(link, event)


def _score(link: Link, event: ReplyReceived) -> None:
    """A reply is a person's: it replaces what looked automatic, and edits what stands inside its window."""
    now, standing = event.occurred_at, link.standing
    words = rules.words_after_score(event.text)[: rules.COMMENT_LIMIT]
    answer = Answer(event.score or 0, words, standing.wants_reply if standing else False)
    if standing is None or standing.state in (State.QUARANTINED, State.PROVISIONAL):
        if taking.is_open(link, now):
            taking.take_from_person(link, answer, Method.REPLY, now)
    elif standing.state != State.WITHDRAWN and rules.may_edit(standing.verified_at, standing.acted_at, now):
        taking.take_from_person(link, Answer(answer.score, answer.comment or standing.comment, answer.wants_reply), Method.REPLY, now)


def _words(link: Link, event: ReplyReceived) -> None:
    standing = link.standing
    if standing is None or standing.comment or standing.state != State.VERIFIED or not event.text.strip():
        return
    if rules.may_edit(standing.verified_at, standing.acted_at, event.occurred_at):
        words = rules.clean_comment(event.text)[: rules.COMMENT_LIMIT]
        taking.take_from_person(link, Answer(standing.score, words, standing.wants_reply), Method.REPLY, event.occurred_at)
