"""What is owed: lists and draws, results, steps, supervision"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("stubs") as batch:
        for name in ("no_callback", "repeat", "daily_brief", "flying_letter"):
            batch.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default="0"))
    op.create_table(
        "owed_tickets",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("articles", sa.JSON(), nullable=False),
        sa.Column("draw_id", sa.String(length=40), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("callback_id", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("ticket_id", "round"),
    )
    op.create_index("owed_by_draw", "owed_tickets", ["draw_id"])
    op.create_index("owed_by_time", "owed_tickets", ["pbx_id", "at"])
    op.create_table(
        "draws",
        sa.Column("draw_id", sa.String(length=40), nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("pool", sa.String(length=40), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("at_once", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("listed", sa.JSON(), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("list_hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("draw_id"),
    )
    op.create_index("draws_by_time", "draws", ["pbx_id", "opened_at"])
    op.create_table(
        "callback_results",
        sa.Column("channel_id", sa.String(length=80), nullable=False),
        sa.Column("callback_id", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("channel_id"),
    )
    op.create_index("results_by_callback", "callback_results", ["callback_id"])
    op.create_index("results_by_cause", "callback_results", ["what", "at"])
    op.create_index("results_by_ticket", "callback_results", ["ticket_id", "what"])
    op.create_table(
        "callback_steps",
        sa.Column("step_id", sa.String(length=40), nullable=False),
        sa.Column("callback_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("request_key", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("step_id"),
    )
    op.create_index("steps_by_callback", "callback_steps", ["callback_id", "at"])
    op.create_table(
        "supervised_tickets",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.String(length=40), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.Column("lifted_by", sa.String(length=16), nullable=True),
        sa.Column("lift_reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id"),
    )
    op.create_index("supervised_open", "supervised_tickets", ["pbx_id", "lifted_at"])


def downgrade() -> None:
    for name in ("supervised_tickets", "callback_steps", "callback_results", "draws", "owed_tickets"):
        op.drop_table(name)
    with op.batch_alter_table("stubs") as batch:
        for name in ("flying_letter", "daily_brief", "repeat", "no_callback"):
            batch.drop_column(name)
