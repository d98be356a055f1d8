"""The survey link: the page that is opened, the answer that is sent. A GET keeps a hit and nothing else."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request

from nps.accounts import rules as brands
from nps.core import clock, ids
from nps.core.errors import Gone, NotFound
from nps.delivery import queries as delivery
from nps.responses import pages, queries, rules, service
from nps.responses.errors import NotTaken
from nps.responses.queries import Link
from nps.responses.rules import Seen, Sent, State
from nps.web import current, headers
from nps.web.unit import keep_changes

blueprint = Blueprint("responses_public", __name__)
NO_NUMBER = "Choose a number from 0 to 10."
OPEN_LONG = "This page was open for a long time. Press Send once more."


def open_link(*, lock: bool = False) -> Link:
    """The link of this request. Raises NotFound (deleted), Gone (its person was erased)."""
    link = queries.open_link(current.object_id(), lock=lock)
    if link.erased:
        raise Gone("This survey has closed.", code="erased")
    if link.survey_version_id is None:
        raise NotFound
    return link


def closed(link: Link | None) -> Any:
    """The page for a link whose time is over; without a date and a name for a person who was erased."""
    keep_changes()
    return render_template("responses/expired.html", link=link), 410


@blueprint.get("/s/<token>")
def survey(token: str) -> Any:
    """The page with the clicked number chosen. A bad number chooses nothing."""
    try:
        link = open_link()
    except Gone:
        return closed(None)
    hit = this_hit("view", rules.read_score(request.args.get("score")))
    service.look(link, hit, timed=behind_a_server())
    return page(token, link, hit)


def page(token: str, link: Link, hit: Seen, *, typed: dict[str, Any] | None = None, error: str = "", status: int = 200) -> Any:
    """The survey page: empty, with the clicked number, with the answer given before, with what was typed, or one more tap."""
    now, standing, score = hit.occurred_at, link.standing, hit.score
    answered = standing if standing is not None and standing.state in (State.VERIFIED, State.LEFT_OUT, State.WITHDRAWN) else None
    if answered is None and not service.is_open(link, now):
        return closed(link)
    if standing is not None and typed is None and wants_one_more_tap(link, hit):
        return one_more_tap(token, link, error, status)
    if answered is not None and (answered.state == State.WITHDRAWN or not rules.may_edit(answered.verified_at, answered.acted_at, now)):
        keep_changes()
        return render_template("responses/read_only.html", link=link, answered=answered, **frame(token, link)), status
    if answered is None and typed is None:
        return fresh(token, link, score), status
    kept = typed or {"why": answered.comment if answered else "", "reply": answered.wants_reply if answered else False}
    chosen = score if score is not None else answered.score if answered else None
    return render_template(
        "responses/survey.html",
        name=link.called,
        answered=answered,
        chosen=chosen,
        clicked=score is not None and typed is None,
        typed=kept,
        error=error,
        why=why_words(queries.wording(version_of(link)), chosen),
        form_nonce=new_nonce(token),
        **frame(token, link),
    ), status


def fresh(token: str, link: Link, score: int | None) -> str:
    """The page of somebody who has not answered yet."""
    account, named = current.account, bool(link.called)
    company = (account.id, account.name, account.brand_color, account.on_brand, account.postal_address)
    key = (*company, link.survey_version_id, score, named, link.channel, link.contact_id is not None)

    def draw() -> str:
        return render_template(
            "responses/survey.html",
            name=pages.MARKS["name"] if named else "",
            answered=None,
            chosen=score,
            clicked=score is not None,
            typed={"why": "", "reply": False},
            error="",
            why=why_words(queries.wording(version_of(link)), score),
            form_nonce=pages.MARKS["form"],
            **frame(pages.MARKS["token"], link),
        )

    return pages.spliced(key, draw, headers.csp_nonce(), token=token, form=new_nonce(token), name=link.called)


def version_of(link: Link) -> Any:
    """The survey version of a link that `open_link` let through."""
    return link.survey_version_id


def frame(token: str, link: Link) -> dict[str, Any]:
    """What the sheet around every page of a link shows: the survey's own colours, the stop link, the way to the survey."""
    words = queries.wording(version_of(link))
    color, language = words.get("brand_color"), words.get("language", "en")
    return {
        "token": token,
        "words": words,
        "brand": brands.readable_brand(color) if color else None,
        "stop_url": f"/s/{token}/stop" if link.contact_id is not None and link.channel == "email" else None,
        "lang": language,
        "rtl": language.split("-")[0] in ("ar", "fa", "he", "ur"),
    }


def one_more_tap(token: str, link: Link, error: str, status: int) -> Any:
    """An empty scale after an answer that looked automatic; the words are kept."""
    attempt = queries.last_version(link.standing.response_id) if link.standing else None
    signals = [rules.read_signal(stored) for stored in (link.standing.signals if link.standing else []) if stored[:1] in "SW"]
    hurry = next((signal for signal in signals if signal.name in ("S5", "W3")), None)
    return render_template(
        "responses/one_more_tap.html",
        link=link,
        comment=attempt.comment if attempt else "",
        hurry=hurry.figures[0] if hurry else None,
        error=error,
        form_nonce=new_nonce(token),
        **frame(token, link),
    ), status


def wants_one_more_tap(link: Link, hit: Seen) -> bool:
    """Does the answer wait for its number to be picked again: one that looks automatic, or an attempt to change one in this visit?"""
    standing = link.standing
    if standing is None or standing.state == State.PROVISIONAL:
        return False
    if standing.state == State.QUARANTINED:
        return "confirmed" not in standing.signals
    attempt = queries.last_version(standing.response_id)
    if attempt is None or attempt.way != "machine" or hit.occurred_at - attempt.occurred_at >= rules.VISIT:
        return False
    recent = queries.recent_hits(link.invitation_id, attempt.occurred_at)
    return any(h.kind == "post" for h in rules.visit(recent, hit.network, hit.user_agent, hit.occurred_at))


def why_words(wording: dict[str, Any], score: int | None) -> str:
    """The question for the reason: the one of the number's group; without a number the passives' one."""
    group = "passive" if score is None or 7 <= score <= 8 else "promoter" if score >= 9 else "detractor"
    return str(wording[f"why_{group}"])


@blueprint.get("/s/<token>/blank")
def hidden(token: str) -> Any:
    """The link in the mail that people cannot see: whoever opens it is a program."""
    service.look(queries.open_link(current.object_id()), this_hit("hidden", None), timed=behind_a_server())
    return ""


@blueprint.get("/s/<token>/stop")
def stop(token: str) -> Any:
    """On to the page that stops survey mail to this person; nothing has changed by going there."""
    messages = delivery.list_messages("invitation", [open_link().invitation_id])
    if not messages:
        raise NotFound
    return redirect(f"/u/{ids.sign('stop', messages[0].account_id, messages[0].id)}", 302)


@blueprint.post("/s/<token>")
def answer(token: str) -> Any:
    """Take the answer and go on to the thanks; what cannot be taken comes back as it was typed."""
    try:
        link = open_link(lock=True)
    except Gone:
        return closed(None)
    typed = {"why": request.form.get("why", ""), "reply": request.form.get("reply") == "1"}
    try:
        service.refuse_closed(link, clock.now())
        given, sent = read_form(token, link, typed)
        state = service.record(link, given, sent, timed=behind_a_server())
    except NotTaken as error:
        service.refuse_flood(link, clock.now())
        hit = this_hit("post", rules.read_score(request.form.get("score")))
        service.look(link, hit, timed=False)
        keep_changes()
        return page(token, link, hit, typed=typed, error=error.message, status=error.status)
    except Gone as error:
        return page(token, link, this_hit("post", None), status=410) if error.code == "edits_over" else closed(link)
    return redirect(f"/s/{token}" if state is State.QUARANTINED else f"/s/{token}/thanks", 303)


@blueprint.post("/s/<token>/check")
def check(token: str) -> Any:
    """The number picked once more after an answer that looked automatic."""
    try:
        link = open_link(lock=True)
        score, served = rules.read_score(request.form.get("score")), read_nonce(token)
        if link.standing is None:
            return redirect(f"/s/{token}", 303)
        if score is None or served is None:
            keep_changes()
            service.refuse_flood(link, clock.now())
            service.look(link, this_hit("post", score), timed=False)
            return one_more_tap(token, link, NO_NUMBER if score is None else OPEN_LONG, 400)
        state = service.confirm(link, score, this_form(served, False), timed=behind_a_server())
    except Gone as error:
        return closed(None if error.code == "erased" else link)
    return redirect(f"/s/{token}" if state is State.QUARANTINED else f"/s/{token}/thanks", 303)


@blueprint.post("/s/<token>/seen")
def seen(token: str) -> Any:
    """What the page's script tells before it is left: the number chosen, the hand, the seconds in view."""
    try:
        link = open_link(lock=True)
    except Gone:
        return "", 204
    if read_nonce(token) is None:
        return "", 204
    service.refuse_flood(link, clock.now())
    visible = request.form.get("visible", "")
    hit = this_hit("seen", rules.read_score(request.form.get("score")))
    service.touch(link, hit, visible_seconds=int(visible[:6]) if visible[:6].isdecimal() else 0, timed=behind_a_server())
    return "", 204


def behind_a_server() -> bool:
    """Does a mail server stand between us and the reader? Not with the built-in mailbox."""
    return not current.settings().mail_url.startswith("mailbox:")


def this_hit(kind: str, score: int | None) -> Seen:
    """This request as a hit."""
    network = rules.network_of(request.remote_addr or "")
    agent = request.headers.get("User-Agent", "")[:300]
    return Seen(clock.now(), kind, request.method, score, network, agent, this_hand() if request.method == "POST" else None)


def this_hand() -> str | None:
    """How the page's script saw a person touch it; "" when it saw nobody, None when it did not run."""
    told = request.form.get("hand", "")
    return told if told in rules.HANDS else "" if told == "none" else None


def this_form(served: datetime | None, has_comment: bool) -> Sent:
    """This request as a form that came in."""
    hit = this_hit("post", None)
    return Sent(hit.occurred_at, hit.network, hit.user_agent, served, hit.hand, bool(request.form.get("website")), has_comment)


def read_form(token: str, link: Link, typed: dict[str, Any]) -> tuple[service.Answer, Sent]:
    """The answer and what tells a hand from a program. Raises NotTaken with a sentence."""
    score = rules.read_score(request.form.get("score"))
    if score is None:
        raise NotTaken(NO_NUMBER)
    comment = rules.clean_comment(typed["why"])
    if len(comment) > rules.COMMENT_LIMIT:
        over = len(comment) - rules.COMMENT_LIMIT
        raise NotTaken(
            f"Your reason has {len(comment):,} characters, {rules.COMMENT_LIMIT:,} fit. Shorten it by {over:,} and press Send once more."
        )
    served = read_nonce(token)
    if served is None:
        raise NotTaken(OPEN_LONG)
    return service.Answer(score, comment, typed["reply"]), this_form(served, bool(comment))


def new_nonce(token: str) -> str:
    """Bound to this link, good for 24 hours."""
    return ids.sign_text(f"survey-form:{token}", str(int(clock.now().timestamp() * 1000)))


def read_nonce(token: str) -> datetime | None:
    """When the page of this form was served; None when it is too old or not ours."""
    try:
        served = datetime.fromtimestamp(int(ids.unsign_text(f"survey-form:{token}", request.form.get("form", ""))) / 1000, UTC)
    except (ids.BadToken, ValueError, OverflowError, OSError):
        return None
    return served if clock.now() - served <= rules.NONCE_LIFE else None
