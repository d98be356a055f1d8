"""What the operator types about companies and people."""

from typing import Any

from flask import Flask

from nps.accounts import cli, queries
from nps.accounts.models import Account
from nps.core import tenancy
from nps.core.db import db


def run(app: Flask, command: Any, *words: str) -> Any:
    db.session.commit()
    return app.test_cli_runner().invoke(command, list(words))


def test_operator_opens_an_account_and_its_owner_comes_in_by_the_link(app: Flask, client: Any) -> None:
    answer = run(app, cli.account, "create", "Harbor Bikes", "--email", "Jo@Harbor.example", "--person", "Jo Lindqvist")
    assert answer.exit_code == 0, answer.output
    link = answer.output.strip().splitlines()[-1]
    assert client.form(link.removeprefix("http://localhost")).status_code == 303
    assert client.get("/harbor-bikes/set-up").status_code == 200
    with tenancy.unscoped("test"):
        found = queries.find_account("harbor-bikes")
    assert found is not None
    assert found.state == "active"
    listed = run(app, cli.account, "list")
    assert "harbor-bikes\tactive\tHarbor Bikes" in listed.output


def test_bad_address_is_refused_with_the_reason(app: Flask) -> None:
    answer = run(app, cli.account, "create", "X", "--email", "a@b@c", "--person", "A")
    assert answer.exit_code == 2
    assert "More than one @" in answer.output


def test_link_for_somebody_whom_mail_does_not_reach(app: Flask, client: Any, account: Account) -> None:
    answer = run(app, cli.user, "link", "ines@larkfield.example")
    assert client.form(answer.output.strip().removeprefix("http://localhost")).status_code == 303
    assert client.get("/larkfield/you").status_code == 200
    assert run(app, cli.user, "link", "nobody@larkfield.example").exit_code == 1
