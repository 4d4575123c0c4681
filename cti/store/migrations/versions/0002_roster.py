"""Roster"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shifts",
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("shift_id", sa.String(length=40), nullable=False),
        sa.Column("agent", sa.String(length=16), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("crew", sa.String(length=16), nullable=False),
        sa.Column("seat", sa.String(length=32), nullable=True),
        sa.Column("extra", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("pbx_id", "shift_id"),
    )
    op.create_index("shifts_by_start", "shifts", ["starts_at"])
    op.create_index(
        "one_shift_at_a_start",
        "shifts",
        ["pbx_id", "agent", "starts_at"],
        unique=True,
        sqlite_where=sa.text("state = 'on'"),
    )
    op.create_table(
        "roster_requests",
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("shift_id", sa.String(length=40), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("stand_in", sa.String(length=40), nullable=True),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("pbx_id", "request_id"),
    )
    op.create_index("roster_requests_by_number", "roster_requests", ["number", "starts_at"])
    op.create_index("roster_requests_by_start", "roster_requests", ["starts_at"])


def downgrade() -> None:
    op.drop_table("roster_requests")
    op.drop_table("shifts")
