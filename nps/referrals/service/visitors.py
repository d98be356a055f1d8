"""Visitors without names: hashes with a salt that is thrown away, so that nothing can be looked up later."""

import hashlib
import hmac
from datetime import date, datetime
from ipaddress import IPv6Address, ip_address
from uuid import UUID

from nps.core.db import db
from nps.referrals.models import DaySalt
from nps.referrals.service.programs import ensure_salts


def salt_of(day: date) -> str:
    """The random salt of a day (UTC), made when it is missing; "" for days whose salt is gone for good."""
    found = db.session.get(DaySalt, day)
    return found.salt if found else ""


def salt_for(now: datetime) -> str:
    """Today's salt."""
    if not salt_of(now.date()):
        ensure_salts(now)
    return salt_of(now.date())


def network(address: str, ipv4: int, ipv6: int) -> str:
    """The network an address lies in, cut to so many bits; "" for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    bits = ipv6 if isinstance(parsed, IPv6Address) else ipv4
    kept = int(parsed) >> (parsed.max_prefixlen - bits)
    return f"{parsed.version}/{bits}/{kept:x}"


def visitor_hash(salt: str, account_id: UUID, address: str, agent: str) -> str:
    """One visitor of one day: network of the address (/24 or /48) and browser, 16 bytes in hex."""
    return _hash(salt, f"{account_id}|{network(address, 24, 48)}|{agent}")


def ip_hash(salt: str, address: str) -> str:
    """One connection of one day: the full IPv4 address, or the /64 of an IPv6 one."""
    return _hash(salt, network(address, 32, 64)) if address else ""


def agent_hash(salt: str, agent: str) -> str:
    return _hash(salt, f"agent|{agent}") if agent else ""


def _hash(salt: str, text: str) -> str:
    return hmac.new(salt.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32] if salt else ""
