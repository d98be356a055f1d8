"""The advocate's own page: reached by a mailed link, then kept by a cookie for half a day."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from nps.core import clock, ids
from nps.core.errors import Gone, Invalid
from nps.referrals import queries as referral_queries
from nps.referrals import service as referrals
from nps.referrals.rules import qr, sharing
from nps.referrals.service import visitors
from nps.rewards import queries
from nps.web import current

way_in = Blueprint("portal_link", __name__)
portal = Blueprint("portal", __name__)

COOKIE = "wb_p"
STAYS = timedelta(hours=12)
PURPOSE = "portal-cookie"


@way_in.get("/p/<token>")
def enter(token: str) -> Any:
    """Set the cookie and leave the token behind. Usable many times: scanners open mails too."""
    link = referral_queries.find_portal(current.object_id())
    now = clock.now()
    advocate = referral_queries.get_advocate(link.advocate_id) if link else None
    if link is None or advocate is None or link.expires_at <= now or link.epoch != advocate.portal_epoch:
        return make_response(render_template("rewards/portal_over.html", token=token), 410)
    answer = redirect(url_for("portal.page"), 303)
    until = int((now + STAYS).timestamp())
    value = ids.sign_text(PURPOSE, f"{advocate.account_id}.{advocate.id}.{advocate.portal_epoch}.{until}")
    answer.set_cookie(
        COOKIE, value, max_age=int(STAYS.total_seconds()), path="/p", httponly=True, secure=current.settings().secure, samesite="Lax"
    )
    return answer


@way_in.post("/p/<token>/renewal")
def renew(token: str) -> Any:
    """A new way in, by mail to the address of the advocate. Unknown addresses get the same answer."""
    referrals.mail_portal(request.form.get("email", "")[:254])
    return render_template("rewards/portal_sent.html")


def resolve() -> UUID | None:
    """The account of the advocate whose cookie this is, for the door. Raises Gone without one."""
    try:
        account, advocate, epoch, until = ids.unsign_text(PURPOSE, request.cookies.get(COOKIE, "")).split(".")
    except (ids.BadToken, ValueError):
        raise Gone("Open your page by the link in your mail or on the thank-you page. It stays open for 12 hours.") from None
    if clock.now().timestamp() > int(until):
        raise Gone("Your page was open for 12 hours. Open it again by the link in your mail.")
    g.advocate_id, g.portal_epoch = UUID(advocate), int(epoch)
    return UUID(account)


def mine() -> Any:
    """The advocate of this cookie. Raises Gone when all ways in were revoked."""
    advocate = referral_queries.get_advocate(g.advocate_id)
    if advocate.portal_epoch != g.portal_epoch:
        raise Gone("This way in was closed. Open your page by a newer mail.")
    return advocate


def token(advocate: Any) -> str:
    return ids.sign("portal-form", advocate.account_id, advocate.id)


def check_form(advocate: Any) -> None:
    """The form is from our own page of this advocate. Raises Invalid."""
    if not ids.same(request.form.get("token", ""), token(advocate)):
        raise Invalid("This page was open for too long. Go back, reload it, and send it once more; nothing was changed.", status=400)


@portal.get("/p")
def page() -> Any:
    """The share page."""
    return show(mine())


def show(advocate: Any, *, typed: str | None = None, problem: str = "", saved: str = "", status: int = 200) -> Any:
    template = "rewards/share.html" if referral_queries.shares(advocate) else "rewards/share_over.html"
    share = queries.share_page(advocate.id)
    return make_response(
        render_template(
            template, share=share, token=token(advocate), typed=typed, problem=problem, failed=bool(problem), saved=saved, preview=False
        ),
        status,
    )


@portal.post("/p/words")
def words() -> Any:
    """Own words. Those with an address, a number or a listed word wait for the company."""
    advocate = mine()
    check_form(advocate)
    text = "" if request.form.get("do") == "reset" else request.form.get("words", "")[:10_000]
    try:
        waits = referrals.save_words(advocate, text)
    except Invalid as error:
        return show(advocate, typed=text, problem=error.message, status=400)
    remember(advocate)
    return redirect(url_for("portal.page", saved="waits" if waits else "1", _anchor="words"), 303)


@portal.post("/p/shares")
def shared() -> Any:
    """A share button was pressed: by script in passing, or by the form without it."""
    advocate = mine()
    check_form(advocate)
    referrals.share(advocate, request.form.get("channel", ""))
    remember(advocate)
    return Response(status=204)


def remember(advocate: Any) -> None:
    """Connection and browser of the advocate's last act, hashed with the day's salt: for checks of self-referral."""
    program = referral_queries.get_program(advocate.program_id)
    if program.strict:
        return
    now = clock.now()
    salt = visitors.salt_for(now)
    advocate.seen_ip_hash = visitors.ip_hash(salt, request.remote_addr or "")
    advocate.seen_agent_hash = visitors.agent_hash(salt, request.user_agent.string)
    advocate.seen_at = now


@portal.route("/p/leaving", methods=["GET", "POST"])
def leave() -> Any:
    """Leave the program: the page says what happens, one press does it, undo for 30 days."""
    advocate = mine()
    if request.method == "GET":
        return render_template("rewards/leave.html", token=token(advocate))
    check_form(advocate)
    referrals.leave(advocate)
    return redirect(url_for("portal.page"), 303)


@portal.post("/p/return")
def come_back() -> Any:
    advocate = mine()
    check_form(advocate)
    referrals.come_back(advocate)
    return redirect(url_for("portal.page"), 303)


@portal.post("/p/closing")
def close() -> Any:
    """Shut every mailed way in and this browser's."""
    advocate = mine()
    check_form(advocate)
    referrals.revoke_portals(advocate)
    answer = make_response(render_template("rewards/portal_closed.html"))
    answer.delete_cookie(COOKIE, path="/p")
    return answer


@portal.get("/p/terms")
def terms() -> Any:
    return render_template("rewards/terms.html", share=queries.share_page(mine().id))


@portal.get("/p/qr.svg")
def qr_svg() -> Any:
    """The code for print, as a drawing."""
    data = qr.svg(referral_queries.link_address(referral_queries.link_of(mine().id)) + "/pr")
    return Response(data, mimetype="image/svg+xml", headers={"Content-Disposition": "attachment; filename=referral-link.svg"})


@portal.get("/p/qr.png")
def qr_png() -> Any:
    """The code for print, as a picture: 256, 512, 1024 or 2048 pixels."""
    wanted = request.args.get("px", "1024")
    pixels = int(wanted) if wanted in {str(n) for n in sharing.QR_PIXELS} else 1024
    data = qr.png(referral_queries.link_address(referral_queries.link_of(mine().id)) + "/pr", pixels)
    return Response(data, mimetype="image/png", headers={"Content-Disposition": "attachment; filename=referral-link.png"})
