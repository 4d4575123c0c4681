"""Particulars of ticket stubs, several of one call, and those that another channel opened"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tickets") as tickets:
        tickets.alter_column("call_id", existing_type=sa.String(length=80), nullable=True)
        tickets.add_column(sa.Column("ordinal", sa.Integer(), server_default="1", nullable=False))
        tickets.drop_constraint("one_stub_per_answered_call", type_="unique")
        tickets.create_unique_constraint("one_stub_per_answered_call", ["pbx_id", "call_id", "ordinal"])
    op.create_table(
        "stubs",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=80), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("caller", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=True),
        sa.Column("area", sa.String(length=40), nullable=True),
        sa.Column("emergency", sa.Boolean(), nullable=False),
        sa.Column("caller_kind", sa.String(length=16), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("verified_by", sa.String(length=16), nullable=True),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("notes_version", sa.Integer(), nullable=False),
        sa.Column("complaint_grade", sa.String(length=1), nullable=True),
        sa.Column("grade", sa.String(length=8), nullable=True),
        sa.Column("unit", sa.String(length=40), nullable=True),
        sa.Column("hand_out_due", sa.BigInteger(), nullable=True),
        sa.Column("handed_out_at", sa.BigInteger(), nullable=True),
        sa.Column("returned_at", sa.BigInteger(), nullable=True),
        sa.Column("overdue_told", sa.Boolean(), nullable=False),
        sa.Column("taken_due", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("finish_due", sa.BigInteger(), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("reminded_at", sa.BigInteger(), nullable=True),
        sa.Column("request_key", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("ticket_id"),
        sa.UniqueConstraint("request_key"),
    )
    op.create_index("stubs_by_caller", "stubs", ["caller", "opened_at"])
    op.create_index("stubs_by_kind", "stubs", ["kind", "area", "opened_at"])
    op.create_table(
        "stub_steps",
        sa.Column("step_id", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("step_id"),
    )
    op.create_index("stub_steps_by_ticket", "stub_steps", ["ticket_id", "at"])
    op.create_index("callbacks_by_number", "callbacks", ["number", "requested_at"])


def downgrade() -> None:
    op.drop_index("callbacks_by_number", "callbacks")
    op.drop_table("stub_steps")
    op.drop_table("stubs")
    with op.batch_alter_table("tickets") as tickets:
        tickets.drop_constraint("one_stub_per_answered_call", type_="unique")
        tickets.create_unique_constraint("one_stub_per_answered_call", ["pbx_id", "call_id"])
        tickets.drop_column("ordinal")
        tickets.alter_column("call_id", existing_type=sa.String(length=80), nullable=False)
