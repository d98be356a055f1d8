"""Companies: sign-up, confirmation, settings."""

from typing import Any

from nps.accounts import passwords, queries, rules
from nps.accounts.errors import SignUpClosed
from nps.accounts.events import AccountOpened
from nps.accounts.models import Account, Membership, User
from nps.accounts.service.audit import audit
from nps.accounts.service.people import create_user, hash_password
from nps.core import clock, tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.core.events import publish
from nps.core.settings import current
from nps.jobs.outbox import enqueue


def create_account(name: str, owner: User, *, slug: str | None = None, state: str = "unverified", **fields: Any) -> Account:
    """A new account with its first owner. A taken slug gets a number."""
    now = clock.now()
    wanted = slug or rules.slug_from(name)
    free, n = wanted, 2
    while queries.find_account(free) is not None:
        free, n = f"{wanted[:36]}-{n}", n + 1
    account = Account(slug=free, name=name, state=state, created_at=now, **{"product": name[:60], **fields})
    db.session.add(account)
    db.session.flush()
    with tenancy.account_scope(account.id):
        db.session.add(Membership(user_id=owner.id, role=rules.Role.OWNER, created_at=now))
        db.session.flush()
        audit(owner.email, "account.opened", kind="account", object_id=account.id, facts={"name": name})
        publish(AccountOpened(account.id, now))
        db.session.flush()
    return account


def sign_up(email: str, name: str, company: str, password: str | None) -> None:
    """Open an account for an address, or tell its owner by mail that there is one. The caller cannot tell which.

    `email` is normalised. Raises SignUpClosed, Invalid (password). A password is hashed in both cases: equal time.
    """
    if current().signup != "open":
        raise SignUpClosed
    problem = passwords.problem(password, email) if password else None
    if problem is not None:
        raise Invalid(problem, fields={"password": problem})
    hashed = hash_password(password) if password else None
    if queries.find_user(email) is not None:
        enqueue("accounts.mail_known_address", {"email": email})
        return
    user = create_user(email, name)
    user.password_hash = hashed
    create_account(company, user, sender_name=name, sender_email=email, reply_to=email)
    enqueue("accounts.mail_link", {"purpose": "confirm", "email": email})


def open_another(user: User, company: str) -> Account:
    """A further account for somebody who is signed in; active at once when their address is confirmed. Raises SignUpClosed."""
    if current().signup != "open":
        raise SignUpClosed
    state = "active" if user.email_confirmed_at is not None else "unverified"
    return create_account(company, user, state=state, sender_name=user.name, sender_email=user.email, reply_to=user.email)


def confirm_address(user: User) -> None:
    """The person reads mail at their address: accounts they own may now send."""
    now = clock.now()
    user.email_confirmed_at = user.email_confirmed_at or now
    for account, role in queries.list_roles_of(user.id):
        if account.state == "unverified" and role == rules.Role.OWNER:
            account.state = "active"
            with tenancy.account_scope(account.id):
                audit(user.email, "account.confirmed", kind="account", object_id=account.id)
                db.session.flush()


def change_company(account: Account, actor: str, changes: dict[str, Any]) -> tuple[str, str] | None:
    """Store settings of the company. Returns (asked, taken) when the brand colour had to be darkened to be readable."""
    darkened = None
    if "brand_color" in changes:
        asked = str(changes["brand_color"]).lower()
        color, on_color = rules.readable_brand(asked)
        changes = {**changes, "brand_color": color, "on_brand": on_color, "brand_chosen_at": account.brand_chosen_at or clock.now()}
        darkened = (asked, color) if color != asked else None
    before = {name: getattr(account, name) for name in changes}
    for name, value in changes.items():
        setattr(account, name, value)
    changed = sorted(name for name, value in changes.items() if before[name] != value and name not in ("brand_chosen_at", "on_brand"))
    if changed:
        facts = {name: {"before": str(before[name]), "after": str(changes[name])} for name in changed if name not in _PERSONAL}
        audit(actor, "settings.changed", kind="account", object_id=account.id, facts={**facts, "fields": changed})
    return darkened


_PERSONAL = frozenset({"sender_email", "reply_to", "postal_address", "sender_name"})


def keep_our_address(account: Account) -> None:
    """The company is content to send from our address for now: the guide stops asking for a domain."""
    account.our_address_at = account.our_address_at or clock.now()


def keep_limits(account: Account, limits: dict[str, Any]) -> None:
    """Write down what the account's plan allows. The floor of billing decides; this floor only keeps it."""
    if account.limits != limits:
        account.limits = limits


def set_state(account: Account, state: str, actor: str, reason: str = "") -> None:
    """Move the account to another state, with a line in the audit log. The account is in scope."""
    if account.state != state:
        audit(actor, "account.state", kind="account", object_id=account.id, facts={"before": account.state, "after": state}, reason=reason)
        account.state = state
