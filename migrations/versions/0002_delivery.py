"""Messages, stops, mail that came in, the built-in mailbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Tables of one account each: the third wall stands around these.
OWNED = [
    "address_health",
    "inbound_mail",
    "mail_batch",
    "mail_template",
    "message",
    "provider_pace",
    "sender_domain",
    "sending_state",
    "suppression",
]
WALL = """account_id = nullif(current_setting('app.account_id', true), '')::uuid OR current_setting('app.unscoped', true) = 'on'"""


def upgrade() -> None:
    op.create_table(
        "address_health",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("soft_in_a_row", sa.Integer(), nullable=False),
        sa.Column("soft_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alive_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_address_health")),
        sa.UniqueConstraint("account_id", "email", name=op.f("uq_address_health_account_id_email")),
    )
    op.create_table(
        "inbound_mail",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("once", sa.String(length=64), nullable=False),
        sa.Column("envelope_to", sa.String(length=254), nullable=False),
        sa.Column("envelope_from", sa.String(length=254), nullable=False),
        sa.Column("token_kind", sa.String(length=8), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("effect", sa.String(length=40), nullable=False),
        sa.Column("from_email", sa.String(length=254), nullable=False),
        sa.Column("from_name", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("rfc_message_id", sa.String(length=320), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("full_text", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sorted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_inbound_mail")),
        sa.UniqueConstraint("once", name=op.f("uq_inbound_mail_once")),
    )
    with op.batch_alter_table("inbound_mail", schema=None) as batch_op:
        batch_op.create_index("ix_inbound_mail_message", ["account_id", "message_id"], unique=False)
        batch_op.create_index("ix_inbound_mail_state", ["state", "received_at"], unique=False)

    op.create_table(
        "mail_batch",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("content_refusals", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_mail_batch")),
    )
    op.create_table(
        "mail_lane",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=4), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mail_lane")),
    )
    op.create_table(
        "mail_template",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("from_name", sa.String(length=200), nullable=False),
        sa.Column("from_email", sa.String(length=254), nullable=False),
        sa.Column("feedback_id", sa.String(length=200), nullable=False),
        sa.Column("one_click", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_mail_template")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_mail_template_account_id_key")),
    )
    op.create_table(
        "mailbox_mail",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("mail_from", sa.String(length=254), nullable=False),
        sa.Column("rcpt_to", sa.String(length=254), nullable=False),
        sa.Column("message_id", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_mailbox_mail")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("mailbox_mail", schema=None) as batch_op:
        batch_op.create_index("ix_mailbox_mail_to", ["rcpt_to"], unique=False)

    op.create_table(
        "provider_pace",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=253), nullable=False),
        sa.Column("slowed_to", sa.Double(), nullable=False),
        sa.Column("slowed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_provider_pace")),
        sa.UniqueConstraint("account_id", "provider", name=op.f("uq_provider_pace_account_id_provider")),
    )
    op.create_table(
        "sender_domain",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_sender_domain")),
        sa.UniqueConstraint("account_id", "domain", name=op.f("uq_sender_domain_account_id_domain")),
    )
    op.create_table(
        "sending_state",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("standing", sa.String(length=8), nullable=False),
        sa.Column("standing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counted_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held", sa.String(length=24), nullable=False),
        sa.Column("sender_refusals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_sending_state")),
        sa.UniqueConstraint("account_id", name=op.f("uq_sending_state_account_id")),
    )
    op.create_table(
        "suppression",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("scope", sa.String(length=6), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=120), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_suppression")),
    )
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.create_index("ix_suppression_since", ["account_id", "since"], unique=False)
        batch_op.create_index(
            "uq_suppression_open",
            ["account_id", "key", "reason"],
            unique=True,
            sqlite_where=sa.text("lifted_at IS NULL"),
            postgresql_where=sa.text("lifted_at IS NULL"),
        )

    op.create_table(
        "message",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("to_email", sa.String(length=254), nullable=False),
        sa.Column("to_key", sa.String(length=254), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("slots", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body_text", sa.Text(), nullable=True),
        sa.Column("body_html", sa.Text(), nullable=True),
        sa.Column("from_name", sa.String(length=200), nullable=True),
        sa.Column("from_email", sa.String(length=254), nullable=True),
        sa.Column("reply_to", sa.String(length=254), nullable=True),
        sa.Column("ref_kind", sa.String(length=16), nullable=False),
        sa.Column("ref_id", sa.Uuid(), nullable=True),
        sa.Column("sending_domain", sa.String(length=253), nullable=False),
        sa.Column("in_reply_to", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=True),
        sa.Column("smtp_code", sa.Integer(), nullable=True),
        sa.Column("enhanced_code", sa.String(length=12), nullable=True),
        sa.Column("server_text", sa.String(length=300), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "batch_id"], ["mail_batch.account_id", "mail_batch.id"], name=op.f("fk_message_account_id_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "template_id"], ["mail_template.account_id", "mail_template.id"], name=op.f("fk_message_account_id_template_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_message")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_message_account_id_key")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index("ix_message_batch", ["account_id", "batch_id", "state"], unique=False)
        batch_op.create_index(
            "ix_message_due",
            ["account_id", "priority", "due_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('queued', 'deferred')"),
            postgresql_where=sa.text("state IN ('queued', 'deferred')"),
        )
        batch_op.create_index("ix_message_finished", ["account_id", "finished_at"], unique=False)
        batch_op.create_index("ix_message_id", ["id"], unique=False)
        batch_op.create_index(
            "ix_message_lease",
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("state IN ('claimed', 'sending')"),
            postgresql_where=sa.text("state IN ('claimed', 'sending')"),
        )
        batch_op.create_index("ix_message_ref", ["account_id", "ref_kind", "ref_id"], unique=False)
        batch_op.create_index("ix_message_to", ["account_id", "to_key"], unique=False)

    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("brand_chosen_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("our_address_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("limits", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False))

    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("networks", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False))

    with op.batch_alter_table("team_invite", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sent_on", sa.Date(), nullable=False))
        batch_op.add_column(sa.Column("sent_times", sa.Integer(), nullable=False))

    if op.get_bind().dialect.name == "postgresql":
        for table in OWNED:
            op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
            op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
            op.execute(f'CREATE POLICY account_wall ON "{table}" USING ({WALL}) WITH CHECK ({WALL})')


def downgrade() -> None:
    with op.batch_alter_table("team_invite", schema=None) as batch_op:
        batch_op.drop_column("sent_times")
        batch_op.drop_column("sent_on")

    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_column("networks")

    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_column("limits")
        batch_op.drop_column("our_address_at")
        batch_op.drop_column("brand_chosen_at")

    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_to")
        batch_op.drop_index("ix_message_ref")
        batch_op.drop_index(
            "ix_message_lease",
            sqlite_where=sa.text("state IN ('claimed', 'sending')"),
            postgresql_where=sa.text("state IN ('claimed', 'sending')"),
        )
        batch_op.drop_index("ix_message_id")
        batch_op.drop_index("ix_message_finished")
        batch_op.drop_index(
            "ix_message_due",
            sqlite_where=sa.text("state IN ('queued', 'deferred')"),
            postgresql_where=sa.text("state IN ('queued', 'deferred')"),
        )
        batch_op.drop_index("ix_message_batch")

    op.drop_table("message")
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.drop_index("uq_suppression_open", sqlite_where=sa.text("lifted_at IS NULL"), postgresql_where=sa.text("lifted_at IS NULL"))
        batch_op.drop_index("ix_suppression_since")

    op.drop_table("suppression")
    op.drop_table("sending_state")
    op.drop_table("sender_domain")
    op.drop_table("provider_pace")
    with op.batch_alter_table("mailbox_mail", schema=None) as batch_op:
        batch_op.drop_index("ix_mailbox_mail_to")

    op.drop_table("mailbox_mail")
    op.drop_table("mail_template")
    op.drop_table("mail_lane")
    op.drop_table("mail_batch")
    with op.batch_alter_table("inbound_mail", schema=None) as batch_op:
        batch_op.drop_index("ix_inbound_mail_state")
        batch_op.drop_index("ix_inbound_mail_message")

    op.drop_table("inbound_mail")
    op.drop_table("address_health")
