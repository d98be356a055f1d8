"""The revisions make exactly the tables of the models, on both databases, and there is one newest revision."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade

from nps.app import create_app, folder
from nps.core import tenancy
from nps.core.db import Base, UTCDateTime, db
from tests.conftest import settings_for
from tests.installation import empty_database


def test_there_is_one_newest_revision() -> None:
    assert len(ScriptDirectory(str(folder("migrations"))).get_heads()) == 1


@pytest.fixture
def migrated(engine_name: str, tmp_path: Path) -> Iterator[Flask]:
    """An application on a database that only the revisions have touched."""
    with empty_database(engine_name, tmp_path) as url:
        app = create_app(settings_for(url, tmp_path))
        with app.app_context(), tenancy.unscoped("the revisions are tried"):
            upgrade()
            yield app
            db.session.remove()
            db.engine.dispose()


def same_type(context: Any, column: Any, metadata_column: Any, in_database: Any, in_metadata: Any) -> bool | None:
    return False if isinstance(in_metadata, UTCDateTime | sa.JSON) else None


def test_models_and_revisions_agree(migrated: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": same_type, "target_metadata": Base.metadata})
        assert compare_metadata(context, Base.metadata) == []


def test_the_way_back_leaves_nothing(migrated: Flask) -> None:
    downgrade(revision="base")
    assert set(sa.inspect(db.engine).get_table_names()) <= {"alembic_version"}


def test_append_only_tables_and_walls_are_made_by_the_revisions_too(migrated: Flask) -> None:
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "sqlite":
            made = set(connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars())
            asked = {word for t in Base.metadata.sorted_tables for word in [t.name] if any(t.name in name for name in made)}
            assert bool(made) == bool(asked)
            return
        walled = set(connection.execute(sa.text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")).scalars())
        assert walled == set(tenancy.owned_tables(Base.metadata))
