"""The servers that the other tests lean on: private, bound by row-level security where it matters, and gone afterwards."""

from pathlib import Path

import psycopg
import pytest
from redis import ConnectionError as RedisGone
from redis import Redis
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.services import REDIS_MISSING, app_url, postgres, redis


def test_the_app_role_of_postgresql_is_bound_by_row_level_security() -> None:
    with postgres() as admin:
        engine = create_engine(app_url(admin))
        with engine.connect() as connection:
            row = connection.execute(text("SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user")).one()
        engine.dispose()
    assert tuple(row) == (False, False, False)


def test_a_private_postgresql_leaves_nothing_even_with_a_client_still_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    with postgres() as admin:
        folder = Path(str(make_url(admin).query["host"]))
        client = psycopg.connect(host=str(folder), user="postgres", dbname="postgres")
        assert (folder / "data" / "postmaster.pid").exists()
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        client.execute("SELECT 1")
    client.close()


def test_a_private_redis_answers_and_is_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_REDIS_URL", raising=False)
    with redis() as url:
        if url is None:
            pytest.skip(REDIS_MISSING)
        client = Redis.from_url(url)
        assert client.ping()
        client.close()
    with pytest.raises(RedisGone), redis_without_retry(url) as late:
        late.ping()


def redis_without_retry(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=1, retry=None)
