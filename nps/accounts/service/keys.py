"""Keys for the account's own machines."""

from datetime import datetime
from ipaddress import ip_network
from uuid import UUID

from nps.accounts import queries, rules
from nps.accounts.models import ApiKey
from nps.accounts.service.audit import audit
from nps.core import clock, ids
from nps.core.db import db
from nps.core.errors import Invalid

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def create_api_key(
    name: str,
    scopes: list[str],
    created_by_id: UUID | None,
    *,
    networks: list[str] | None = None,
    expires_at: datetime | None = None,
    by: str = "system",
) -> tuple[ApiKey, str]:
    """A key and its secret, which is shown once. Raises Invalid (fields scopes, networks)."""
    _check(scopes, networks or [])
    secret = "wb_live_" + ids.new_code(_ALPHABET, 24)
    key = ApiKey(
        name=name,
        prefix=secret[:12],
        secret_hash=ids.digest(secret),
        last4=secret[-4:],
        scopes=scopes,
        networks=[str(ip_network(one, strict=False)) for one in networks or []],
        created_by_id=created_by_id,
        created_at=clock.now(),
        expires_at=expires_at,
    )
    db.session.add(key)
    db.session.flush()
    audit(by, "key.created", kind="api_key", object_id=key.id, facts={"name": name, "scopes": scopes})
    return key, secret


def _check(scopes: list[str], networks: list[str]) -> None:
    fields = {}
    if any(scope not in (*rules.KEY_SCOPES, "*") for scope in scopes):
        fields["scopes"] = "There is no such right for a key."
    for one in networks:
        try:
            ip_network(one, strict=False)
        except ValueError:
            fields["networks"] = f"“{one[:40]}” is not an address or a range such as 192.0.2.0/28."
    if fields:
        raise Invalid("The key was not made.", fields=fields)


def revoke_key(key_id: UUID, *, by: str) -> ApiKey:
    """The key stops working with the next request. Raises NotFound."""
    key = queries.get_api_key(key_id)
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        audit(by, "key.revoked", kind="api_key", object_id=key.id, facts={"name": key.name})
    return key


def end_keys_of(user_id: UUID, *, by: str) -> None:
    """Keys end with the membership of the person who made them."""
    for key in queries.list_api_keys():
        if key.created_by_id == user_id:
            revoke_key(key.id, by=by)


def note_use(key: ApiKey) -> None:
    """Keep the time of the last use, to the minute."""
    now = clock.now()
    if key.last_used_at is None or (now - key.last_used_at).total_seconds() >= 60:
        key.last_used_at = now.replace(second=0, microsecond=0)
