"""A customer's program: sends its key and JSON to `/api/v1`. The fixture `make_machine` stands in tests/conftest.py."""

from typing import Any
from uuid import UUID

from flask.testing import FlaskClient


class Machine:
    """A program of a customer: sends its key and JSON."""

    def __init__(self, client: FlaskClient, secret: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.real: dict[str, UUID] = {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        given: dict[str, Any] = {"headers": {**self.headers, **more}}
        if body is not None:
            given["json"] = body
        return self.client.open(f"/api/v1{path}", method=method, **given)

    def raw(self, method: str, path: str, data: Any, content_type: str | None = "application/json") -> Any:
        return self.client.open(f"/api/v1{path}", method=method, data=data, content_type=content_type, headers=self.headers)
