"""Handover"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tickets") as tickets:
        tickets.add_column(sa.Column("owner", sa.String(length=16), nullable=True))
        tickets.add_column(sa.Column("owned_at", sa.BigInteger(), nullable=True))
        tickets.add_column(sa.Column("closed_at", sa.BigInteger(), nullable=True))
        tickets.add_column(sa.Column("closed_by", sa.String(length=16), nullable=True))
        tickets.create_index("tickets_open", ["closed_at", "owned_at"])
    op.execute("update tickets set owner = agent, owned_at = opened_at")
    op.create_table(
        "handovers",
        sa.Column("handover_id", sa.String(length=40), nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("handover_id"),
        sa.UniqueConstraint("pbx_id", "at", "prepared_at", name="one_handover_at_a_moment"),
    )
    op.create_index("handovers_by_time", "handovers", ["at"])
    op.create_table(
        "handover_pairs",
        sa.Column("handover_id", sa.String(length=40), nullable=False),
        sa.Column("outgoing", sa.String(length=16), nullable=False),
        sa.Column("outgoing_shift", sa.String(length=80), nullable=False),
        sa.Column("seat", sa.String(length=32), nullable=True),
        sa.Column("incoming", sa.String(length=16), nullable=True),
        sa.Column("incoming_shift", sa.String(length=80), nullable=True),
        sa.Column("paired_by", sa.String(length=16), nullable=True),
        sa.Column("paired_at", sa.BigInteger(), nullable=True),
        sa.Column("out_signed_at", sa.BigInteger(), nullable=True),
        sa.Column("in_signed_at", sa.BigInteger(), nullable=True),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.Column("relieved_at", sa.BigInteger(), nullable=True),
        sa.Column("relieved_by", sa.String(length=16), nullable=True),
        sa.Column("overtime_why", sa.String(length=16), nullable=True),
        sa.Column("overtime_from", sa.BigInteger(), nullable=True),
        sa.Column("overtime_mono", sa.Float(), nullable=True),
        sa.Column("overtime_boot", sa.String(length=80), nullable=True),
        sa.Column("overtime_ms", sa.BigInteger(), nullable=True),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("handover_id", "outgoing"),
    )
    op.create_table(
        "handover_items",
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("handover_id", sa.String(length=40), nullable=False),
        sa.Column("outgoing", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=True),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("added_by", sa.String(length=16), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_by", sa.String(length=16), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("settled_by", sa.String(length=16), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("item_id"),
    )
    op.create_index("handover_items_by_sheet", "handover_items", ["handover_id", "outgoing"])
    op.create_index("handover_items_by_subject", "handover_items", ["subject"])
    op.create_table(
        "handover_gaps",
        sa.Column("gap_id", sa.String(length=40), nullable=False),
        sa.Column("handover_id", sa.String(length=40), nullable=False),
        sa.Column("seat", sa.String(length=32), nullable=False),
        sa.Column("outgoing", sa.String(length=16), nullable=False),
        sa.Column("incoming", sa.String(length=16), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("began_mono", sa.Float(), nullable=False),
        sa.Column("boot", sa.String(length=80), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("caused_by", sa.String(length=16), nullable=False),
        sa.Column("limit_ms", sa.Integer(), nullable=True),
        sa.Column("alarmed_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.Column("ms", sa.BigInteger(), nullable=True),
        sa.Column("within", sa.Boolean(), nullable=True),
        sa.Column("by_wall", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("gap_id"),
    )
    op.create_index("handover_gaps_by_handover", "handover_gaps", ["handover_id"])
    op.create_index("handover_gaps_running", "handover_gaps", ["ended_at"])


def downgrade() -> None:
    for table in ("handover_gaps", "handover_items", "handover_pairs", "handovers"):
        op.drop_table(table)
    with op.batch_alter_table("tickets") as tickets:
        tickets.drop_index("tickets_open")
        for column in ("closed_by", "closed_at", "owned_at", "owner"):
            tickets.drop_column(column)
