"""The doors. Every blueprint has exactly one, attached where it is registered; only doors enter an account's scope."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_login import current_user

from nps.accounts import queries, rules, service
from nps.accounts.errors import NotAllowed
from nps.accounts.models import ApiKey, LoginSession
from nps.core import clock, ids, tenancy
from nps.core import db as database
from nps.core.errors import DomainError

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
Check = Callable[[], Any]


@dataclass(frozen=True)
class Door:
    """Who may enter. `csrf`: forms carry our token; `account_in_path`: the address starts with the account's slug."""

    name: str
    check: Check
    csrf: bool = True
    account_in_path: bool = False
    capabilities: Mapping[str, Any] = field(default_factory=dict)


def public_door() -> Door:
    """Anybody, no account in scope, no cookie needed."""

    def check() -> None:
        g.referrer_policy = "same-origin"

    return Door("public", check, csrf=False)


def _open_session() -> Any:
    """The signed-in user, or a redirect to the sign-in page that comes back here."""
    if not current_user.is_authenticated:
        if request.method in SAFE:
            return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))
        return redirect(url_for("accounts.sign_in"))
    g.login_session = current_user._get_current_object()
    g.user = queries.get_user(g.login_session.user_id)
    return None


def signed_in_door() -> Door:
    """A signed-in user, whatever account."""
    return Door("signed_in", _open_session)


def visitor_door() -> Door:
    """Anybody, with forms protected by our token: sign-in, sign-up."""

    def check() -> None:
        if current_user.is_authenticated:
            g.login_session = current_user._get_current_object()
            g.user = queries.get_user(g.login_session.user_id)

    return Door("visitor", check)


def member_door(read: str, write: str | None = None, each: Mapping[str, str | tuple[str, str]] | None = None) -> Door:
    """A member of the account in the address with the right to read, or for unsafe methods to write.

    `each` names other rights by endpoint: one for both, or (read, write).
    """
    named = dict(each or {})

    def check() -> Any:
        answer = _open_session()
        if answer is not None:
            return answer
        account = queries.find_account(g.pop("account_slug", ""))
        membership = queries.find_membership(account.id, g.user.id) if account is not None else None
        if account is None or membership is None or account.state in ("closed", "erased"):
            abort(404)
        g.account, g.member = account, membership
        if session.get("account") != account.slug:
            session["account"] = account.slug
        tenancy.enter(account.id)
        structlog.contextvars.bind_contextvars(account=str(account.id))
        wanted = named.get((request.endpoint or "").rpartition(".")[2], (read, write or read))
        pair = (wanted, wanted) if isinstance(wanted, str) else wanted
        if not membership.may(pair[0] if request.method in SAFE else pair[1]):
            raise NotAllowed
        return None

    return Door("member", check, account_in_path=True, capabilities={"read": read, "write": write or read, **named})


def token_door(purpose: str, writes: bool = False) -> Door:
    """Whoever holds a signed link of this purpose (view argument `token`); enters the account it names.

    `writes`: opening a page writes something down (a hit), so the unit begins as one that writes.
    """

    def check() -> None:
        g.referrer_policy, g.noindex = "no-referrer", True
        try:
            account_id, g.object_id = ids.unsign(purpose, (request.view_args or {}).get("token", ""))
        except ids.BadToken:
            abort(404)
        if writes:
            database.begin_writing()
        enter_public(account_id)

    return Door(f"token:{purpose}", check, csrf=False)


def enter_public(account_id: Any) -> None:
    """Enter the account's scope for somebody without a membership. Aborts with 404 when the account is gone."""
    try:
        g.account = queries.get_account(account_id)
    except DomainError:
        abort(404)
    if g.account.state == "erased":
        abort(404)
    tenancy.enter(account_id)


def resolved_door(name: str, resolve: Callable[[], Any]) -> Door:
    """A public door whose account is found by `resolve()` (a code in a global table). None means 404."""

    def check() -> None:
        g.referrer_policy, g.noindex = "no-referrer", True
        account_id = resolve()
        if account_id is None:
            abort(404)
        enter_public(account_id)

    return Door(name, check, csrf=False)


def provider_door() -> Door:
    """Providers call us; the view verifies secret or signature and enters nothing by itself."""
    return Door("provider", lambda: None, csrf=False)


def api_key_door(resource: str) -> Door:
    """A customer's machine with a key: `Authorization: Bearer`, or Basic with the key as user.

    The key needs the scope `<resource>:read`, or for unsafe methods `<resource>:write`; write includes read.
    """

    def check() -> None:
        if any(name in request.args for name in ("api_key", "key", "token")):
            raise DomainError("Keys do not belong in addresses. Send it as Authorization: Bearer.", code="key_in_query", status=400)
        secret = _key_from_header()
        key = queries.find_api_key(secret) if secret else None
        if key is None or (key.expires_at is not None and key.expires_at < clock.now()):
            raise DomainError("Send a key of this account as Authorization: Bearer.", code="unauthorized", status=401)
        account = queries.get_account(key.account_id)
        if account.state in ("closed", "erased"):
            raise DomainError("This account is closed.", code="unauthorized", status=401)
        g.api_key, g.account = key, account
        tenancy.enter(key.account_id)
        structlog.contextvars.bind_contextvars(account=str(account.id))
        if not rules.key_from_here(key.networks, request.remote_addr or ""):
            raise DomainError("This key may not be used from this address.", code="address_refused", status=403)
        wanted = f"{resource}:{'read' if request.method in SAFE else 'write'}"
        if not rules.key_may(key.scopes, wanted) and not (request.method in SAFE and rules.key_may(key.scopes, f"{resource}:write")):
            raise DomainError(f"This key lacks the scope {wanted}.", code="scope_missing", status=403)
        _note_key_use(key)

    return Door(f"api_key:{resource}", check, csrf=False)


def _note_key_use(key: ApiKey) -> None:
    """Keep the minute of the last use. A request that only reads writes it in a unit of its own, once a minute."""
    if request.method not in SAFE:
        service.note_use(key)
    elif key.last_used_at is None or clock.now() - key.last_used_at >= timedelta(minutes=1):
        database.commit()
        with database.unit():
            service.note_use(key)


def _key_from_header() -> str | None:
    given = request.authorization
    if given is None:
        return None
    if given.type == "bearer":
        return given.token
    return given.username if given.type == "basic" else None


def dev_mail_door() -> Door:
    """The built-in mailbox: only while it is the transport; else there is nothing here."""

    def check() -> None:
        settings = current_app.extensions["settings"]
        if not settings.mail_url.startswith("mailbox:"):
            abort(404)
        if not (settings.demo or settings.testing):
            answer = _open_session()
            if answer is not None:
                abort(404)

    return Door("dev_mail", check)


def attach(app: Flask, name: str, door: Door) -> None:
    """Put the door in front of the blueprint registered under `name`."""
    app.before_request_funcs.setdefault(name, []).insert(0, door.check)
    if door.account_in_path:
        app.url_value_preprocessors.setdefault(name, []).append(_take_slug)
        app.url_default_functions.setdefault(name, []).append(_give_slug)


def _take_slug(endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values is not None:
        g.account_slug = values.pop("account", "")
        if g.account_slug in rules.RESERVED_SLUGS:
            abort(404)


def _give_slug(endpoint: str, values: dict[str, Any]) -> None:
    if "account" not in values and g.get("account") is not None:
        values["account"] = g.account.slug


def load_session(token: str) -> LoginSession | None:
    """Flask-Login's loader: the living session row of the cookie, or None."""
    found = queries.find_session(token)
    now = clock.now()
    if found is None or now - found.seen_at > service.IDLE or now - found.created_at > service.LIFE:
        return None
    user = queries.get_user(found.user_id)
    return found if user.disabled_at is None else None


def note_presence() -> None:
    """Move the session's last-seen time, at most every ten minutes."""
    seen = session.get("seen", 0.0)
    now = clock.now().timestamp()
    if session.get("_user_id") and now - seen > 600:
        database.begin_writing()
        session["seen"] = now
        if current_user.is_authenticated:
            current_user.seen_at = clock.now()


def sign_out_response(target: str) -> Response:
    """A redirect that also tells the browser to forget what it keeps of us."""
    answer = redirect(target, 303)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer  # type: ignore[return-value]
