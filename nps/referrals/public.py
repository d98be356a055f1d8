"""What a friend sees: the page behind a link, the claim, and pages of links that lead nowhere any more."""

import threading
import time
from collections import OrderedDict
from typing import Any
from uuid import UUID

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for

from nps.core import clock, ids
from nps.core.errors import Invalid, TooMany
from nps.referrals import queries, service
from nps.referrals.errors import OfferEnded
from nps.referrals.rules.clicks import parse_click_ref
from nps.referrals.service import visitors

blueprint = Blueprint("referral_link", __name__)

UNKNOWN_PER_MINUTE = 20


class Guesses:
    """Unknown codes per connection and minute, in memory: enough to slow somebody who tries them out."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, who: str) -> int:
        """One more by `who`; how many in the running minute."""
        now = time.monotonic()
        with self._lock:
            since, count = self._counts.pop(who, (now, 0))
            if now - since >= 60:
                since, count = now, 0
            self._counts[who] = (since, count + 1)
            while len(self._counts) > 10_000:
                self._counts.popitem(last=False)
        return count + 1

    def over(self, who: str) -> bool:
        since, count = self._counts.get(who, (0.0, 0))
        return count >= UNKNOWN_PER_MINUTE and time.monotonic() - since < 60


guesses = Guesses()


def resolve() -> UUID | None:
    """The account of the code in the address, for the door. Remembers the link."""
    who = ids.keyed_hash("guesses", request.remote_addr or "")
    if guesses.over(who):
        raise TooMany("Too many links from your connection led nowhere. Wait a minute, then open yours again.")
    found = queries.resolve_code((request.view_args or {}).get("code", ""))
    if found is None:
        guesses.count(who)
        return None
    g.link_id = found[1]
    return found[0]


@blueprint.route("/r/<code>")
@blueprint.route("/r/<code>/<channel>")
def link(code: str, channel: str = "") -> Any:
    """Links that lead somewhere are answered before Flask; what comes here has no offer behind it now."""
    visit = queries.friend_page(g.link_id)
    if visit.state == "open":
        return redirect(url_for("referral_link.friend", code=visit.link.code))
    return closed(visit)


def closed(visit: queries.FriendPage) -> Any:
    """The offer is not open: says why and since when, and still lets the visitor go on."""
    status = {"draft": 200, "paused": 200, "ended": 410, "plain": 404}[visit.state]
    return make_response(render_template("referrals/closed.html", visit=visit), status)


@blueprint.get("/f/<code>")
def friend(code: str) -> Any:
    """The friend's page."""
    visit = queries.friend_page(g.link_id)
    if visit.state != "open":
        return closed(visit)
    return page(visit)


def page(visit: queries.FriendPage, *, email: str = "", problem: str = "", status: int = 200) -> Any:
    ref = request.values.get("wb_click", "")
    return make_response(
        render_template(
            "referrals/friend.html",
            visit=visit,
            click=ref if parse_click_ref(ref) else "",
            token=ids.sign("claim", visit.link.account_id, visit.link.id),
            email=email,
            problem=problem,
            failed=bool(problem),
        ),
        status,
    )


@blueprint.post("/f/<code>/claim")
def claim(code: str) -> Any:
    """Take the offer. The page answers alike for everybody; the mail tells an existing customer."""
    visit = queries.friend_page(g.link_id)
    if not trusted(visit):
        return page(
            visit, email=request.form.get("email", ""), problem="This page was open for too long. Press the button once more.", status=400
        )
    if request.form.get("website"):
        # The trap: people do not see this field, programs fill it. They get the same page and nothing is stored.
        return render_template("referrals/claimed.html", visit=visit, email=request.form.get("email", "")[:254])
    address, agent = request.remote_addr or "", request.user_agent.string
    salt = "" if visit.program.strict else visitors.salt_for(clock.now())
    try:
        service.claim(
            visit.link,
            request.form.get("email", "")[:1000],
            click_ref=request.form.get("wb_click", ""),
            ip_hash=visitors.ip_hash(salt, address),
            agent_hash=visitors.agent_hash(salt, agent),
        )
    except Invalid as error:
        typed = request.form.get("email", "")[:254]
        return page(visit, email=typed, problem=error.message if typed.strip() else "Type your work email.", status=400)
    except OfferEnded:
        return closed(visit)
    return render_template("referrals/claimed.html", visit=visit, email=request.form.get("email", "")[:254])


@blueprint.route("/f/<code>/refusal", methods=["GET", "POST"])
def refuse(code: str) -> Any:
    """Not for me: one of five reasons, nothing about the person."""
    visit = queries.friend_page(g.link_id)
    if request.method == "POST" and trusted(visit):
        service.not_for_me(visit.link, request.form.get("reason", ""))
        return render_template("referrals/refused.html", visit=visit)
    token = ids.sign("claim", visit.link.account_id, visit.link.id)
    return render_template("referrals/refuse.html", visit=visit, token=token, refusals=service.REFUSALS)


def trusted(visit: queries.FriendPage) -> bool:
    """The form is from our own page of this link."""
    try:
        return ids.unsign("claim", request.form.get("token", "")) == (visit.link.account_id, visit.link.id)
    except ids.BadToken:
        return False
