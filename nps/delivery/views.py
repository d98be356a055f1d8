"""The built-in mailbox at /dev/mail: what would have been sent, for developers and for the demo."""

import email
from email.message import EmailMessage
from email.policy import default

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from nps.core import clock
from nps.core.db import db
from nps.delivery import queries
from nps.delivery.models import MailboxMail
from nps.web import pages
from nps.web.filters import iso

blueprint = Blueprint("dev_mail", __name__)

# A stranger's mail in a frame of ours: nothing is fetched, no script runs, links open outside.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


@blueprint.get("/dev/mail")
def index() -> ResponseReturnValue:
    """Newest first, 50 a page, found by address."""
    search = request.args.get("to", "")
    found = pages.page(queries.mailbox_query(search), [MailboxMail.number], after=request.args.get("after"), descending=True)
    return render_template("delivery/mailbox.html", page=found, search=search, now=clock.now())


@blueprint.get("/dev/mail.json")
def as_json() -> Response:
    """Every mail, newest first: number, envelope, Message-ID, time, subject."""
    rows = db.session.execute(queries.mailbox_list(request.args.get("to", ""))).all()
    return jsonify(
        [
            {
                "number": row.number,
                "from": row.mail_from,
                "to": row.rcpt_to,
                "message_id": row.message_id,
                "at": iso(row.received_at),
                "subject": row.subject,
            }
            for row in rows
        ]
    )


@blueprint.get("/dev/mail/<int:number>.eml")
def as_file(number: int) -> Response:
    """The exact bytes."""
    mail = queries.get_mailbox_mail(number)
    return Response(mail.data, content_type="message/rfc822", headers={"Content-Disposition": f"attachment; filename={number}.eml"})


@blueprint.get("/dev/mail/<int:number>")
def show(number: int) -> ResponseReturnValue:
    """One mail: as it looks, its text part, or its source."""
    mail = queries.get_mailbox_mail(number)
    view = request.args.get("view", "html")
    parsed = _read(mail.data)
    text = _part(parsed, "plain") if view == "text" else mail.data.decode("ascii", "replace") if view == "source" else ""
    return render_template("delivery/mail.html", mail=mail, parsed=parsed, view=view, text=text, has_html=bool(_part(parsed, "html")))


@blueprint.get("/dev/mail/<int:number>/html")
def frame(number: int) -> Response:
    """The HTML part alone, for the frame."""
    html = _part(_read(queries.get_mailbox_mail(number).data), "html") or "<p>This mail has no HTML part.</p>"
    with_base = html.replace("<head>", '<head><base target="_blank">', 1)
    return Response(with_base, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": MAIL_POLICY})


def _read(data: bytes) -> EmailMessage:
    return email.message_from_bytes(data, policy=default)


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
