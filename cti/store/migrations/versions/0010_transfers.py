"""Transfers"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transfers",
        sa.Column("transfer_id", sa.String(length=40), nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=80), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=True),
        sa.Column("agent", sa.String(length=16), nullable=False),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("target_kind", sa.String(length=8), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("by_phone", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("rang_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.Column("consult_id", sa.String(length=80), nullable=True),
        sa.Column("leg", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("transfer_id"),
    )
    op.create_index("transfers_by_call", "transfers", ["pbx_id", "call_id"])
    op.create_index("transfers_by_ticket", "transfers", ["ticket_id", "target"])
    op.create_index("transfers_open", "transfers", ["ended_at"])


def downgrade() -> None:
    op.drop_table("transfers")
