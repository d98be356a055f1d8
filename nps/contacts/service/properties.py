"""Custom properties of the account."""

from collections.abc import Sequence

from sqlalchemy import select

from nps.contacts import queries
from nps.contacts.models import PropertyDefinition
from nps.contacts.rules import properties as rules
from nps.contacts.rules.properties import Kind
from nps.core import clock
from nps.core.db import db
from nps.core.errors import Invalid, NotFound


def define_property(label: str, kind: Kind, *, key: str = "", choices: Sequence[str] = ()) -> PropertyDefinition:
    """A new property, or the archived one of the same key brought back. Raises `Invalid`."""
    label = " ".join(label.split())[:80]
    key = key or rules.key_from(label)
    problem = rules.key_problem(key) if key else "A property needs a name with letters from a to z"
    if problem:
        raise Invalid(f"{problem}.", fields={"label": problem})
    known = {d.key: d for d in queries.list_definitions(archived=True)}
    found = known.get(key)
    if found is not None and found.archived_at is None:
        raise Invalid(f"There is a property “{key}” already.", fields={"label": f"There is a property “{key}” already"})
    if sum(d.archived_at is None for d in known.values()) >= rules.MOST:
        raise Invalid(f"An account has at most {rules.MOST} properties. Archive one first.")
    if kind is Kind.ONE_OF and not choices:
        raise Invalid("A list needs at least one choice.", fields={"choices": "Write at least one choice"})
    if found is None:
        found = PropertyDefinition(key=key, created_at=clock.now())
        db.session.add(found)
    elif found.kind != kind:
        # The values stored under the old type would not fit; a new key keeps both histories true.
        raise Invalid(f"“{key}” was used with another type. Choose another name.", fields={"label": "This name was used with another type"})
    found.label, found.kind, found.choices, found.archived_at = label, kind.value, list(choices), None
    db.session.flush()
    return found


def archive_property(key: str) -> None:
    """The property is no longer offered; stored values and answers keep theirs. Raises `NotFound`."""
    found = db.session.scalar(select(PropertyDefinition).where(PropertyDefinition.key == key))
    if found is None:
        raise NotFound("There is no such property.")
    found.archived_at = found.archived_at or clock.now()
    db.session.flush()
