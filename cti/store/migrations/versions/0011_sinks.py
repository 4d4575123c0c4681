"""Sinks"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sinks",
        sa.Column("sink_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("url", sa.String(length=500)),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("with_numbers", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.String(length=120)),
        sa.Column("former_secret", sa.String(length=120)),
        sa.Column("former_until", sa.BigInteger()),
        sa.Column("from_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=16)),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("end_reason", sa.String(length=16)),
        sa.Column("failing_since", sa.BigInteger()),
        sa.Column("last_success_at", sa.BigInteger()),
        sa.Column("last_status", sa.String(length=40)),
        sa.PrimaryKeyConstraint("sink_id"),
    )
    op.create_table(
        "deliveries",
        sa.Column("sink_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("given_up_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("sink_id", "seq"),
    )
    op.create_index("deliveries_in_order", "deliveries", ["sink_id", "given_up_at", "key", "seq"])
    op.create_table(
        "sink_tries",
        sa.Column("try_id", sa.Integer(), nullable=False),
        sa.Column("sink_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("try_id"),
    )
    op.create_index("sink_tries_by_time", "sink_tries", ["sink_id", "at"])
    op.create_table(
        "sink_calls",
        sa.Column("sink_id", sa.String(length=40), nullable=False),
        sa.Column("call_id", sa.String(length=80), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sink_id", "call_id"),
    )
    op.create_index("sink_calls_by_time", "sink_calls", ["at"])
    _inbound()


def _inbound() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("token_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=16), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_by", sa.String(length=16)),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("token_id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_table(
        "api_uses",
        sa.Column("use_id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("use_id"),
    )
    op.create_index("api_uses_by_time", "api_uses", ["token_id", "at"])
    op.create_table(
        "replies",
        sa.Column("token_id", sa.String(length=40), nullable=False),
        sa.Column("request_key", sa.String(length=60), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reported_at", sa.BigInteger(), nullable=False),
        sa.Column("reported_by", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("token_id", "request_key"),
    )
    op.create_index("replies_by_ticket", "replies", ["ticket_id", "at"])


def downgrade() -> None:
    for table in ("replies", "api_uses", "api_tokens", "sink_calls", "sink_tries", "deliveries", "sinks"):
        op.drop_table(table)
