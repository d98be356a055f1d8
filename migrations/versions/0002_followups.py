"""Causes, queues, cases and their history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Tables of one account each: the third wall stands around these.
OWNED = ["case_", "case_event", "case_view", "cause", "cause_link", "queue", "queue_holiday", "queue_member", "reply_draft", "saved_reply"]
WALL = """account_id = nullif(current_setting('app.account_id', true), '')::uuid OR current_setting('app.unscoped', true) = 'on'"""


def upgrade() -> None:
    op.create_table(
        "cause",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("statement", sa.String(length=300), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("whys", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("action", sa.String(length=300), nullable=False),
        sa.Column("action_due_on", sa.Date(), nullable=True),
        sa.Column("shipped_on", sa.Date(), nullable=True),
        sa.Column("reply_text", sa.String(length=2000), nullable=False),
        sa.Column("public_text", sa.String(length=500), nullable=False),
        sa.Column("learning", sa.String(length=500), nullable=False),
        sa.Column("declined_reason", sa.String(length=500), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "owner_id"], ["membership.account_id", "membership.id"], name=op.f("fk_cause_account_id_owner_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_cause_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_cause")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_cause_account_id_name")),
    )
    op.create_table(
        "queue",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("week", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("method", sa.String(length=12), nullable=False),
        sa.Column("last_member_id", sa.Uuid(), nullable=True),
        sa.Column("keeps_person", sa.Boolean(), nullable=False),
        sa.Column("most_open", sa.Integer(), nullable=False),
        sa.Column("most_new_a_day", sa.Integer(), nullable=False),
        sa.Column("target_low", sa.Integer(), nullable=False),
        sa.Column("target_middle", sa.Integer(), nullable=False),
        sa.Column("target_wish", sa.Integer(), nullable=False),
        sa.Column("target_sent", sa.Integer(), nullable=False),
        sa.Column("target_no_score", sa.Integer(), nullable=False),
        sa.Column("target_next_reply", sa.Integer(), nullable=False),
        sa.Column("target_resolve", sa.Integer(), nullable=False),
        sa.Column("hold_seconds", sa.Integer(), nullable=False),
        sa.Column("steps", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "lead_id"], ["membership.account_id", "membership.id"], name=op.f("fk_queue_account_id_lead_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_queue_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_queue")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_queue_account_id_name")),
    )
    with op.batch_alter_table("queue", schema=None) as batch_op:
        batch_op.create_index(
            "uq_queue_default", ["account_id"], unique=True, sqlite_where=sa.text("is_default"), postgresql_where=sa.text("is_default")
        )

    op.create_table(
        "queue_holiday",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("queue_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("spans", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "queue_id"],
            ["queue.account_id", "queue.id"],
            name=op.f("fk_queue_holiday_account_id_queue_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_queue_holiday_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_queue_holiday")),
        sa.UniqueConstraint("account_id", "queue_id", "day", name=op.f("uq_queue_holiday_account_id_queue_id_day")),
    )
    op.create_table(
        "queue_member",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("queue_id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_queue_member_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "queue_id"],
            ["queue.account_id", "queue.id"],
            name=op.f("fk_queue_member_account_id_queue_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_queue_member_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_queue_member")),
        sa.UniqueConstraint("account_id", "queue_id", "membership_id", name=op.f("uq_queue_member_account_id_queue_id_membership_id")),
    )
    op.create_table(
        "saved_reply",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("queue_id", sa.Uuid(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "queue_id"],
            ["queue.account_id", "queue.id"],
            name=op.f("fk_saved_reply_account_id_queue_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_saved_reply_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_saved_reply")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_saved_reply_account_id_name")),
    )
    op.create_table(
        "case_",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=True),
        sa.Column("queue_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("wants_reply", sa.Boolean(), nullable=False),
        sa.Column("rule", sa.String(length=300), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reply_clock", sa.String(length=12), nullable=True),
        sa.Column("clock_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("target_from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("target_minutes", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_percent", sa.Integer(), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_reply_minutes", sa.Integer(), nullable=True),
        sa.Column("resolve_from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolve_used_seconds", sa.Integer(), nullable=False),
        sa.Column("resolve_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wait_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("learning", sa.String(length=500), nullable=False),
        sa.Column("made_good", sa.String(length=200), nullable=False),
        sa.Column("solved", sa.String(length=8), nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("earlier_case_id", sa.Uuid(), nullable=True),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.CheckConstraint("closed_at IS NULL OR closed_at >= opened_at", name=op.f("ck_case__closed_after_opened")),
        sa.CheckConstraint("score IS NULL OR score BETWEEN 0 AND 10", name=op.f("ck_case__score_range")),
        sa.ForeignKeyConstraint(["account_id", "cause_id"], ["cause.account_id", "cause.id"], name=op.f("fk_case__account_id_cause_id")),
        sa.ForeignKeyConstraint(
            ["account_id", "contact_id"], ["contact.account_id", "contact.id"], name=op.f("fk_case__account_id_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "earlier_case_id"], ["case_.account_id", "case_.id"], name=op.f("fk_case__account_id_earlier_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "merged_into_id"], ["case_.account_id", "case_.id"], name=op.f("fk_case__account_id_merged_into_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "owner_id"], ["membership.account_id", "membership.id"], name=op.f("fk_case__account_id_owner_id")
        ),
        sa.ForeignKeyConstraint(["account_id", "queue_id"], ["queue.account_id", "queue.id"], name=op.f("fk_case__account_id_queue_id")),
        sa.ForeignKeyConstraint(
            ["account_id", "response_id"], ["response.account_id", "response.id"], name=op.f("fk_case__account_id_response_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_case__account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_case_")),
    )
    with op.batch_alter_table("case_", schema=None) as batch_op:
        batch_op.create_index("ix_case_closed", ["account_id", "closed_at"], unique=False)
        batch_op.create_index("ix_case_contact", ["account_id", "contact_id", "opened_at"], unique=False)
        batch_op.create_index(
            "ix_case_look",
            ["look_at"],
            unique=False,
            sqlite_where=sa.text("look_at IS NOT NULL"),
            postgresql_where=sa.text("look_at IS NOT NULL"),
        )
        batch_op.create_index("ix_case_owner", ["account_id", "owner_id", "state"], unique=False)
        batch_op.create_index("ix_case_response", ["account_id", "response_id"], unique=False)
        batch_op.create_index("ix_case_state_due", ["account_id", "state", "due_at"], unique=False)
        batch_op.create_index(
            "uq_case_open_contact",
            ["account_id", "contact_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('new', 'working', 'waiting') AND kind <> 'appeal'"),
            postgresql_where=sa.text("state IN ('new', 'working', 'waiting') AND kind <> 'appeal'"),
        )

    op.create_table(
        "cause_link",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        sa.Column("case_is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "cause_id"], ["cause.account_id", "cause.id"], name=op.f("fk_cause_link_account_id_cause_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "contact_id"], ["contact.account_id", "contact.id"], name=op.f("fk_cause_link_account_id_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "response_id"], ["response.account_id", "response.id"], name=op.f("fk_cause_link_account_id_response_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_cause_link_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_cause_link")),
        sa.UniqueConstraint(
            "account_id", "cause_id", "contact_id", "response_id", name=op.f("uq_cause_link_account_id_cause_id_contact_id_response_id")
        ),
    )
    with op.batch_alter_table("cause_link", schema=None) as batch_op:
        batch_op.create_index("ix_cause_link_response", ["account_id", "response_id"], unique=False)

    op.create_table(
        "case_event",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=24), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("after", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("undoes_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "actor_id"], ["membership.account_id", "membership.id"], name=op.f("fk_case_event_account_id_actor_id")
        ),
        sa.ForeignKeyConstraint(["account_id", "case_id"], ["case_.account_id", "case_.id"], name=op.f("fk_case_event_account_id_case_id")),
        sa.ForeignKeyConstraint(
            ["account_id", "undoes_id"], ["case_event.account_id", "case_event.id"], name=op.f("fk_case_event_account_id_undoes_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_case_event_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_case_event")),
        sa.UniqueConstraint("account_id", "case_id", "number", name=op.f("uq_case_event_account_id_case_id_number")),
    )
    with op.batch_alter_table("case_event", schema=None) as batch_op:
        batch_op.create_index("ix_case_event_message", ["account_id", "message_id"], unique=False)
        batch_op.create_index("ix_case_event_response", ["account_id", "response_id"], unique=False)
        batch_op.create_index("uq_case_event_undone", ["account_id", "undoes_id"], unique=True)

    op.create_table(
        "case_view",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "case_id"], ["case_.account_id", "case_.id"], name=op.f("fk_case_view_account_id_case_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"], name=op.f("fk_case_view_account_id_membership_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_case_view_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_case_view")),
        sa.UniqueConstraint("account_id", "case_id", "membership_id", name=op.f("uq_case_view_account_id_case_id_membership_id")),
    )
    op.create_table(
        "reply_draft",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "case_id"], ["case_.account_id", "case_.id"], name=op.f("fk_reply_draft_account_id_case_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_reply_draft_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_reply_draft_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_reply_draft")),
        sa.UniqueConstraint("account_id", "case_id", "membership_id", name=op.f("uq_reply_draft_account_id_case_id_membership_id")),
    )
    with op.batch_alter_table("pair_sum", schema=None) as batch_op:
        batch_op.add_column(sa.Column("first", sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column("second", sa.Integer(), nullable=False))
        batch_op.drop_column("total")

    with op.batch_alter_table("program_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("friend_title", sa.String(length=160), nullable=False))
        batch_op.add_column(sa.Column("friend_form_title", sa.String(length=80), nullable=False))
        batch_op.add_column(sa.Column("friend_hint", sa.String(length=160), nullable=False))
        batch_op.add_column(sa.Column("friend_steps_title", sa.String(length=80), nullable=False))
        batch_op.add_column(sa.Column("quotes_title", sa.String(length=80), nullable=False))
        batch_op.add_column(sa.Column("quotes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False))
        batch_op.add_column(sa.Column("milestones", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False))

    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.add_column(sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False))
        batch_op.create_index("ix_referral_looked", ["state", "looked_at"], unique=False)

    if op.get_bind().dialect.name == "postgresql":
        for table in OWNED:
            op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
            op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
            op.execute(f'CREATE POLICY account_wall ON "{table}" USING ({WALL}) WITH CHECK ({WALL})')


def downgrade() -> None:
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.drop_index("ix_referral_looked")
        batch_op.drop_column("looked_at")

    with op.batch_alter_table("program_version", schema=None) as batch_op:
        batch_op.drop_column("milestones")
        batch_op.drop_column("quotes")
        batch_op.drop_column("quotes_title")
        batch_op.drop_column("friend_steps_title")
        batch_op.drop_column("friend_hint")
        batch_op.drop_column("friend_form_title")
        batch_op.drop_column("friend_title")

    with op.batch_alter_table("pair_sum", schema=None) as batch_op:
        batch_op.add_column(sa.Column("total", sa.INTEGER(), nullable=False))
        batch_op.drop_column("second")
        batch_op.drop_column("first")

    op.drop_table("reply_draft")
    op.drop_table("case_view")
    with op.batch_alter_table("case_event", schema=None) as batch_op:
        batch_op.drop_index("uq_case_event_undone")
        batch_op.drop_index("ix_case_event_response")
        batch_op.drop_index("ix_case_event_message")

    op.drop_table("case_event")
    with op.batch_alter_table("cause_link", schema=None) as batch_op:
        batch_op.drop_index("ix_cause_link_response")

    op.drop_table("cause_link")
    with op.batch_alter_table("case_", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_case_open_contact",
            sqlite_where=sa.text("state IN ('new', 'working', 'waiting') AND kind <> 'appeal'"),
            postgresql_where=sa.text("state IN ('new', 'working', 'waiting') AND kind <> 'appeal'"),
        )
        batch_op.drop_index("ix_case_state_due")
        batch_op.drop_index("ix_case_response")
        batch_op.drop_index("ix_case_owner")
        batch_op.drop_index("ix_case_look", sqlite_where=sa.text("look_at IS NOT NULL"), postgresql_where=sa.text("look_at IS NOT NULL"))
        batch_op.drop_index("ix_case_contact")
        batch_op.drop_index("ix_case_closed")

    op.drop_table("case_")
    op.drop_table("saved_reply")
    op.drop_table("queue_member")
    op.drop_table("queue_holiday")
    with op.batch_alter_table("queue", schema=None) as batch_op:
        batch_op.drop_index("uq_queue_default", sqlite_where=sa.text("is_default"), postgresql_where=sa.text("is_default"))

    op.drop_table("queue")
    op.drop_table("cause")
