"""What is said first of an image, and operating points for children and beyond a scope.

Revision: 0007, after 0006. 2026-11-30.

A release before this one neither writes nor reads them. A label that was not assessed is negative
to that release, at an operating point of 1.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
works_from = "0006"

DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("results", sa.Column("impression", DOCUMENT))
    op.add_column("operating_points", sa.Column("child_threshold", sa.Double))
    op.add_column("operating_points", sa.Column("beyond_scope", DOCUMENT))


def downgrade() -> None:
    """Go back to 0006. Impressions and what is added to operating points go, the rest stays."""
    op.drop_column("operating_points", "beyond_scope")
    op.drop_column("operating_points", "child_threshold")
    op.drop_column("results", "impression")
