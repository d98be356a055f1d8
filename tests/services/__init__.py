"""The programs the tests need beside Python: PostgreSQL, Redis and a browser; found or fetched, started here, stopped here.

Set TEST_DATABASE_URL, TEST_REDIS_URL or TEST_CHROMIUM to use some of your own; TEST_SERVERS=fetched passes by the PostgreSQL and Redis that
are installed. `python -m tests.services fetch` gets what is missing and says what will be used.
"""

from tests.services.browser import chromium_path
from tests.services.postgresql import APP_ROLE, app_url, postgres, sweeper
from tests.services.redis_server import REDIS_MISSING, redis

__all__ = ["APP_ROLE", "REDIS_MISSING", "app_url", "chromium_path", "postgres", "redis", "sweeper"]
