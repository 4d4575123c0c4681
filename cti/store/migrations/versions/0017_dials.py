"""Previews, extensions, whose key dialled, and how dialling stands"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "callback_previews",
        sa.Column("callback_id", sa.String(length=40), nullable=False),
        sa.Column("agent", sa.String(length=16), nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("callback_id", "agent"),
    )
    op.create_table(
        "callback_extensions",
        sa.Column("callback_id", sa.String(length=40), nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("extension", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("callback_id"),
    )
    op.create_table(
        "dials",
        sa.Column("channel_id", sa.String(length=80), nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("callback_id", sa.String(length=40), nullable=False),
        sa.Column("pressed_by", sa.String(length=16), nullable=True),
        sa.Column("override_by", sa.String(length=16), nullable=True),
        sa.Column("override_reason", sa.String(length=200), nullable=False),
        sa.Column("call_id", sa.String(length=80), nullable=True),
        sa.Column("came_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("channel_id"),
    )
    op.create_index("dials_by_callback", "dials", ["callback_id"])
    op.create_table(
        "dial_house",
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("waiting_most", sa.Integer(), nullable=True),
        sa.Column("waiting_by", sa.String(length=16), nullable=True),
        sa.Column("waiting_at", sa.BigInteger(), nullable=True),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("stepped_at", sa.BigInteger(), nullable=True),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("pbx_id"),
    )


def downgrade() -> None:
    for table in ("dial_house", "dials", "callback_extensions", "callback_previews"):
        op.drop_table(table)
