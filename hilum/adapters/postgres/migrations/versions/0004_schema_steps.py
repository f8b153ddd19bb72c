"""What the steps say of older releases, kept where those can read it.

Revision: 0004, after 0003. 2026-11-21.

The rows are written after every upgrade by :mod:`hilum.adapters.postgres.migrate`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
works_from = "0003"


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "schema_steps",
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("works_from", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_schema_steps"),
    )


def downgrade() -> None:
    """Go back to 0003."""
    op.drop_table("schema_steps")
