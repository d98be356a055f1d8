"""A small resource of the tests' own on the API floor, and a machine with a key."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from pydantic import Field
from sqlalchemy import select

from nps.accounts import guards
from nps.accounts import service as accounts
from nps.accounts.models import Account, AuditEntry
from nps.api.blueprint import Api, needs_idempotency_key
from nps.api.paging import page
from nps.api.shapes import Amount, Day, Flag, Instant, Paged, PageQuery, Score, Shape, Text, Whole
from nps.app import create_app
from nps.core.db import db
from nps.core.errors import Conflict
from nps.core.ports import Ports
from nps.core.settings import Settings
from tests import kept
from tests.conftest import in_use
from tests.machine import Machine


class ThingIn(Shape):
    name: Text = Field(min_length=1, max_length=40)
    score: Score | None = None
    count: Whole | None = None
    loud: Flag = False
    price: Amount | None = None
    at: Instant | None = None
    on: Day | None = None
    tags: list[Text] = []


class ThingOut(Shape):
    id: str
    name: str
    score: int | None = None


class ThingPage(Paged[ThingOut]):
    pass


class Things(PageQuery):
    name: Text | None = None


def things() -> Api:
    """Rows of the audit log, called things."""
    blueprint = Api("things_api", __name__, tag="Things")

    @blueprint.get("/things")
    @blueprint.input(Things, location="query")
    @blueprint.output(ThingPage, example={"data": [], "next": None})
    def list_things(query_data: Things) -> Any:
        query = select(AuditEntry).where(AuditEntry.actor == "tests")
        if query_data.name is not None:
            query = query.where(AuditEntry.action == query_data.name)
        rows, following = page(query, AuditEntry.id, query_data)
        return {"data": [{"id": str(row.id), "name": row.action} for row in rows], "next": following}

    @blueprint.post("/things")
    @blueprint.input(ThingIn, example={"name": "One"})
    @blueprint.output(ThingOut, 201)
    def make_thing(json_data: ThingIn) -> Any:
        accounts.audit("tests", json_data.name)
        db.session.flush()
        row = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        if json_data.name == "taken":
            raise Conflict("This thing is taken. Nothing was stored.")
        if json_data.name == "broken":
            raise RuntimeError("a fault of the server")
        return {"id": str(row.id), "name": row.action, "score": json_data.score}, 201, {"Location": f"/api/v1/things/{row.id}"}

    @blueprint.post("/payments")
    @needs_idempotency_key
    @blueprint.input(ThingIn)
    @blueprint.output(ThingOut, 201)
    def pay(json_data: ThingIn) -> Any:
        accounts.audit("tests", json_data.name)
        return {"id": "1", "name": json_data.name}, 201

    @blueprint.get("/things/<name>")
    @blueprint.output(ThingOut)
    def get_thing(name: str) -> Any:
        return {"id": "1", "name": name}

    return blueprint


def create_app_with_things(settings: Settings) -> Flask:
    app = create_app(settings)
    blueprint, door = things(), guards.api_key_door("contacts")
    app.register_blueprint(blueprint, url_prefix="/api/v1")
    guards.attach(app, blueprint.name, door)
    return app


@pytest.fixture(scope="session")
def kept_app_with_things() -> Callable[[Settings, Ports], Flask]:
    return kept.keep(create_app_with_things)


@pytest.fixture
def app(request: pytest.FixtureRequest, settings: Settings, ports: Ports) -> Iterator[Flask]:
    name = "kept_app_with_things" if "with_things" in request.fixturenames else "kept_app"
    with in_use(request.getfixturevalue(name)(settings, ports)) as application:
        yield application


@pytest.fixture
def with_things(app: Flask) -> Flask:
    """The application with the tests' own resource."""
    return app


@pytest.fixture
def machine(with_things: Flask, account: Account, make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(account, "contacts:write")
