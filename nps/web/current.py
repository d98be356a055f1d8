"""Who is here: set by the doors, read by views and templates."""

from typing import Any
from uuid import UUID

from flask import g
from werkzeug.local import LocalProxy

from nps.core.settings import Settings

account: Any = LocalProxy(lambda: g.account)
member: Any = LocalProxy(lambda: g.member)
user: Any = LocalProxy(lambda: g.user)


def settings() -> Settings:
    """The settings of the running application."""
    from_app: Settings = g.settings
    return from_app


def object_id() -> UUID:
    """What the token in the address is about. Set by token doors."""
    found: UUID = g.object_id
    return found


def may(capability: str) -> bool:
    """May the member who is signed in do this? False for visitors."""
    known = g.get("member")
    return bool(known is not None and known.may(capability))
