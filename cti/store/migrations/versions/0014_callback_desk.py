"""The callback desk: what a callback is, by when, and how it ended"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("callbacks") as batch:
        batch.add_column(sa.Column("source", sa.String(length=16), nullable=False, server_default="ticket"))
        batch.add_column(sa.Column("kind", sa.String(length=24), nullable=True))
        batch.add_column(sa.Column("mandatory", sa.Boolean(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("deadline", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("appointment_at", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("by_key", sa.Boolean(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("joined", sa.JSON(), nullable=False, server_default="[]"))
        batch.add_column(sa.Column("result", sa.String(length=16), nullable=True))
        batch.add_column(sa.Column("close_reason", sa.String(length=200), nullable=False, server_default=""))
        batch.add_column(sa.Column("override_by", sa.String(length=16), nullable=True))
        batch.add_column(sa.Column("override_reason", sa.String(length=200), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("callbacks") as batch:
        for name in (
            "override_reason", "override_by", "close_reason", "result", "joined", "by_key", "appointment_at",
            "deadline", "mandatory", "kind", "source",
        ):  # fmt: skip
            batch.drop_column(name)
