"""Alembic's entry: the same revisions on SQLite and PostgreSQL, on the engine of the running application."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import JSON

from nps.core.db import Base, UTCDateTime

engine = current_app.extensions["migrate"].db.engine


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Revisions name plain types, so that they keep working when ours move."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def same_type(migration_context: Any, column: Any, metadata_column: Any, in_database: Any, in_metadata: Any) -> bool | None:
    """Instants and ids are stored in the database's own way; the rest is compared as usual."""
    return False if isinstance(in_metadata, UTCDateTime) else None


def run_migrations_online() -> None:
    """Upgrade on a connection of our own engine; each revision is one transaction."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        else:
            connection.exec_driver_sql("SET lock_timeout = '3s'")
            connection.exec_driver_sql("SELECT set_config('app.unscoped', 'on', false)")
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=same_type,
            render_item=render_item,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


run_migrations_online()
