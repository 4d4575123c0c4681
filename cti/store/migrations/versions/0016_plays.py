"""Who heard which recording, and the callback desk's ways to its rows"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INDEXES = {  # what the desk looks for: a year has more than half a million callbacks
    "callbacks_open": ["closed_at"],
    "callbacks_by_agent": ["agent", "state"],
    "callbacks_by_ticket": ["ticket_id"],
    "callbacks_by_request": ["requested_at"],
}


def upgrade() -> None:
    op.create_table(
        "plays",
        sa.Column("play_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=80), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("callback_id", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("play_id"),
    )
    op.create_index("plays_by_call", "plays", ["pbx_id", "call_id"])
    for name, columns in INDEXES.items():
        op.create_index(name, "callbacks", columns)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "callbacks")
    op.drop_table("plays")
