"""The redirect: one durable click, one 302, for people and machines, with the database well or ill."""

import sqlite3
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import func, inspect, select

from nps.core import tenancy
from nps.core.db import Base, db
from nps.delivery.models import SenderDomain
from nps.referrals import public, queries, service
from nps.referrals.models import Click, Referral
from nps.referrals.rules.clicks import parse_click_ref
from tests.referrals.world import live_program, promoter

PHONE = {
    "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile/15E148 Safari/604.1"
}


@pytest.fixture
def maya(account: Any) -> Any:
    live_program(account)
    return promoter()


@pytest.fixture
def code(maya: Any) -> str:
    found: str = queries.link_of(maya.id).code
    db.session.commit()
    return found


def clicks() -> list[Click]:
    db.session.expire_all()
    return list(db.session.scalars(select(Click).order_by(Click.id)))


def test_a_click_is_stored_and_leads_to_the_friends_page(client: Any, maya: Any, code: str) -> None:
    answer = client.get(f"/r/{code}/wa?utm_source=x&gclid=1", headers={**PHONE, "Referer": "https://chat.example/path"})
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    to = urlsplit(answer.headers["Location"])
    assert (to.netloc, to.path) == ("localhost", f"/f/{code}")
    (row,) = clicks()
    assert parse_click_ref(parse_qs(to.query)["wb_click"][0]) == row.id
    assert (row.channel, row.verdict, row.signs, row.device, row.browser) == ("wa", "human", 0, "phone", "safari")
    assert (row.referrer_host, row.ad_bits, row.link_id) == ("chat.example", 1, queries.link_of(maya.id).id)
    assert len(row.visitor) == len(row.ip_hash) == 32
    assert row.occurred_at.tzinfo is not None
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("wb_click=")
    assert "SameSite=Lax" in cookie
    assert f"Max-Age={90 * 86_400}" in cookie


def test_the_row_reads_the_same_as_one_the_session_wrote(client: Any, maya: Any, code: str) -> None:
    client.get(f"/r/{code}", headers=PHONE)
    (row,) = clicks()
    copy = {c.key: getattr(row, c.key) for c in inspect(Click).columns if c.key != "id"}
    db.session.add(Click(**copy))
    db.session.commit()
    first, second = clicks()
    assert {k: getattr(first, k) for k in copy} == {k: getattr(second, k) for k in copy}


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", PHONE),
        ("GET", {"User-Agent": ""}),
        ("GET", {"User-Agent": "Slackbot-LinkExpanding 1.0"}),
        ("GET", {**PHONE, "Sec-Fetch-Dest": "image"}),
        ("GET", {**PHONE, "Sec-Purpose": "prefetch"}),
        ("GET", {**PHONE, "Purpose": "prefetch"}),
    ],
)
def test_machines_are_flagged_get_no_cookie_and_are_kept(client: Any, code: str, method: str, headers: dict[str, str]) -> None:
    answer = client.open(f"/r/{code}", method=method, headers=headers)
    assert answer.status_code == 302
    assert "Set-Cookie" not in answer.headers
    (row,) = clicks()
    assert row.verdict == "bot"
    assert queries.funnel(db.session.scalars(select(queries.programs.Program.id)).one()).visits == 0
    assert queries.funnel(db.session.scalars(select(queries.programs.Program.id)).one()).bots == 1


def test_no_row_of_any_other_table_is_written(client: Any, code: str) -> None:
    client.get(f"/r/{code}", headers=PHONE)  # the day's salt is made once

    def counts() -> dict[str, int]:
        with tenancy.unscoped("the test counts rows"):
            return {t.name: db.session.scalar(select(func.count()).select_from(t)) or 0 for t in Base.metadata.sorted_tables}

    before = counts()
    for _ in range(5):
        client.get(f"/r/{code}", headers=PHONE)
    after = counts()
    assert {name: n - before[name] for name, n in after.items() if n != before[name]} == {"click": 5}


def test_an_unknown_channel_and_odd_spellings_of_the_code_still_lead(client: Any, code: str) -> None:
    for path in (
        f"/r/{code}/zz",
        f"/r/{code.lower()}",
        f"/r/%20{code}%20",
        f"/r/{code.replace('-', '')}?{'x' * 4000}",
        f"/r/{code}?%zz=%00&=&&",
    ):
        assert client.get(path, headers=PHONE).status_code == 302, path
    assert [c.channel for c in clicks()] == ["other", "", "", "", ""]


@pytest.mark.parametrize("path", ["/r/nobody-2K9DXX", "/r/", "/r/%00", "/r/a/b/c", "/r/<script>", "/f/nobody-2K9DXX", "/r/" + "x" * 3000])
def test_unknown_codes_are_404(client: Any, code: str, path: str) -> None:
    assert client.get(path, headers=PHONE).status_code == 404
    assert clicks() == []


def test_twenty_unknown_codes_a_minute_are_enough(client: Any, account: Any) -> None:
    public.guesses._counts.clear()
    answers = [client.get(f"/r/maya-2K9D{n:02d}", headers=PHONE).status_code for n in range(22, 44)]
    public.guesses._counts.clear()
    assert answers == [404] * 20 + [429] * 2


def test_a_straight_redirect_goes_to_the_companys_own_host_with_its_query(client: Any, account: Any) -> None:
    live_program(account, landing="redirect", destination_url="https://larkfield.example/start?plan=solo", utm={"utm_medium": "referral"})
    code = queries.link_of(promoter().id).code
    answer = client.get(f"/r/{code}?to=/pricing%3Fref%3Dx&plan=evil", headers=PHONE)
    to = urlsplit(answer.headers["Location"])
    assert (to.scheme, to.netloc, to.path) == ("https", "larkfield.example", "/pricing")
    query = parse_qs(to.query)
    assert (query["plan"], query["via"], query["utm_medium"], query["ref"]) == (["solo"], [code], ["referral"], ["x"])
    for to_ in ("//evil.example", "/%5Cevil.example", "https://evil.example", "javascript:alert(1)"):
        location = client.get(f"/r/{code}?to={to_}", headers=PHONE).headers["Location"]
        assert urlsplit(location).netloc == "larkfield.example"
        assert urlsplit(location).path == "/start"


def test_a_host_that_is_no_longer_proven_is_not_redirected_to(client: Any, account: Any, app: Any) -> None:
    live_program(account, landing="redirect")
    code = queries.link_of(promoter().id).code
    db.session.scalars(select(SenderDomain)).one().state = "broken"
    db.session.commit()
    assert urlsplit(client.get(f"/r/{code}", headers=PHONE).headers["Location"]).netloc == "localhost"


def test_the_first_click_stays_in_the_cookie_where_the_model_is_first(client: Any, account: Any) -> None:
    live_program(account, model="first")
    code = queries.link_of(promoter().id).code
    assert "Set-Cookie" in client.get(f"/r/{code}", headers=PHONE).headers
    assert "Set-Cookie" not in client.get(f"/r/{code}", headers=PHONE).headers


def test_without_consent_and_in_strict_mode_nothing_is_stored_in_the_browser(client: Any, account: Any) -> None:
    live_program(account, cookie="consent", strict=True)
    code = queries.link_of(promoter().id).code
    assert "Set-Cookie" not in client.get(f"/r/{code}", headers=PHONE).headers
    (row,) = clicks()
    assert (row.visitor, row.ip_hash, row.browser, row.device) == ("", "", "", "")


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ("pause", 302, b""),
        ("end", 410, b"This offer has ended"),
        ("leave", 404, b"There is no offer behind this link"),
        ("remove", 404, b"no offer"),
    ],
)
def test_links_of_ended_programs_and_gone_advocates(
    client: Any, app: Any, maya: Any, code: str, change: str, status: int, words: bytes
) -> None:
    program = queries.get_program(maya.program_id)
    {
        "pause": lambda: service.pause_program(program, "Ines"),
        "end": lambda: service.end_program(program, "Ines"),
        "leave": lambda: service.leave(maya),
        "remove": lambda: service.remove(maya, "Ines", "spam"),
    }[change]()
    db.session.commit()
    app.extensions["redirector"].links.forget()
    answer = client.get(f"/r/{code}", headers=PHONE)
    assert answer.status_code == status
    assert words in answer.data
    if status != 302:
        assert clicks() == []
        assert b"https://larkfield.example/" in answer.data


def test_a_locked_database_sends_the_click_to_the_spool_and_the_job_brings_it_home_once(
    client: Any, app: Any, maya: Any, code: str, run_jobs: Any, settings: Any
) -> None:
    client.get(f"/r/{code}", headers=PHONE)
    release = lock(app)
    try:
        answers = [client.get(f"/r/{code}", headers=PHONE) for _ in range(3)]
    finally:
        release()
    assert [a.status_code for a in answers] == [302] * 3
    assert len(clicks()) == 1
    spool = settings.files_dir / "spool"
    assert service.replay(spool) == 3
    assert service.replay(spool) == 0
    assert len(clicks()) == 4
    wanted = {parse_click_ref(parse_qs(urlsplit(a.headers["Location"]).query)["wb_click"][0]) for a in answers}
    assert wanted < {c.id for c in clicks()}


def test_a_click_that_can_be_kept_nowhere_is_not_answered_with_a_redirect(
    client: Any, app: Any, maya: Any, code: str, settings: Any
) -> None:
    client.get(f"/r/{code}", headers=PHONE)
    (settings.files_dir / "spool").write_text("a file where the folder would be")
    release = lock(app)
    try:
        answer = client.get(f"/r/{code}", headers=PHONE)
    finally:
        release()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert "Location" not in answer.headers
    assert len(clicks()) == 1


def lock(app: Any) -> Any:
    """Hold the database so that nobody can write clicks."""
    db.session.commit()
    if db.engine.dialect.name == "sqlite":
        holder = sqlite3.connect(db.engine.url.database, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        return lambda: (holder.execute("ROLLBACK"), holder.close())
    connection = db.engine.connect()
    connection.exec_driver_sql("LOCK TABLE click IN ACCESS EXCLUSIVE MODE")
    return lambda: (connection.rollback(), connection.close())


def test_a_cut_line_of_the_spool_is_skipped_and_the_rest_kept(app: Any, maya: Any, code: str, client: Any, settings: Any) -> None:
    release = lock(app)
    try:
        client.get(f"/r/{code}", headers=PHONE)
    finally:
        release()
    (path,) = (settings.files_dir / "spool").glob("*.jsonl")
    path.write_bytes(path.read_bytes() + b'{"account_id": "0190')
    assert service.replay(settings.files_dir / "spool") == 1
    assert len(clicks()) == 1


@pytest.mark.slow
def test_no_answered_click_is_lost_with_many_clients_and_a_database_that_locks_in_between(
    app: Any, maya: Any, code: str, settings: Any
) -> None:
    """Sixteen clients, 320 redirects, the database held for a while: every answer is a 302 and has its row in the end."""
    answered: list[str] = []
    failed: list[Any] = []
    guard = threading.Lock()

    def visit() -> None:
        for n in range(20):
            got: dict[str, Any] = {}

            def start(status: str, headers: list[tuple[str, str]], got: dict[str, Any] = got) -> None:
                got.update(status=status, location=dict(headers).get("Location", ""))

            environ = {
                "PATH_INFO": f"/r/{code}",
                "REQUEST_METHOD": "GET",
                "QUERY_STRING": "",
                "HTTP_USER_AGENT": PHONE["User-Agent"],
                "REMOTE_ADDR": f"10.0.0.{n}",
            }
            list(app.wsgi_app(environ, start))
            with guard:
                (answered if got["status"].startswith("302") else failed).append(got["location"])

    threads = [threading.Thread(target=visit) for _ in range(16)]
    db.session.commit()
    for thread in threads[:8]:
        thread.start()
    release = lock(app)
    for thread in threads[8:]:
        thread.start()
    threading.Event().wait(0.6)
    release()
    for thread in threads:
        thread.join()
    service.replay(settings.files_dir / "spool")
    assert failed == []
    ids: set[UUID | None] = {parse_click_ref(parse_qs(urlsplit(location).query)["wb_click"][0]) for location in answered}
    assert len(ids) == 320
    assert {c.id for c in clicks()} == ids
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 0


def test_get_and_head_of_links_enrol_and_credit_nobody(client: Any, maya: Any, code: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        for path in (f"/r/{code}", f"/f/{code}", f"/f/{code}/claim"):
            client.open(path, method=method, headers=PHONE)
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 0
