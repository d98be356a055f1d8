"""Every route with an id in its address answers 404 for a rival's object, exactly as for an id that never was."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from nps import wiring
from nps.core import ids, tenancy
from nps.core.db import Base, db
from tests.factories import rows

# What a name in an address stands for, where the table is called otherwise.
TABLES = {
    "case_id": "case_",
    "member_id": "membership",
    "membership_id": "membership",
    "key_id": "api_key",
    "import_id": "import_",
    "invite_id": "team_invite",
}
# Ends a session of one's own; one that is gone already is as good as ended, so the answer is the same redirect.
SAME_WHEN_GONE = {"you.end"}
NOT_AN_OBJECT = {"account", "filename", "token", "code", "channel", "number"}


def routes() -> list[tuple[str, str, str]]:
    """(endpoint, rule, method) of every workspace route that has more than the account in its address."""
    found: list[tuple[str, str, str]] = []
    prefixes = {blueprint.name for blueprint, _, door in wiring.BLUEPRINTS if door.account_in_path}
    probe = Flask("probe")
    for blueprint, prefix, door in wiring.BLUEPRINTS:
        if door.account_in_path and blueprint.name in prefixes:
            probe.register_blueprint(blueprint, url_prefix=f"/<account>{prefix}")
    for rule in probe.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in prefixes and rule.arguments - NOT_AN_OBJECT:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                found.append((rule.endpoint, rule.rule, method))
    return sorted(found)


def address(rule: str, slug: str, given: dict[str, Any]) -> str:
    def value(match: "re.Match[str]") -> str:
        name = match.group(1).split(":")[-1]
        return slug if name == "account" else str(given.get(name, ids.new_id()))

    return re.sub(r"<([^>]+)>", value, rule)


def checksum(account_id: Any) -> str:
    """All rows of an account as text, to see that nothing changed."""
    with tenancy.unscoped("the test compares what a rival has"):
        parts = []
        for table in Base.metadata.sorted_tables:
            if "account_id" in table.columns:
                found = db.session.execute(sa.select(table).where(table.c.account_id == account_id)).all()
                parts.append((table.name, sorted(map(repr, found))))
    return repr(parts)


def table_of(name: str, made: dict[str, Any]) -> Any:
    if name in TABLES:
        return made.get(TABLES[name])
    stem = name.removesuffix("_id")
    return made.get(stem) or made.get(stem + "_")


def test_rivals_objects_are_as_if_they_were_not(app: Flask, signed_in: Any, account: Any, rival: Any) -> None:
    with tenancy.account_scope(rival.id):
        made = rows.fill(rival.id)
    before = checksum(rival.id)
    wrong = []
    for endpoint, rule, method in routes():
        names = [part.split(":")[-1] for part in re.findall(r"<([^>]+)>", rule)]
        theirs = {name: table_of(name, made) for name in names if name not in NOT_AN_OBJECT and table_of(name, made)}
        seen = []
        for given in (theirs, {}):
            path = address(rule, account.slug, given)
            answer = (
                signed_in.get(path)
                if method == "GET"
                else signed_in.form(path, {}, method=method)
                if method == "POST"
                else signed_in.open(path, method=method)
            )
            seen.append(answer.status_code)
        if seen[0] == seen[1] and endpoint in SAME_WHEN_GONE:
            continue
        if seen[0] != seen[1] or (method == "GET" and seen[0] != 404) or seen[0] < 400 or seen[0] >= 500:
            wrong.append((endpoint, method, seen, sorted(theirs)))
    assert wrong == []
    assert checksum(rival.id) == before


@pytest.mark.parametrize("path", ["/rival/", "/rival/contacts", "/rival/settings", "/nobody-at-all/"])
def test_another_account_is_not_there(signed_in: Any, account: Any, rival: Any, path: str) -> None:
    assert signed_in.get(path).status_code == 404
