"""The figures for machines are those of the page, to the last digit."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from nps.accounts import service as accounts
from nps.accounts.models import Account
from nps.analytics import service
from nps.analytics.schemas import Metric
from nps.contacts.models import PropertyDefinition
from nps.core.db import db
from tests.analytics.conftest import TODAY, Asker, keep
from tests.conftest import Browser

Get = Callable[..., Any]


@pytest.fixture
def get(client: Browser, account: Account) -> Get:
    """A program with a key that may read answers."""
    _, secret = accounts.create_api_key("tests", ["responses:read"], None)
    db.session.commit()

    def ask(query: str = "", path: str = "/metrics", **headers: str) -> Any:
        given = {"Authorization": f"Bearer {secret}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return client.get(f"/api/v1{path}{query}", headers=given)

    return ask


@pytest.mark.parametrize(
    ("promoters", "detractors", "n", "nps", "shown", "margin", "lo", "hi"),
    [
        (20, 8, 51, 23.5294117647, 24, None, None, None),
        (28, 3, 40, 62.5, 63, None, None, None),
        (50, 20, 100, 30, 30, 15.0750834135, 14.0511301788, 44.2012970057),
        (58, 16, 100, 42, 42, 14.5385066236, 26.2381924055, 55.3152056528),
        (30, 0, 30, 100, 100, 12.2113670365, 78.6977238726, 100),
        (0, 0, 30, 0, 0, 7.2741086005, -7.2741086005, 7.2741086005),
        (28, 9, 54, 35.1851851852, 35, 19.5018703398, 13.8314629935, 52.8352036731),
        (9, 4, 18, None, None, None, -10.2399225741, 57.8589701932),
    ],
)
def test_worked_examples_through_the_api(
    get: Get, asker: Asker, promoters: int, detractors: int, n: int, nps: Any, shown: Any, margin: Any, lo: Any, hi: Any
) -> None:
    asker.answers({9: promoters, 8: n - promoters - detractors, 3: detractors})
    body = get().get_json()
    value = body["value"]
    assert value["nps"] == (None if nps is None else pytest.approx(nps, abs=1e-9))
    assert (value["shown"], body["n"]) == (shown, n)
    for name, expected in (("margin", margin), ("lo", lo), ("hi", hi)):
        if expected is not None:
            assert value[name] == pytest.approx(expected, abs=1e-9)


def test_worked_comparison_through_the_api(get: Get, asker: Asker) -> None:
    asker.answers({9: 200, 8: 120, 3: 80}, TODAY - timedelta(days=100))
    asker.answers({9: 232, 8: 104, 3: 64})
    change = get().get_json()["previous"]["change"]
    assert (change["shown"], change["clear"]) == (12, True)
    assert change["d"] == pytest.approx(11.9106699752, abs=1e-9)
    assert change["p"] == pytest.approx(0.0273491240, abs=1e-9)


def test_worked_repeats_through_the_api_waiting_and_folded(get: Get, asker: Asker) -> None:
    """Example 24: 60 contacts with 80 answers; the design effect widens the range."""
    for score, count in ((9, 24), (8, 10), (3, 6)):
        asker.answers({score: count})
    for scores, count in (((9, 9), 8), ((3, 3), 3), ((8, 8), 4), ((9, 8), 3), ((9, 3), 2)):
        for _ in range(count):
            person = asker.contact()
            for place, score in enumerate(scores):
                asker.answer(score, TODAY - timedelta(days=40 * place), person)
    for _ in range(2):
        value = get().get_json()["value"]
        assert value["nps"] == pytest.approx(38.75, abs=1e-9)
        assert value["centre"] == pytest.approx(36.9533884801, abs=1e-9)
        assert value["margin"] == pytest.approx(18.7145817624, abs=1e-9)
        assert (value["lo"], value["hi"]) == (pytest.approx(18.2388067177, abs=1e-9), pytest.approx(55.6679702425, abs=1e-9))
        assert service.fold() >= 0
        db.session.commit()


def test_api_gives_what_the_page_gives(get: Get, signed_in: Browser, asker: Asker) -> None:
    db.session.add(PropertyDefinition(key="plan", label="Plan", kind="text", created_at=asker.survey.created_at))
    keep("plan")
    for number in range(90):
        asker.answer([0, 7, 9, 10][number % 4], TODAY - timedelta(days=number), properties={"plan": ["Growth", "Scale"][number % 2]})
    for query in ("", "?p=30", "?f=plan:is:Growth", "?by=plan", "?unit=contact", "?from=2026-08-01&to=2026-08-31"):
        ours, theirs = get(query).get_json(), signed_in.get(f"/larkfield/metrics.json{query}").get_json()
        assert ours.pop("as_of")
        assert theirs.pop("as_of")
        assert ours == theirs


def test_answers_have_the_described_shape(get: Get, asker: Asker) -> None:
    for n in (0, 4, 29, 30):
        asker.answers({9: n}, channel=f"c{n}")
        for path, query in (("/metrics", f"?f=channel:is:c{n}&by=language"), ("/metrics/trend", f"?f=channel:is:c{n}")):
            answer = get(query, path)
            assert answer.status_code == 200
            Metric.model_validate(answer.get_json())


def test_trend_by_month(get: Get, asker: Asker) -> None:
    asker.answers({9: 30}, TODAY - timedelta(days=40))
    body = get(path="/metrics/trend").get_json()
    assert body["measure"] == "trend"
    assert [row["name"] for row in body["periods"]][-2:] == ["September 2026", "October 2026"]
    august = next(row for row in body["periods"] if row["name"] == "August 2026")
    assert (august["n"], august["value"]["shown"], august["window"]["complete"]) == (30, 100, True)
    assert body["periods"][-1]["window"]["complete"] is False


def test_unchanged_numbers_are_not_sent_again(get: Get, asker: Asker) -> None:
    asker.answers({9: 30})
    first = get()
    again = get(If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.get_data()) == (304, b"")
    asker.answer(0)
    changed = get(If_None_Match=first.headers["ETag"])
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ("?window=30", 400, "?window"),
        ("?p=31", 422, "?p"),
        ("?from=2026-10-07&to=2026-10-09", 422, "?from"),
        ("?f=plan:is:Growth", 422, "?f"),
        ("?by=nothing", 422, "?by"),
        ("?kind=csat", 422, "?kind"),
        ("?campaign=x", 422, "?campaign"),
    ],
)
def test_what_makes_no_question_is_refused_by_name(get: Get, asker: Asker, query: str, status: int, pointer: str) -> None:
    answer = get(query)
    assert answer.status_code == status
    assert [item["pointer"] for item in answer.get_json()["errors"]] == [pointer]


def test_nobody_reads_figures_without_the_right(client: Browser, account: Account) -> None:
    _, secret = accounts.create_api_key("tests", ["contacts:write"], None)
    db.session.commit()
    assert client.get("/api/v1/metrics").status_code == 401
    assert client.get("/api/v1/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == 403
