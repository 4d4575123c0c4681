"""Callbacks are found by the key of whoever joined them"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("steps_by_request", "callback_steps", ["request_key"])


def downgrade() -> None:
    op.drop_index("steps_by_request", "callback_steps")
