"""The tables of the first release, their walls and their triggers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Tables of one account each: the third wall stands around these.
OWNED = [
    "address_health",
    "click",
    "hit",
    "inbound_mail",
    "mail_batch",
    "mail_template",
    "provider_pace",
    "sender_domain",
    "sending_state",
    "suppression",
    "adjustment",
    "answer_delta",
    "api_key",
    "audit_entry",
    "click_flag",
    "contact",
    "contact_tally",
    "conversion_ref",
    "daily_sum",
    "friend",
    "hosted_page",
    "idempotency_key",
    "import_",
    "invoice",
    "membership",
    "message",
    "pair_sum",
    "payment_warning",
    "program",
    "property_definition",
    "rollup",
    "routing_rule_set",
    "segment",
    "stripe_connection",
    "subscription",
    "survey",
    "team_invite",
    "usage_notice",
    "wave_slot",
    "advocate",
    "ask_refusal",
    "campaign",
    "cause",
    "consent_change",
    "contact_alias",
    "delta_tail",
    "friend_event",
    "friend_key",
    "import_change",
    "import_part",
    "import_row",
    "program_change",
    "program_version",
    "queue",
    "routing_rule",
    "survey_version",
    "advocate_event",
    "campaign_wave",
    "invitation",
    "portal_link",
    "queue_holiday",
    "queue_member",
    "referral",
    "referral_link",
    "saved_reply",
    "share",
    "touch",
    "conversion",
    "credit",
    "friend_refusal",
    "referral_event",
    "referral_verdict",
    "response",
    "reward",
    "case_",
    "cause_link",
    "ledger_entry",
    "response_answer",
    "response_version",
    "reward_event",
    "reward_gate",
    "routing_decision",
    "case_event",
    "case_view",
    "ledger_line",
    "reply_draft",
]
WALL = """account_id = nullif(current_setting('app.account_id', true), '')::uuid OR current_setting('app.unscoped', true) = 'on'"""

# What refuses changes of append-only rows.
SQLITE_TRIGGERS = [
    """CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END""",
    """CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END""",
    """CREATE TRIGGER reward_event_no_update BEFORE UPDATE ON reward_event BEGIN SELECT RAISE(ABORT, 'reward_event is append-only'); END""",
    """CREATE TRIGGER reward_event_no_delete BEFORE DELETE ON reward_event BEGIN SELECT RAISE(ABORT, 'reward_event is append-only'); END""",
    """CREATE TRIGGER ledger_line_no_update BEFORE UPDATE ON ledger_line BEGIN SELECT RAISE(ABORT, 'ledger_line is append-only'); END""",
    """CREATE TRIGGER ledger_line_no_delete BEFORE DELETE ON ledger_line BEGIN SELECT RAISE(ABORT, 'ledger_line is append-only'); END""",
]
POSTGRESQL_TRIGGERS = [
    """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$""",
    """CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$""",
    """CREATE TRIGGER reward_event_append_only BEFORE UPDATE OR DELETE ON reward_event FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$""",
    """CREATE TRIGGER ledger_line_append_only BEFORE UPDATE OR DELETE ON ledger_line FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
]


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("product", sa.String(length=60), nullable=False),
        sa.Column("whom", sa.String(length=40), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("brand_color", sa.String(length=7), nullable=False),
        sa.Column("on_brand", sa.String(length=7), nullable=False),
        sa.Column("brand_chosen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("our_address_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("limits", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("postal_address", sa.String(length=300), nullable=False),
        sa.Column("website", sa.String(length=300), nullable=False),
        sa.Column("sender_name", sa.String(length=80), nullable=False),
        sa.Column("sender_role", sa.String(length=80), nullable=False),
        sa.Column("sender_email", sa.String(length=254), nullable=False),
        sa.Column("reply_to", sa.String(length=254), nullable=False),
        sa.Column("count_seen", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("slug", name=op.f("uq_account_slug")),
    )
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
        "click",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("signs", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=8), nullable=False),
        sa.Column("browser", sa.String(length=10), nullable=False),
        sa.Column("referrer_host", sa.String(length=120), nullable=False),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("ip_hash", sa.String(length=32), nullable=False),
        sa.Column("ad_bits", sa.Integer(), nullable=False),
        sa.Column("fetch_dest", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_click")),
    )
    with op.batch_alter_table("click", schema=None) as batch_op:
        batch_op.create_index("ix_click_link", ["account_id", "link_id", "occurred_at"], unique=False)
        batch_op.create_index("ix_click_time", ["account_id", "occurred_at"], unique=False)

    op.create_table(
        "day_salt",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_salt")),
    )
    op.create_table(
        "hit",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("method", sa.String(length=7), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("network", sa.String(length=50), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("hand", sa.String(length=6), nullable=True),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("signals", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_hit")),
    )
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.create_index("ix_hit_invitation", ["account_id", "invitation_id", "occurred_at"], unique=False)
        batch_op.create_index("ix_hit_time", ["account_id", "occurred_at"], unique=False)

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
        "inbox_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=120), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_event")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_inbox_event_source_external_id")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("task", sa.String(length=80), nullable=False),
        sa.Column("arguments", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("queue", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(
            "ix_job_due",
            ["queue", "run_at"],
            unique=False,
            sqlite_where=sa.text("state = 'due'"),
            postgresql_where=sa.text("state = 'due'"),
        )
        batch_op.create_index(
            "ix_job_lease",
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        batch_op.create_index(
            "uq_job_key_open",
            ["task", "key"],
            unique=True,
            sqlite_where=sa.text("key IS NOT NULL AND state = 'due'"),
            postgresql_where=sa.text("key IS NOT NULL AND state = 'due'"),
        )

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
        "price",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.String(length=20), nullable=False),
        sa.Column("interval", sa.String(length=5), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("stripe_price_id", sa.String(length=80), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price")),
        sa.UniqueConstraint("stripe_price_id", name=op.f("uq_price_stripe_price_id")),
    )
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
        "schedule_run",
        sa.Column("task", sa.String(length=80), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_schedule_run")),
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
        "sign_in_try",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_try")),
    )
    with op.batch_alter_table("sign_in_try", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_try_key", ["key", "tried_at"], unique=False)

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
        "user_",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("theme", sa.String(length=5), nullable=False),
        sa.Column("shortcuts", sa.Boolean(), nullable=False),
        sa.Column("due_mail", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_")),
        sa.UniqueConstraint("email", name=op.f("uq_user__email")),
    )
    op.create_table(
        "worker_beat",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_beat")),
    )
    op.create_table(
        "adjustment",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("gate_only", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_adjustment_amount")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_adjustment_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_adjustment")),
        sa.UniqueConstraint("account_id", "source", "kind", "external_id", name=op.f("uq_adjustment_account_id_source_kind_external_id")),
    )
    with op.batch_alter_table("adjustment", schema=None) as batch_op:
        batch_op.create_index("ix_adjustment_sale", ["account_id", "sale_id"], unique=False)

    op.create_table(
        "answer_delta",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("series", sa.String(length=14), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("has_comment", sa.Boolean(), nullable=False),
        sa.Column("properties", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("sign", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_answer_delta_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_answer_delta")),
    )
    with op.batch_alter_table("answer_delta", schema=None) as batch_op:
        batch_op.create_index("ix_answer_delta_contact", ["account_id", "contact_id"], unique=False)
        batch_op.create_index("ix_answer_delta_response", ["account_id", "response_id"], unique=False)

    op.create_table(
        "api_key",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("scopes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("networks", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_api_key_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_api_key")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index("ix_api_key_prefix", ["prefix"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("object_kind", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.String(length=60), nullable=False),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_audit_entry_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_time", ["account_id", "occurred_at"], unique=False)

    op.create_table(
        "click_flag",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("click_id", sa.Uuid(), nullable=False),
        sa.Column("signs", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_click_flag_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_click_flag")),
        sa.UniqueConstraint("account_id", "click_id", name=op.f("uq_click_flag_account_id_click_id")),
    )
    op.create_table(
        "contact",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", sa.String(length=254).with_variant(sa.String(length=254, collation="C"), "postgresql"), nullable=True),
        sa.Column("email_reduced", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"), nullable=True),
        sa.Column("external_id", sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql"), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=True),
        sa.Column("name_key", sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"), nullable=True),
        sa.Column("surname_key", sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"), nullable=True),
        sa.Column("first_name", sa.String(length=120), nullable=True),
        sa.Column("title", sa.String(length=120), nullable=True),
        sa.Column("company", sa.String(length=120), nullable=True),
        sa.Column("company_key", sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"), nullable=True),
        sa.Column("locale", sa.String(length=35), nullable=True),
        sa.Column("time_zone", sa.String(length=60), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("customer_since", sa.Date(), nullable=True),
        sa.Column("monthly_value_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("properties", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("consent_email", sa.String(length=8), nullable=False),
        sa.Column("consent_sms", sa.String(length=8), nullable=False),
        sa.Column("gap_days", sa.SmallInteger(), nullable=True),
        sa.Column("last_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_score", sa.SmallInteger(), nullable=True),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("holds", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_by_import_id", sa.Uuid(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("import_row", sa.Integer(), nullable=True),
        sa.Column("import_given", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "email_key IS NOT NULL OR phone IS NOT NULL OR external_id IS NOT NULL OR erased_at IS NOT NULL",
            name=op.f("ck_contact_reachable"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_contact_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_contact")),
        sa.UniqueConstraint("account_id", "email_key", name=op.f("uq_contact_account_id_email_key")),
        sa.UniqueConstraint("account_id", "external_id", name=op.f("uq_contact_account_id_external_id")),
        sa.UniqueConstraint("account_id", "number", name=op.f("uq_contact_account_id_number")),
        sa.UniqueConstraint("account_id", "phone", name=op.f("uq_contact_account_id_phone")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index("ix_contact_company", ["account_id", "company_key", "number"], unique=False)
        batch_op.create_index("ix_contact_name", ["account_id", "name_key", "number"], unique=False)
        batch_op.create_index("ix_contact_surname", ["account_id", "surname_key", "number"], unique=False)

    op.create_table(
        "contact_tally",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("contacts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_contact_tally_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_contact_tally")),
    )
    op.create_table(
        "conversion_ref",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_conversion_ref_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_conversion_ref")),
        sa.UniqueConstraint("account_id", "kind", "value", name=op.f("uq_conversion_ref_account_id_kind_value")),
    )
    with op.batch_alter_table("conversion_ref", schema=None) as batch_op:
        batch_op.create_index("ix_conversion_ref_sale", ["account_id", "sale_id"], unique=False)

    op.create_table(
        "daily_sum",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("series", sa.String(length=14), nullable=False),
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("n0", sa.Integer(), nullable=False),
        sa.Column("n1", sa.Integer(), nullable=False),
        sa.Column("n2", sa.Integer(), nullable=False),
        sa.Column("n3", sa.Integer(), nullable=False),
        sa.Column("n4", sa.Integer(), nullable=False),
        sa.Column("n5", sa.Integer(), nullable=False),
        sa.Column("n6", sa.Integer(), nullable=False),
        sa.Column("n7", sa.Integer(), nullable=False),
        sa.Column("n8", sa.Integer(), nullable=False),
        sa.Column("n9", sa.Integer(), nullable=False),
        sa.Column("n10", sa.Integer(), nullable=False),
        sa.Column("comments_det", sa.Integer(), nullable=False),
        sa.Column("comments_pas", sa.Integer(), nullable=False),
        sa.Column("comments_pro", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_daily_sum_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_daily_sum")),
        sa.UniqueConstraint(
            "account_id",
            "series",
            "key",
            "day",
            "value",
            "campaign_id",
            name=op.f("uq_daily_sum_account_id_series_key_day_value_campaign_id"),
        ),
    )
    op.create_table(
        "friend",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=80), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_friend_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_friend")),
    )
    op.create_table(
        "hosted_page",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("plan", sa.String(length=20), nullable=True),
        sa.Column("interval", sa.String(length=5), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("stripe_id", sa.String(length=120), nullable=True),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("asked_by", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_hosted_page_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_hosted_page")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_hosted_page_account_id_key")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("location", sa.String(length=500), nullable=True),
        sa.Column("content_type", sa.String(length=80), nullable=True),
        sa.Column("body", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_idempotency_key_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_idempotency_key_account_id_key")),
    )
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.create_index("ix_idempotency_key_begun", ["begun_at"], unique=False)

    op.create_table(
        "import_",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("started_by_id", sa.Uuid(), nullable=True),
        sa.Column("started_by", sa.String(length=120), nullable=False),
        sa.Column("encoding", sa.String(length=20), nullable=False),
        sa.Column("delimiter", sa.String(length=1), nullable=False),
        sa.Column("sheet", sa.String(length=255), nullable=True),
        sa.Column("sheets", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("header", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("header_row", sa.Integer(), nullable=False),
        sa.Column("header_key", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("matching", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("cursor_part", sa.Integer(), nullable=False),
        sa.Column("cursor_offset", sa.Integer(), nullable=False),
        sa.Column("cursor_row", sa.Integer(), nullable=False),
        sa.Column("done_rows", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("to_fix", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("opted_out", sa.Integer(), nullable=False),
        sa.Column("first_number", sa.Integer(), nullable=True),
        sa.Column("last_number", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(length=300), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undo_report", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_import__account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_import_")),
    )
    with op.batch_alter_table("import_", schema=None) as batch_op:
        batch_op.create_index(
            "ix_import_forget",
            ["finished_at"],
            unique=False,
            sqlite_where=sa.text("forgotten_at IS NULL"),
            postgresql_where=sa.text("forgotten_at IS NULL"),
        )
        batch_op.create_index("ix_import_header", ["account_id", "header_key"], unique=False)

    op.create_table(
        "invoice",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stripe_invoice_id", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("hosted_url", sa.String(), nullable=False),
        sa.Column("pdf_url", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_invoice_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("account_id", "stripe_invoice_id", name=op.f("uq_invoice_account_id_stripe_invoice_id")),
    )
    op.create_table(
        "link_code",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_link_code_account_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_link_code")),
    )
    op.create_table(
        "login_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("network", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_.id"], name=op.f("fk_login_session_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index("ix_login_session_user", ["user_id"], unique=False)

    op.create_table(
        "mailed_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_.id"], name=op.f("fk_mailed_token_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailed_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_mailed_token_token_hash")),
    )
    op.create_table(
        "membership",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("away_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("away_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_membership_account_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_.id"], name=op.f("fk_membership_user_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_membership")),
        sa.UniqueConstraint("account_id", "user_id", name=op.f("uq_membership_account_id_user_id")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index("ix_membership_user", ["user_id"], unique=False)

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

    op.create_table(
        "pair_sum",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("earlier", sa.Date(), nullable=False),
        sa.Column("later", sa.Date(), nullable=False),
        sa.Column("series", sa.String(length=14), nullable=False),
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("second", sa.Integer(), nullable=False),
        sa.Column("product", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_pair_sum_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_pair_sum")),
        sa.UniqueConstraint(
            "account_id",
            "series",
            "key",
            "later",
            "earlier",
            "value",
            "campaign_id",
            name=op.f("uq_pair_sum_account_id_series_key_later_earlier_value_campaign_id"),
        ),
    )
    op.create_table(
        "payment_warning",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_payment_warning_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_payment_warning")),
        sa.UniqueConstraint("account_id", "source", "external_id", name=op.f("uq_payment_warning_account_id_source_external_id")),
    )
    with op.batch_alter_table("payment_warning", schema=None) as batch_op:
        batch_op.create_index("ix_payment_warning_sale", ["account_id", "sale_id"], unique=False)

    op.create_table(
        "program",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("default_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destination_url", sa.String(length=500), nullable=False),
        sa.Column("landing", sa.String(length=8), nullable=False),
        sa.Column("cookie", sa.String(length=8), nullable=False),
        sa.Column("strict", sa.Boolean(), nullable=False),
        sa.Column("holdout_percent", sa.Integer(), nullable=False),
        sa.Column("min_score", sa.Integer(), nullable=False),
        sa.Column("code_style", sa.String(length=8), nullable=False),
        sa.Column("strictness", sa.String(length=6), nullable=False),
        sa.Column("consumer", sa.Boolean(), nullable=False),
        sa.Column("show_first_name", sa.Boolean(), nullable=False),
        sa.Column("show_company", sa.Boolean(), nullable=False),
        sa.Column("show_words", sa.Boolean(), nullable=False),
        sa.Column("utm", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("channels", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("paused_because", sa.String(length=40), nullable=False),
        sa.Column("live_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_program_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_program")),
    )
    with op.batch_alter_table("program", schema=None) as batch_op:
        batch_op.create_index("ix_program_default", ["account_id", "default_since"], unique=False)

    op.create_table(
        "property_definition",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("choices", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_property_definition_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_property_definition")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_property_definition_account_id_key")),
    )
    op.create_table(
        "rollup",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kept", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("folded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_rollup_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_rollup")),
    )
    op.create_table(
        "routing_rule_set",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_routing_rule_set_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_routing_rule_set")),
        sa.UniqueConstraint("account_id", "number", name=op.f("uq_routing_rule_set_account_id_number")),
    )
    op.create_table(
        "segment",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("rules", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_segment_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_segment")),
    )
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.create_index("ix_segment_name", ["account_id", "name"], unique=False)

    op.create_table(
        "stripe_connection",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stripe_account", sa.String(length=60), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("api_key_sealed", sa.String(length=1000), nullable=False),
        sa.Column("api_key_last4", sa.String(length=4), nullable=False),
        sa.Column("secret_sealed", sa.String(length=1000), nullable=False),
        sa.Column("secret_last4", sa.String(length=4), nullable=False),
        sa.Column("old_secret_sealed", sa.String(length=1000), nullable=False),
        sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("test_problem", sa.String(length=200), nullable=False),
        sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_stripe_connection_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_stripe_connection")),
    )
    with op.batch_alter_table("stripe_connection", schema=None) as batch_op:
        batch_op.create_index("ix_stripe_connection_account", ["account_id", "off_at"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stripe_customer_id", sa.String(length=80), nullable=False),
        sa.Column("stripe_subscription_id", sa.String(length=80), nullable=True),
        sa.Column("stripe_item_id", sa.String(length=80), nullable=True),
        sa.Column("plan", sa.String(length=20), nullable=True),
        sa.Column("interval", sa.String(length=5), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=True),
        sa.Column("period_start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("past_due_since_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("card", sa.String(length=60), nullable=False),
        sa.Column("invoice_email", sa.String(length=254), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_subscription_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("account_id", name=op.f("uq_subscription_account_id")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index("ix_subscription_customer", ["stripe_customer_id"], unique=True)

    op.create_table(
        "survey",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("product", sa.String(length=60), nullable=False),
        sa.Column("whom", sa.String(length=40), nullable=False),
        sa.Column("why_detractor", sa.String(length=140), nullable=False),
        sa.Column("why_passive", sa.String(length=140), nullable=False),
        sa.Column("why_promoter", sa.String(length=140), nullable=False),
        sa.Column("one_tap_question", sa.String(length=140), nullable=False),
        sa.Column("one_tap_options", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("subject", sa.String(length=78), nullable=False),
        sa.Column("preview", sa.String(length=140), nullable=False),
        sa.Column("intro", sa.String(length=300), nullable=False),
        sa.Column("closing", sa.String(length=200), nullable=False),
        sa.Column("from_name", sa.String(length=80), nullable=False),
        sa.Column("sender_name", sa.String(length=80), nullable=False),
        sa.Column("sender_role", sa.String(length=80), nullable=False),
        sa.Column("thanks_promoter", sa.String(length=500), nullable=False),
        sa.Column("thanks_passive", sa.String(length=500), nullable=False),
        sa.Column("thanks_detractor", sa.String(length=500), nullable=False),
        sa.Column("reminder_subject", sa.String(length=78), nullable=False),
        sa.Column("reminder_text", sa.String(length=300), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("brand_color", sa.String(length=7), nullable=True),
        sa.Column("leading_kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leading_kept_by", sa.String(length=120), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_survey_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_survey")),
    )
    op.create_table(
        "team_invite",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("sent_times", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_team_invite_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_team_invite")),
    )
    with op.batch_alter_table("team_invite", schema=None) as batch_op:
        batch_op.create_index("ix_team_invite_token", ["token_hash"], unique=False)

    op.create_table(
        "usage_notice",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("meter", sa.String(length=20), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("period_start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_usage_notice_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_usage_notice")),
        sa.UniqueConstraint(
            "account_id", "meter", "level", "period_start_at", name=op.f("uq_usage_notice_account_id_meter_level_period_start_at")
        ),
    )
    op.create_table(
        "wave_slot",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("from_offset", sa.Integer(), nullable=False),
        sa.Column("to_offset", sa.Integer(), nullable=False),
        sa.Column("base_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_wave_slot_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_wave_slot")),
    )
    with op.batch_alter_table("wave_slot", schema=None) as batch_op:
        batch_op.create_index("ix_wave_slot_place", ["account_id", "campaign_id", "wave", "time_zone", "country", "part"], unique=False)

    op.create_table(
        "advocate",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=True),
        sa.Column("accepted_version_id", sa.Uuid(), nullable=True),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("words_state", sa.String(length=8), nullable=False),
        sa.Column("first_shared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.String(length=300), nullable=False),
        sa.Column("portal_epoch", sa.Integer(), nullable=False),
        sa.Column("seen_ip_hash", sa.String(length=32), nullable=False),
        sa.Column("seen_agent_hash", sa.String(length=32), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "contact_id"], ["contact.account_id", "contact.id"], name=op.f("fk_advocate_account_id_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "program_id"], ["program.account_id", "program.id"], name=op.f("fk_advocate_account_id_program_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_advocate_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_advocate")),
        sa.UniqueConstraint("account_id", "program_id", "contact_id", name=op.f("uq_advocate_account_id_program_id_contact_id")),
    )
    with op.batch_alter_table("advocate", schema=None) as batch_op:
        batch_op.create_index("ix_advocate_contact", ["account_id", "contact_id"], unique=False)

    op.create_table(
        "ask_refusal",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "contact_id"], ["contact.account_id", "contact.id"], name=op.f("fk_ask_refusal_account_id_contact_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_ask_refusal_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_ask_refusal")),
    )
    with op.batch_alter_table("ask_refusal", schema=None) as batch_op:
        batch_op.create_index("ix_ask_refusal_contact", ["account_id", "contact_id", "occurred_at"], unique=False)

    op.create_table(
        "campaign",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("series", sa.String(length=14), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("exclude_ids", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("sample_percent", sa.Integer(), nullable=False),
        sa.Column("gap_days", sa.Integer(), nullable=False),
        sa.Column("min_age_days", sa.Integer(), nullable=False),
        sa.Column("reminder_days", sa.Integer(), nullable=True),
        sa.Column("answer_days", sa.Integer(), nullable=False),
        sa.Column("lapse_hours", sa.Integer(), nullable=False),
        sa.Column("reply_to", sa.String(length=254), nullable=False),
        sa.Column("send_now", sa.Boolean(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("spread_days", sa.Integer(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("confirmed_count", sa.Integer(), nullable=True),
        sa.Column("paused_reason", sa.String(length=40), nullable=True),
        sa.Column("notice", sa.String(length=300), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("launched_by", sa.String(length=120), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "survey_id"], ["survey.account_id", "survey.id"], name=op.f("fk_campaign_account_id_survey_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_campaign_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_campaign")),
    )
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.create_index(
            "ix_campaign_start",
            ["start_at"],
            unique=False,
            sqlite_where=sa.text("state = 'scheduled'"),
            postgresql_where=sa.text("state = 'scheduled'"),
        )
        batch_op.create_index("ix_campaign_state", ["account_id", "state"], unique=False)

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
        "consent_change",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=5), nullable=False),
        sa.Column("was", sa.String(length=8), nullable=False),
        sa.Column("now", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("agreed_text", sa.String(length=1000), nullable=False),
        sa.Column("changed_by", sa.String(length=120), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "contact_id"],
            ["contact.account_id", "contact.id"],
            name=op.f("fk_consent_change_account_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_consent_change_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_consent_change")),
    )
    with op.batch_alter_table("consent_change", schema=None) as batch_op:
        batch_op.create_index("ix_consent_change_contact", ["account_id", "contact_id", "changed_at"], unique=False)

    op.create_table(
        "contact_alias",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "contact_id"],
            ["contact.account_id", "contact.id"],
            name=op.f("fk_contact_alias_account_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_contact_alias_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_contact_alias")),
        sa.UniqueConstraint("account_id", "email_key", name=op.f("uq_contact_alias_account_id_email_key")),
    )
    with op.batch_alter_table("contact_alias", schema=None) as batch_op:
        batch_op.create_index("ix_contact_alias_contact", ["account_id", "contact_id"], unique=False)

    op.create_table(
        "delta_tail",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "id"],
            ["answer_delta.account_id", "answer_delta.id"],
            name=op.f("fk_delta_tail_account_id_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_delta_tail")),
    )
    op.create_table(
        "friend_event",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("friend_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "friend_id"], ["friend.account_id", "friend.id"], name=op.f("fk_friend_event_account_id_friend_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_friend_event_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_friend_event")),
        sa.UniqueConstraint("account_id", "source", "kind", "external_id", name=op.f("uq_friend_event_account_id_source_kind_external_id")),
    )
    with op.batch_alter_table("friend_event", schema=None) as batch_op:
        batch_op.create_index("ix_friend_event_friend", ["account_id", "friend_id"], unique=False)

    op.create_table(
        "friend_key",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("friend_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=320), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "friend_id"], ["friend.account_id", "friend.id"], name=op.f("fk_friend_key_account_id_friend_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_friend_key_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_friend_key")),
        sa.UniqueConstraint("account_id", "kind", "value", name=op.f("uq_friend_key_account_id_kind_value")),
    )
    with op.batch_alter_table("friend_key", schema=None) as batch_op:
        batch_op.create_index("ix_friend_key_friend", ["account_id", "friend_id"], unique=False)

    op.create_table(
        "import_change",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("fields", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "contact_id"],
            ["contact.account_id", "contact.id"],
            name=op.f("fk_import_change_account_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "import_id"],
            ["import_.account_id", "import_.id"],
            name=op.f("fk_import_change_account_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_import_change_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_import_change")),
    )
    with op.batch_alter_table("import_change", schema=None) as batch_op:
        batch_op.create_index("ix_import_change_contact", ["account_id", "contact_id"], unique=False)
        batch_op.create_index("ix_import_change_import", ["account_id", "import_id", "id"], unique=False)

    op.create_table(
        "import_part",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "import_id"],
            ["import_.account_id", "import_.id"],
            name=op.f("fk_import_part_account_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_import_part_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_import_part")),
        sa.UniqueConstraint("account_id", "import_id", "kind", "number", name=op.f("uq_import_part_account_id_import_id_kind_number")),
    )
    op.create_table(
        "import_row",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("cells", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("column", sa.SmallInteger(), nullable=True),
        sa.Column("problem", sa.String(length=80), nullable=False),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "import_id"],
            ["import_.account_id", "import_.id"],
            name=op.f("fk_import_row_account_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_import_row_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_import_row")),
        sa.UniqueConstraint("account_id", "import_id", "row", name=op.f("uq_import_row_account_id_import_id_row")),
    )
    op.create_table(
        "program_change",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "program_id"], ["program.account_id", "program.id"], name=op.f("fk_program_change_account_id_program_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_program_change_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_program_change")),
    )
    with op.batch_alter_table("program_change", schema=None) as batch_op:
        batch_op.create_index("ix_program_change", ["account_id", "program_id", "occurred_at"], unique=False)

    op.create_table(
        "program_version",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("headline", sa.String(length=120), nullable=False),
        sa.Column("lead", sa.String(length=400), nullable=False),
        sa.Column("pitch", sa.String(length=300), nullable=False),
        sa.Column("ask", sa.String(length=120), nullable=False),
        sa.Column("friend_offer", sa.String(length=8), nullable=False),
        sa.Column("friend_words", sa.String(length=120), nullable=False),
        sa.Column("friend_detail", sa.String(length=200), nullable=False),
        sa.Column("friend_list_minor", sa.BigInteger(), nullable=True),
        sa.Column("friend_less_minor", sa.BigInteger(), nullable=True),
        sa.Column("friend_bill_label", sa.String(length=80), nullable=False),
        sa.Column("friend_title", sa.String(length=160), nullable=False),
        sa.Column("friend_form_title", sa.String(length=80), nullable=False),
        sa.Column("friend_hint", sa.String(length=160), nullable=False),
        sa.Column("friend_steps_title", sa.String(length=80), nullable=False),
        sa.Column("friend_steps", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("quotes_title", sa.String(length=80), nullable=False),
        sa.Column("quotes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("milestones", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("friend_small_print", sa.String(length=400), nullable=False),
        sa.Column("friend_button", sa.String(length=40), nullable=False),
        sa.Column("advocate_words", sa.String(length=120), nullable=False),
        sa.Column("advocate_detail", sa.String(length=200), nullable=False),
        sa.Column("rules", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("caps", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("method", sa.String(length=14), nullable=False),
        sa.Column("qualifies", sa.String(length=10), nullable=False),
        sa.Column("qualify_nth", sa.Integer(), nullable=False),
        sa.Column("qualify_noun", sa.String(length=60), nullable=False),
        sa.Column("qualify_past", sa.String(length=80), nullable=False),
        sa.Column("qualify_verb", sa.String(length=80), nullable=False),
        sa.Column("qualify_event", sa.String(length=60), nullable=False),
        sa.Column("attribution_days", sa.Integer(), nullable=False),
        sa.Column("qualify_days", sa.Integer(), nullable=True),
        sa.Column("look_back_days", sa.Integer(), nullable=True),
        sa.Column("model", sa.String(length=5), nullable=False),
        sa.Column("hold_days", sa.Integer(), nullable=False),
        sa.Column("review_all", sa.Boolean(), nullable=False),
        sa.Column("automatic_minor", sa.BigInteger(), nullable=False),
        sa.Column("second_person_minor", sa.BigInteger(), nullable=False),
        sa.Column("share_subject", sa.String(length=120), nullable=False),
        sa.Column("share_words", sa.String(length=500), nullable=False),
        sa.Column("disclosure", sa.String(length=120), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "program_id"], ["program.account_id", "program.id"], name=op.f("fk_program_version_account_id_program_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_program_version_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_program_version")),
        sa.UniqueConstraint("account_id", "program_id", "number", name=op.f("uq_program_version_account_id_program_id_number")),
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
        "routing_rule",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_set_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("match", sa.String(length=3), nullable=False),
        sa.Column("conditions", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("destination", sa.String(length=10), nullable=True),
        sa.Column("queue_id", sa.Uuid(), nullable=True),
        sa.Column("program_id", sa.Uuid(), nullable=True),
        sa.Column("target_minutes", sa.Integer(), nullable=True),
        sa.Column("side_actions", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("stop_here", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "rule_set_id"],
            ["routing_rule_set.account_id", "routing_rule_set.id"],
            name=op.f("fk_routing_rule_account_id_rule_set_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_routing_rule_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_routing_rule")),
        sa.UniqueConstraint("account_id", "rule_set_id", "position", name=op.f("uq_routing_rule_account_id_rule_set_id_position")),
    )
    op.create_table(
        "survey_version",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wording", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("question_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "survey_id"], ["survey.account_id", "survey.id"], name=op.f("fk_survey_version_account_id_survey_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_survey_version_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_survey_version")),
        sa.UniqueConstraint("account_id", "survey_id", "content_hash", name=op.f("uq_survey_version_account_id_survey_id_content_hash")),
        sa.UniqueConstraint("account_id", "survey_id", "number", name=op.f("uq_survey_version_account_id_survey_id_number")),
    )
    op.create_table(
        "advocate_event",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("advocate_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.String(length=10), nullable=False),
        sa.Column("after", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "advocate_id"], ["advocate.account_id", "advocate.id"], name=op.f("fk_advocate_event_account_id_advocate_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_advocate_event_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_advocate_event")),
    )
    with op.batch_alter_table("advocate_event", schema=None) as batch_op:
        batch_op.create_index("ix_advocate_event", ["account_id", "advocate_id", "occurred_at"], unique=False)

    op.create_table(
        "campaign_wave",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("survey_version_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("reminder_template_id", sa.Uuid(), nullable=True),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("daily", sa.Integer(), nullable=False),
        sa.Column("guard_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ranked", sa.Integer(), nullable=False),
        sa.Column("cursor_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "campaign_id"], ["campaign.account_id", "campaign.id"], name=op.f("fk_campaign_wave_account_id_campaign_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_campaign_wave_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_campaign_wave")),
        sa.UniqueConstraint("account_id", "campaign_id", "number", name=op.f("uq_campaign_wave_account_id_campaign_id_number")),
    )
    op.create_table(
        "invitation",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("reason_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_by", sa.String(length=24), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminder_written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("picked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("survey_version_id", sa.Uuid(), nullable=True),
        sa.Column("variant", sa.String(length=40), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("canary", sa.Boolean(), nullable=False),
        sa.Column("asked_properties", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "campaign_id"], ["campaign.account_id", "campaign.id"], name=op.f("fk_invitation_account_id_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "contact_id"], ["contact.account_id", "contact.id"], name=op.f("fk_invitation_account_id_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "survey_version_id"],
            ["survey_version.account_id", "survey_version.id"],
            name=op.f("fk_invitation_account_id_survey_version_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_invitation_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_invitation")),
        sa.UniqueConstraint(
            "account_id", "campaign_id", "wave", "contact_id", name=op.f("uq_invitation_account_id_campaign_id_wave_contact_id")
        ),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index("ix_invitation_asked", ["account_id", "asked_at"], unique=False)
        batch_op.create_index("ix_invitation_contact", ["account_id", "contact_id", "asked_at"], unique=False)
        batch_op.create_index(
            "ix_invitation_expires",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('asked', 'declined')"),
            postgresql_where=sa.text("state IN ('asked', 'declined')"),
        )
        batch_op.create_index(
            "ix_invitation_look",
            ["account_id", "campaign_id", "look_at"],
            unique=False,
            sqlite_where=sa.text("state = 'planned' AND written_at IS NULL"),
            postgresql_where=sa.text("state = 'planned' AND written_at IS NULL"),
        )
        batch_op.create_index(
            "ix_invitation_remind",
            ["account_id", "campaign_id", "remind_at"],
            unique=False,
            sqlite_where=sa.text("remind_at IS NOT NULL"),
            postgresql_where=sa.text("remind_at IS NOT NULL"),
        )
        batch_op.create_index("ix_invitation_state", ["account_id", "campaign_id", "wave", "state", "reason"], unique=False)

    op.create_table(
        "portal_link",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("advocate_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "advocate_id"], ["advocate.account_id", "advocate.id"], name=op.f("fk_portal_link_account_id_advocate_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_portal_link_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_portal_link")),
    )
    with op.batch_alter_table("portal_link", schema=None) as batch_op:
        batch_op.create_index("ix_portal_link_advocate", ["account_id", "advocate_id"], unique=False)

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
        "referral",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("program_version_id", sa.Uuid(), nullable=False),
        sa.Column("advocate_id", sa.Uuid(), nullable=False),
        sa.Column("friend_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("review", sa.String(length=8), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("qualified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("qualifying_id", sa.Uuid(), nullable=True),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("void_reason", sa.String(length=40), nullable=False),
        sa.Column("rewards_final", sa.Boolean(), nullable=False),
        sa.Column("rewarded", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "advocate_id"], ["advocate.account_id", "advocate.id"], name=op.f("fk_referral_account_id_advocate_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "friend_id"], ["friend.account_id", "friend.id"], name=op.f("fk_referral_account_id_friend_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "program_id"], ["program.account_id", "program.id"], name=op.f("fk_referral_account_id_program_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "program_version_id"],
            ["program_version.account_id", "program_version.id"],
            name=op.f("fk_referral_account_id_program_version_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_referral_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_referral")),
        sa.UniqueConstraint("account_id", "program_id", "friend_id", name=op.f("uq_referral_account_id_program_id_friend_id")),
    )
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.create_index("ix_referral_advocate", ["account_id", "advocate_id"], unique=False)
        batch_op.create_index("ix_referral_friend", ["account_id", "friend_id"], unique=False)
        batch_op.create_index("ix_referral_looked", ["state", "looked_at"], unique=False)

    op.create_table(
        "referral_link",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("advocate_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("promotion_code_id", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "advocate_id"], ["advocate.account_id", "advocate.id"], name=op.f("fk_referral_link_account_id_advocate_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_referral_link_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_referral_link")),
    )
    with op.batch_alter_table("referral_link", schema=None) as batch_op:
        batch_op.create_index("ix_referral_link_advocate", ["account_id", "advocate_id"], unique=False)
        batch_op.create_index("ix_referral_link_promotion", ["account_id", "promotion_code_id"], unique=False)

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
        "share",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("advocate_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "advocate_id"], ["advocate.account_id", "advocate.id"], name=op.f("fk_share_account_id_advocate_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_share_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_share")),
    )
    with op.batch_alter_table("share", schema=None) as batch_op:
        batch_op.create_index("ix_share_advocate", ["account_id", "advocate_id", "occurred_at"], unique=False)

    op.create_table(
        "touch",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("friend_id", sa.Uuid(), nullable=False),
        sa.Column("advocate_id", sa.Uuid(), nullable=True),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("evidence_kind", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.String(length=255), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("click_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("ip_hash", sa.String(length=32), nullable=False),
        sa.Column("agent_hash", sa.String(length=32), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "advocate_id"], ["advocate.account_id", "advocate.id"], name=op.f("fk_touch_account_id_advocate_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "friend_id"], ["friend.account_id", "friend.id"], name=op.f("fk_touch_account_id_friend_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_touch_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_touch")),
        sa.UniqueConstraint(
            "account_id",
            "friend_id",
            "method",
            "evidence",
            "object_id",
            name=op.f("uq_touch_account_id_friend_id_method_evidence_object_id"),
        ),
    )
    with op.batch_alter_table("touch", schema=None) as batch_op:
        batch_op.create_index("ix_touch_advocate", ["account_id", "advocate_id", "occurred_at"], unique=False)
        batch_op.create_index("ix_touch_ip", ["account_id", "ip_hash", "occurred_at"], unique=False)

    op.create_table(
        "conversion",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("duplicate", sa.Boolean(), nullable=False),
        sa.Column("friend_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("product", sa.String(length=255), nullable=False),
        sa.Column("subscription", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("gross > 0 AND net >= 0 AND net <= gross", name=op.f("ck_conversion_amounts")),
        sa.ForeignKeyConstraint(
            ["account_id", "friend_id"], ["friend.account_id", "friend.id"], name=op.f("fk_conversion_account_id_friend_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "referral_id"], ["referral.account_id", "referral.id"], name=op.f("fk_conversion_account_id_referral_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_conversion_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_conversion")),
        sa.UniqueConstraint("account_id", "source", "external_id", name=op.f("uq_conversion_account_id_source_external_id")),
    )
    with op.batch_alter_table("conversion", schema=None) as batch_op:
        batch_op.create_index("ix_conversion_friend", ["account_id", "friend_id", "occurred_at"], unique=False)
        batch_op.create_index("ix_conversion_referral", ["account_id", "referral_id"], unique=False)
        batch_op.create_index("ix_conversion_sale", ["account_id", "sale_id"], unique=False)
        batch_op.create_index("ix_conversion_time", ["account_id", "occurred_at"], unique=False)

    op.create_table(
        "credit",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("touch_id", sa.Uuid(), nullable=False),
        sa.Column("advocate_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=5), nullable=False),
        sa.Column("ladder_version", sa.Integer(), nullable=False),
        sa.Column("losing", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("refused", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "referral_id"], ["referral.account_id", "referral.id"], name=op.f("fk_credit_account_id_referral_id")
        ),
        sa.ForeignKeyConstraint(["account_id", "touch_id"], ["touch.account_id", "touch.id"], name=op.f("fk_credit_account_id_touch_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_credit_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_credit")),
    )
    with op.batch_alter_table("credit", schema=None) as batch_op:
        batch_op.create_index("ix_credit_referral", ["account_id", "referral_id"], unique=False)

    op.create_table(
        "friend_refusal",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "link_id"], ["referral_link.account_id", "referral_link.id"], name=op.f("fk_friend_refusal_account_id_link_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_friend_refusal_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_friend_refusal")),
    )
    op.create_table(
        "referral_event",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.String(length=10), nullable=False),
        sa.Column("after", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "referral_id"], ["referral.account_id", "referral.id"], name=op.f("fk_referral_event_account_id_referral_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_referral_event_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_referral_event")),
    )
    with op.batch_alter_table("referral_event", schema=None) as batch_op:
        batch_op.create_index("ix_referral_event", ["account_id", "referral_id", "created_at"], unique=False)

    op.create_table(
        "referral_verdict",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("act", sa.String(length=8), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "referral_id"], ["referral.account_id", "referral.id"], name=op.f("fk_referral_verdict_account_id_referral_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_referral_verdict_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_referral_verdict")),
        sa.UniqueConstraint("account_id", "referral_id", "rule", name=op.f("uq_referral_verdict_account_id_referral_id_rule")),
    )
    op.create_table(
        "response",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("survey_version_id", sa.Uuid(), nullable=True),
        sa.Column("series", sa.String(length=14), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("first_score", sa.Integer(), nullable=False),
        sa.Column("nps_group", sa.String(length=10), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("wants_reply", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("signals", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("left_out_reason", sa.String(length=40), nullable=True),
        sa.Column("reviewed_by_id", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_was", sa.String(length=60), nullable=True),
        sa.Column("answered_properties", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("score BETWEEN 0 AND 10", name=op.f("ck_response_score_range")),
        sa.ForeignKeyConstraint(
            ["account_id", "campaign_id"], ["campaign.account_id", "campaign.id"], name=op.f("fk_response_account_id_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "contact_id"], ["contact.account_id", "contact.id"], name=op.f("fk_response_account_id_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "invitation_id"], ["invitation.account_id", "invitation.id"], name=op.f("fk_response_account_id_invitation_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "survey_version_id"],
            ["survey_version.account_id", "survey_version.id"],
            name=op.f("fk_response_account_id_survey_version_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_response_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_response")),
        sa.UniqueConstraint("account_id", "invitation_id", name=op.f("uq_response_account_id_invitation_id")),
    )
    with op.batch_alter_table("response", schema=None) as batch_op:
        batch_op.create_index("ix_response_contact", ["account_id", "contact_id", "first_day"], unique=False)
        batch_op.create_index("ix_response_day", ["account_id", "first_day"], unique=False)
        batch_op.create_index(
            "ix_response_not_counted",
            ["account_id", "kind", "series", "first_day"],
            unique=False,
            sqlite_where=sa.text("state != 'verified' OR is_test = 1 OR method = 'manual'"),
            postgresql_where=sa.text("state != 'verified' OR is_test OR method = 'manual'"),
        )
        batch_op.create_index("ix_response_state", ["account_id", "state", "first_at"], unique=False)

    op.create_table(
        "reward",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("advocate_id", sa.Uuid(), nullable=False),
        sa.Column("program_version_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("method", sa.String(length=14), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("because", sa.String(length=40), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("over_cap", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "advocate_id"], ["advocate.account_id", "advocate.id"], name=op.f("fk_reward_account_id_advocate_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "referral_id"], ["referral.account_id", "referral.id"], name=op.f("fk_reward_account_id_referral_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_reward_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_reward")),
        sa.UniqueConstraint(
            "account_id", "referral_id", "rule", "side", "source", name=op.f("uq_reward_account_id_referral_id_rule_side_source")
        ),
    )
    with op.batch_alter_table("reward", schema=None) as batch_op:
        batch_op.create_index("ix_reward_advocate", ["account_id", "advocate_id"], unique=False)
        batch_op.create_index("ix_reward_state", ["account_id", "state", "occurred_at"], unique=False)

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
        batch_op.create_index("ix_case_assigned", ["account_id", "assigned_at"], unique=False)
        batch_op.create_index("ix_case_closed", ["account_id", "closed_at"], unique=False)
        batch_op.create_index("ix_case_contact", ["account_id", "contact_id", "opened_at"], unique=False)
        batch_op.create_index(
            "ix_case_look",
            ["look_at"],
            unique=False,
            sqlite_where=sa.text("look_at IS NOT NULL"),
            postgresql_where=sa.text("look_at IS NOT NULL"),
        )
        batch_op.create_index("ix_case_opened", ["account_id", "opened_at"], unique=False)
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
        "ledger_entry",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reward_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "reward_id"], ["reward.account_id", "reward.id"], name=op.f("fk_ledger_entry_account_id_reward_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_ledger_entry_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_ledger_entry")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entry_reward", ["account_id", "reward_id"], unique=False)

    op.create_table(
        "response_answer",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("question", sa.String(length=60), nullable=False),
        sa.Column("value", sa.String(length=1000), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "response_id"], ["response.account_id", "response.id"], name=op.f("fk_response_answer_account_id_response_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_response_answer_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_response_answer")),
        sa.UniqueConstraint("account_id", "response_id", "question", name=op.f("uq_response_answer_account_id_response_id_question")),
    )
    op.create_table(
        "response_version",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("wants_reply", sa.Boolean(), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "response_id"], ["response.account_id", "response.id"], name=op.f("fk_response_version_account_id_response_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_response_version_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_response_version")),
        sa.UniqueConstraint("account_id", "response_id", "number", name=op.f("uq_response_version_account_id_response_id_number")),
    )
    op.create_table(
        "reward_event",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reward_id", sa.Uuid(), nullable=False),
        sa.Column("verb", sa.String(length=12), nullable=False),
        sa.Column("before", sa.String(length=12), nullable=False),
        sa.Column("after", sa.String(length=12), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "reward_id"], ["reward.account_id", "reward.id"], name=op.f("fk_reward_event_account_id_reward_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_reward_event_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_reward_event")),
    )
    with op.batch_alter_table("reward_event", schema=None) as batch_op:
        batch_op.create_index("ix_reward_event", ["account_id", "reward_id", "occurred_at"], unique=False)

    op.create_table(
        "reward_gate",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reward_id", sa.Uuid(), nullable=False),
        sa.Column("gate", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "reward_id"], ["reward.account_id", "reward.id"], name=op.f("fk_reward_gate_account_id_reward_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_reward_gate_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_reward_gate")),
        sa.UniqueConstraint("account_id", "reward_id", "gate", name=op.f("uq_reward_gate_account_id_reward_id_gate")),
    )
    with op.batch_alter_table("reward_gate", schema=None) as batch_op:
        batch_op.create_index("ix_reward_gate_open", ["account_id", "gate", "closed_at"], unique=False)

    op.create_table(
        "routing_decision",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("rule_set_number", sa.Integer(), nullable=False),
        sa.Column("matched", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("destination", sa.String(length=10), nullable=False),
        sa.Column("sentence", sa.String(length=300), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("advocate_id", sa.Uuid(), nullable=True),
        sa.Column("refused_because", sa.String(length=40), nullable=True),
        sa.Column("counted_late", sa.Boolean(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revised_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "response_id"], ["response.account_id", "response.id"], name=op.f("fk_routing_decision_account_id_response_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_routing_decision_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_routing_decision")),
        sa.UniqueConstraint("account_id", "response_id", name=op.f("uq_routing_decision_account_id_response_id")),
    )
    with op.batch_alter_table("routing_decision", schema=None) as batch_op:
        batch_op.create_index("ix_routing_decision_time", ["account_id", "decided_at"], unique=False)

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
        "ledger_line",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("reward_id", sa.Uuid(), nullable=False),
        sa.Column("advocate_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_line_amount")),
        sa.ForeignKeyConstraint(
            ["account_id", "entry_id"], ["ledger_entry.account_id", "ledger_entry.id"], name=op.f("fk_ledger_line_account_id_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "reward_id"], ["reward.account_id", "reward.id"], name=op.f("fk_ledger_line_account_id_reward_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_ledger_line_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_ledger_line")),
    )
    with op.batch_alter_table("ledger_line", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_line_advocate", ["account_id", "advocate_id", "name"], unique=False)
        batch_op.create_index("ix_ledger_line_name", ["account_id", "name", "currency"], unique=False)
        batch_op.create_index("ix_ledger_line_reward", ["account_id", "reward_id"], unique=False)

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

    engine = op.get_bind().dialect.name
    for statement in {"sqlite": SQLITE_TRIGGERS, "postgresql": POSTGRESQL_TRIGGERS}[engine]:
        op.execute(statement)
    if engine == "postgresql":
        for table in OWNED:
            op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
            op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
            op.execute(f'CREATE POLICY account_wall ON "{table}" USING ({WALL}) WITH CHECK ({WALL})')


def downgrade() -> None:
    op.drop_table("reply_draft")
    with op.batch_alter_table("ledger_line", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_line_reward")
        batch_op.drop_index("ix_ledger_line_name")
        batch_op.drop_index("ix_ledger_line_advocate")

    op.drop_table("ledger_line")
    op.drop_table("case_view")
    with op.batch_alter_table("case_event", schema=None) as batch_op:
        batch_op.drop_index("uq_case_event_undone")
        batch_op.drop_index("ix_case_event_response")
        batch_op.drop_index("ix_case_event_message")

    op.drop_table("case_event")
    with op.batch_alter_table("routing_decision", schema=None) as batch_op:
        batch_op.drop_index("ix_routing_decision_time")

    op.drop_table("routing_decision")
    with op.batch_alter_table("reward_gate", schema=None) as batch_op:
        batch_op.drop_index("ix_reward_gate_open")

    op.drop_table("reward_gate")
    with op.batch_alter_table("reward_event", schema=None) as batch_op:
        batch_op.drop_index("ix_reward_event")

    op.drop_table("reward_event")
    op.drop_table("response_version")
    op.drop_table("response_answer")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_entry_reward")

    op.drop_table("ledger_entry")
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
        batch_op.drop_index("ix_case_opened")
        batch_op.drop_index("ix_case_look", sqlite_where=sa.text("look_at IS NOT NULL"), postgresql_where=sa.text("look_at IS NOT NULL"))
        batch_op.drop_index("ix_case_contact")
        batch_op.drop_index("ix_case_closed")
        batch_op.drop_index("ix_case_assigned")

    op.drop_table("case_")
    with op.batch_alter_table("reward", schema=None) as batch_op:
        batch_op.drop_index("ix_reward_state")
        batch_op.drop_index("ix_reward_advocate")

    op.drop_table("reward")
    with op.batch_alter_table("response", schema=None) as batch_op:
        batch_op.drop_index("ix_response_state")
        batch_op.drop_index(
            "ix_response_not_counted",
            sqlite_where=sa.text("state != 'verified' OR is_test = 1 OR method = 'manual'"),
            postgresql_where=sa.text("state != 'verified' OR is_test OR method = 'manual'"),
        )
        batch_op.drop_index("ix_response_day")
        batch_op.drop_index("ix_response_contact")

    op.drop_table("response")
    op.drop_table("referral_verdict")
    with op.batch_alter_table("referral_event", schema=None) as batch_op:
        batch_op.drop_index("ix_referral_event")

    op.drop_table("referral_event")
    op.drop_table("friend_refusal")
    with op.batch_alter_table("credit", schema=None) as batch_op:
        batch_op.drop_index("ix_credit_referral")

    op.drop_table("credit")
    with op.batch_alter_table("conversion", schema=None) as batch_op:
        batch_op.drop_index("ix_conversion_time")
        batch_op.drop_index("ix_conversion_sale")
        batch_op.drop_index("ix_conversion_referral")
        batch_op.drop_index("ix_conversion_friend")

    op.drop_table("conversion")
    with op.batch_alter_table("touch", schema=None) as batch_op:
        batch_op.drop_index("ix_touch_ip")
        batch_op.drop_index("ix_touch_advocate")

    op.drop_table("touch")
    with op.batch_alter_table("share", schema=None) as batch_op:
        batch_op.drop_index("ix_share_advocate")

    op.drop_table("share")
    op.drop_table("saved_reply")
    with op.batch_alter_table("referral_link", schema=None) as batch_op:
        batch_op.drop_index("ix_referral_link_promotion")
        batch_op.drop_index("ix_referral_link_advocate")

    op.drop_table("referral_link")
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.drop_index("ix_referral_looked")
        batch_op.drop_index("ix_referral_friend")
        batch_op.drop_index("ix_referral_advocate")

    op.drop_table("referral")
    op.drop_table("queue_member")
    op.drop_table("queue_holiday")
    with op.batch_alter_table("portal_link", schema=None) as batch_op:
        batch_op.drop_index("ix_portal_link_advocate")

    op.drop_table("portal_link")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index("ix_invitation_state")
        batch_op.drop_index(
            "ix_invitation_remind", sqlite_where=sa.text("remind_at IS NOT NULL"), postgresql_where=sa.text("remind_at IS NOT NULL")
        )
        batch_op.drop_index(
            "ix_invitation_look",
            sqlite_where=sa.text("state = 'planned' AND written_at IS NULL"),
            postgresql_where=sa.text("state = 'planned' AND written_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_invitation_expires",
            sqlite_where=sa.text("state IN ('asked', 'declined')"),
            postgresql_where=sa.text("state IN ('asked', 'declined')"),
        )
        batch_op.drop_index("ix_invitation_contact")
        batch_op.drop_index("ix_invitation_asked")

    op.drop_table("invitation")
    op.drop_table("campaign_wave")
    with op.batch_alter_table("advocate_event", schema=None) as batch_op:
        batch_op.drop_index("ix_advocate_event")

    op.drop_table("advocate_event")
    op.drop_table("survey_version")
    op.drop_table("routing_rule")
    with op.batch_alter_table("queue", schema=None) as batch_op:
        batch_op.drop_index("uq_queue_default", sqlite_where=sa.text("is_default"), postgresql_where=sa.text("is_default"))

    op.drop_table("queue")
    op.drop_table("program_version")
    with op.batch_alter_table("program_change", schema=None) as batch_op:
        batch_op.drop_index("ix_program_change")

    op.drop_table("program_change")
    op.drop_table("import_row")
    op.drop_table("import_part")
    with op.batch_alter_table("import_change", schema=None) as batch_op:
        batch_op.drop_index("ix_import_change_import")
        batch_op.drop_index("ix_import_change_contact")

    op.drop_table("import_change")
    with op.batch_alter_table("friend_key", schema=None) as batch_op:
        batch_op.drop_index("ix_friend_key_friend")

    op.drop_table("friend_key")
    with op.batch_alter_table("friend_event", schema=None) as batch_op:
        batch_op.drop_index("ix_friend_event_friend")

    op.drop_table("friend_event")
    op.drop_table("delta_tail")
    with op.batch_alter_table("contact_alias", schema=None) as batch_op:
        batch_op.drop_index("ix_contact_alias_contact")

    op.drop_table("contact_alias")
    with op.batch_alter_table("consent_change", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_change_contact")

    op.drop_table("consent_change")
    op.drop_table("cause")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_index("ix_campaign_state")
        batch_op.drop_index(
            "ix_campaign_start", sqlite_where=sa.text("state = 'scheduled'"), postgresql_where=sa.text("state = 'scheduled'")
        )

    op.drop_table("campaign")
    with op.batch_alter_table("ask_refusal", schema=None) as batch_op:
        batch_op.drop_index("ix_ask_refusal_contact")

    op.drop_table("ask_refusal")
    with op.batch_alter_table("advocate", schema=None) as batch_op:
        batch_op.drop_index("ix_advocate_contact")

    op.drop_table("advocate")
    with op.batch_alter_table("wave_slot", schema=None) as batch_op:
        batch_op.drop_index("ix_wave_slot_place")

    op.drop_table("wave_slot")
    op.drop_table("usage_notice")
    with op.batch_alter_table("team_invite", schema=None) as batch_op:
        batch_op.drop_index("ix_team_invite_token")

    op.drop_table("team_invite")
    op.drop_table("survey")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index("ix_subscription_customer")

    op.drop_table("subscription")
    with op.batch_alter_table("stripe_connection", schema=None) as batch_op:
        batch_op.drop_index("ix_stripe_connection_account")

    op.drop_table("stripe_connection")
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.drop_index("ix_segment_name")

    op.drop_table("segment")
    op.drop_table("routing_rule_set")
    op.drop_table("rollup")
    op.drop_table("property_definition")
    with op.batch_alter_table("program", schema=None) as batch_op:
        batch_op.drop_index("ix_program_default")

    op.drop_table("program")
    with op.batch_alter_table("payment_warning", schema=None) as batch_op:
        batch_op.drop_index("ix_payment_warning_sale")

    op.drop_table("payment_warning")
    op.drop_table("pair_sum")
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
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index("ix_membership_user")

    op.drop_table("membership")
    op.drop_table("mailed_token")
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.drop_index("ix_login_session_user")

    op.drop_table("login_session")
    op.drop_table("link_code")
    op.drop_table("invoice")
    with op.batch_alter_table("import_", schema=None) as batch_op:
        batch_op.drop_index("ix_import_header")
        batch_op.drop_index(
            "ix_import_forget", sqlite_where=sa.text("forgotten_at IS NULL"), postgresql_where=sa.text("forgotten_at IS NULL")
        )

    op.drop_table("import_")
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.drop_index("ix_idempotency_key_begun")

    op.drop_table("idempotency_key")
    op.drop_table("hosted_page")
    op.drop_table("friend")
    op.drop_table("daily_sum")
    with op.batch_alter_table("conversion_ref", schema=None) as batch_op:
        batch_op.drop_index("ix_conversion_ref_sale")

    op.drop_table("conversion_ref")
    op.drop_table("contact_tally")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index("ix_contact_surname")
        batch_op.drop_index("ix_contact_name")
        batch_op.drop_index("ix_contact_company")

    op.drop_table("contact")
    op.drop_table("click_flag")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_time")

    op.drop_table("audit_entry")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index("ix_api_key_prefix")

    op.drop_table("api_key")
    with op.batch_alter_table("answer_delta", schema=None) as batch_op:
        batch_op.drop_index("ix_answer_delta_response")
        batch_op.drop_index("ix_answer_delta_contact")

    op.drop_table("answer_delta")
    with op.batch_alter_table("adjustment", schema=None) as batch_op:
        batch_op.drop_index("ix_adjustment_sale")

    op.drop_table("adjustment")
    op.drop_table("worker_beat")
    op.drop_table("user_")
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.drop_index("uq_suppression_open", sqlite_where=sa.text("lifted_at IS NULL"), postgresql_where=sa.text("lifted_at IS NULL"))
        batch_op.drop_index("ix_suppression_since")

    op.drop_table("suppression")
    with op.batch_alter_table("sign_in_try", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_try_key")

    op.drop_table("sign_in_try")
    op.drop_table("sending_state")
    op.drop_table("sender_domain")
    op.drop_table("schedule_run")
    op.drop_table("provider_pace")
    op.drop_table("price")
    with op.batch_alter_table("mailbox_mail", schema=None) as batch_op:
        batch_op.drop_index("ix_mailbox_mail_to")

    op.drop_table("mailbox_mail")
    op.drop_table("mail_template")
    op.drop_table("mail_lane")
    op.drop_table("mail_batch")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_job_key_open",
            sqlite_where=sa.text("key IS NOT NULL AND state = 'due'"),
            postgresql_where=sa.text("key IS NOT NULL AND state = 'due'"),
        )
        batch_op.drop_index("ix_job_lease", sqlite_where=sa.text("state = 'running'"), postgresql_where=sa.text("state = 'running'"))
        batch_op.drop_index("ix_job_due", sqlite_where=sa.text("state = 'due'"), postgresql_where=sa.text("state = 'due'"))

    op.drop_table("job")
    op.drop_table("inbox_event")
    with op.batch_alter_table("inbound_mail", schema=None) as batch_op:
        batch_op.drop_index("ix_inbound_mail_state")
        batch_op.drop_index("ix_inbound_mail_message")

    op.drop_table("inbound_mail")
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.drop_index("ix_hit_time")
        batch_op.drop_index("ix_hit_invitation")

    op.drop_table("hit")
    op.drop_table("day_salt")
    with op.batch_alter_table("click", schema=None) as batch_op:
        batch_op.drop_index("ix_click_time")
        batch_op.drop_index("ix_click_link")

    op.drop_table("click")
    op.drop_table("address_health")
    op.drop_table("account")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS refuse_change()")
