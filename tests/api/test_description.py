"""The description is valid, complete, and readable by people without a script."""

import json
import re

from flask import Flask

from nps.api.openapi import METHODS
from tests.conftest import Browser


def test_description_is_openapi_31_with_every_refusal(with_things: Flask, client: Browser) -> None:
    spec = client.get("/api/v1/openapi.json").get_json()
    assert spec["openapi"] == "3.1.0"
    assert set(spec["components"]["securitySchemes"]) == {"bearer", "basic"}
    assert all(path.startswith("/api/v1/") for path in spec["paths"])
    operations = [(path, method, item[method]) for path, item in spec["paths"].items() for method in METHODS if method in item]
    assert operations
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for kind in spec["components"].values() for name in kind)
    for path, method, operation in operations:
        wanted = {"400", "401", "403", "404", "405", "422", "429", "500"} | ({"409", "413", "415"} if method in ("post", "put") else set())
        assert wanted <= set(operation["responses"]), (path, method)
        assert operation["operationId"]
        assert operation["summary"]


def test_all_references_lead_somewhere(with_things: Flask, client: Browser) -> None:
    text = client.get("/api/v1/openapi.json").get_data(as_text=True)
    spec = json.loads(text)
    for reference in set(re.findall(r'"\$ref":\s*"#/([^"]+)"', text)):
        found = spec
        for part in reference.split("/"):
            found = found[part]


def test_needed_idempotency_keys_are_described_as_needed(with_things: Flask, client: Browser) -> None:
    paths = client.get("/api/v1/openapi.json").get_json()["paths"]

    def header(path: str) -> bool:
        return next(p["required"] for p in paths[path]["post"]["parameters"] if p["name"] == "Idempotency-Key")

    assert header("/api/v1/payments")
    assert not header("/api/v1/things")


def test_page_shows_every_operation_with_examples_and_no_script(with_things: Flask, client: Browser) -> None:
    answer = client.get("/api/docs")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "<script" not in text
    assert "style=" not in text
    assert "curl -X POST &#39;http://localhost/api/v1/things&#39;" in text
    assert "import requests" in text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_page_finds_operations_by_words(with_things: Flask, client: Browser) -> None:
    assert "/api/v1/payments" in client.get("/api/docs?q=payments").get_data(as_text=True)
    assert "/api/v1/things" not in client.get("/api/docs?q=payments").get_data(as_text=True)
    nothing = client.get("/api/docs?q=<b>zzz").get_data(as_text=True)
    assert "No operation mentions “&lt;b&gt;zzz”" in nothing
    assert client.get("/api").headers["Location"].endswith("/api/docs")
