"""What was corrected and noted of an image, proportions of its pixels, and rules of sites.

Revision: 0008, after 0007. 2026-11-30.

A release before this one neither writes nor reads them. To that release pixels are square, and raw
detector images are like any other.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
works_from = "0006"

DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("jobs", sa.Column("notes", DOCUMENT))
    op.add_column("results", sa.Column("pixel_aspect", sa.Double))
    op.create_table(
        "site_rules",
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site", "rule", name="pk_site_rules"),
    )


def downgrade() -> None:
    """Go back to 0007. Notes, proportions and rules go, the rest stays."""
    op.drop_table("site_rules")
    op.drop_column("results", "pixel_aspect")
    op.drop_column("jobs", "notes")
