"""Survey"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ratings",
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=80), nullable=False),
        sa.Column("agent", sa.String(length=16), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pbx_id", "call_id"),
    )
    op.create_index("ratings_by_agent", "ratings", ["pbx_id", "agent", "at"])
    op.create_table(
        "outages",
        sa.Column("outage_id", sa.String(length=40), nullable=False),
        sa.Column("pbx_id", sa.String(length=32), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("said_from", sa.BigInteger(), nullable=False),
        sa.Column("put_by", sa.String(length=16), nullable=False),
        sa.Column("put_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("outage_id"),
    )
    op.create_index("outages_by_end", "outages", ["pbx_id", "closed_at"])
    op.create_index(
        "one_notice_an_area", "outages", ["pbx_id", "area"], unique=True, sqlite_where=sa.text("closed_at IS NULL")
    )


def downgrade() -> None:
    op.drop_table("outages")
    op.drop_table("ratings")
