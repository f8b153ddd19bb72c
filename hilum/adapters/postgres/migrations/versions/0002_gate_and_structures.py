"""What the gate said of a film, and the structures that were outlined on it.

Revision: 0002, after 0001. 2026-11-21.

A result that was written before has neither; it stays as it is.

A step spells out its tables and values as they were on its day; it never imports ``tables``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
works_from = "0002"

DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "gate_readings",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("model_set", sa.Text, nullable=False),
        sa.Column("reading", DOCUMENT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_gate_readings"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_gate_readings_job_id"),
    )
    # Without a default: PostgreSQL rewrites no row for it, however many results there are.
    op.add_column("results", sa.Column("structures", DOCUMENT))


def downgrade() -> None:
    """Go back to 0001; what the gate said and the outlines are lost."""
    # SQLite drops a column by itself since 3.35; a copy of the table would lose its references.
    op.drop_column("results", "structures")
    op.drop_table("gate_readings")
