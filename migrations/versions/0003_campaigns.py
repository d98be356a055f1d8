"""When a reminder was queued, and indexes by which the clock finds what is due."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LOOK, REMIND, EXPIRES = "state = 'planned' AND written_at IS NULL", "remind_at IS NOT NULL", "state IN ('asked', 'declined')"


def index(name: str, columns: list[str], condition: str) -> None:
    """The index of this name, made anew over these columns."""
    where = sa.text(condition)
    op.drop_index(name, table_name="invitation")
    op.create_index(name, "invitation", columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reminder_written_at", sa.DateTime(timezone=True), nullable=True))
    index("ix_invitation_look", ["account_id", "campaign_id", "look_at"], LOOK)
    index("ix_invitation_remind", ["account_id", "campaign_id", "remind_at"], REMIND)
    index("ix_invitation_expires", ["expires_at"], EXPIRES)


def downgrade() -> None:
    index("ix_invitation_expires", ["account_id", "expires_at"], EXPIRES)
    index("ix_invitation_remind", ["account_id", "remind_at"], REMIND)
    index("ix_invitation_look", ["account_id", "look_at"], LOOK)
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_column("reminder_written_at")
