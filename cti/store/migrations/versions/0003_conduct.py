"""Conduct on duty: duty log, permits, arrivals, break line, retraining"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duty_log",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("pbx_id", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("agent", sa.String(16), nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("seat", sa.String(32)),
        sa.Column("reason", sa.String(80)),
        sa.Column("by", sa.String(16)),
    )
    op.create_index("duty_log_by_time", "duty_log", ["pbx_id", "at"])
    op.create_index("duty_log_by_agent", "duty_log", ["pbx_id", "agent", "at"])
    op.create_table(
        "permits",
        sa.Column("permit_id", sa.String(40), primary_key=True),
        sa.Column("pbx_id", sa.String(32), nullable=False),
        sa.Column("agent", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(16)),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("answer", sa.String(200), nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("used_at", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
    )
    op.create_index("permits_by_time", "permits", ["pbx_id", "asked_at"])
    op.create_table(
        "arrivals",
        sa.Column("pbx_id", sa.String(32), primary_key=True),
        sa.Column("agent", sa.String(16), primary_key=True),
        sa.Column("shift_id", sa.String(80), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "break_line",
        sa.Column("entry_id", sa.String(40), primary_key=True),
        sa.Column("pbx_id", sa.String(32), nullable=False),
        sa.Column("agent", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("why", sa.String(40)),
    )
    op.create_index("break_line_by_state", "break_line", ["pbx_id", "state"])
    op.create_table(
        "trainings",
        sa.Column("training_id", sa.String(40), primary_key=True),
        sa.Column("pbx_id", sa.String(32), nullable=False),
        sa.Column("agent", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
    )
    op.create_index("trainings_by_agent", "trainings", ["pbx_id", "agent", "at"])


def downgrade() -> None:
    for table in ("trainings", "break_line", "arrivals", "permits", "duty_log"):
        op.drop_table(table)
