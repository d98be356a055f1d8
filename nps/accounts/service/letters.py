"""Mails of this feature: written here, handed to the mail floor."""

from typing import Any

from nps.accounts.models import User
from nps.core import ids
from nps.delivery import service as delivery
from nps.web import email_templates

SENDER = "Wordback"


def mail_user(name: str, user: User, values: dict[str, Any]) -> None:
    """Queue the mail `name` to a person. Asked for outside any account, it is the installation that sends."""
    mail_address(name, user.email, {"name": user.name, "email": user.email, **values}, key=f"{name}:{user.id}:{ids.new_id()}")


def mail_address(name: str, email: str, values: dict[str, Any], *, key: str) -> None:
    """Queue the mail `name` to an address; a second call with the same key sends nothing more."""
    words = email_templates.render(name, **values)
    delivery.queue(
        kind="service",
        key=key,
        to_email=email,
        subject=words.subject,
        text=words.text,
        html=words.html,
        from_name=SENDER,
        from_email=delivery.sender_address("", "hello"),
    )
