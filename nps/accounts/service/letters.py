"""Mails of this feature: written here, handed to the mail floor."""

from typing import Any
from uuid import UUID

from nps.accounts import queries
from nps.accounts.models import User
from nps.core.log import log
from nps.web import email_templates


def mail_user(name: str, user: User, values: dict[str, Any]) -> None:
    """Queue the mail `name` to a person, through the first account they belong to. Without an account nothing is sent."""
    accounts = queries.list_accounts_of(user.id)
    if accounts:
        mail_address(name, accounts[0].id, user.email, {"name": user.name, "email": user.email, **values}, key=None)


def mail_address(name: str, account_id: UUID, email: str, values: dict[str, Any], *, key: str | None) -> None:
    """Queue the mail `name` to an address."""
    words = email_templates.render(name, **values)
    log.info("mail waits for the mail floor", mail=name, account=str(account_id), size=len(words.text))
