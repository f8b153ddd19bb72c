"""When a film's bytes were removed, and which objects are still to be.

Revision: 0006, after 0005. 2026-11-21.

A release before this one shows an expired film as missing, and does not keep one that is sent
again; results are as they were.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
works_from = "0003"

TIME = sa.DateTime(timezone=True)
WITH_FILM = sa.text("state IN ('completed', 'discarded', 'rejected') AND film_expired_at IS NULL")


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("jobs", sa.Column("film_expired_at", TIME))
    op.add_column("jobs", sa.Column("film_sent_again_at", TIME))
    op.create_index(
        "ix_jobs_with_film",
        "jobs",
        ["film_expired_at", "updated_at", "id"],
        postgresql_where=WITH_FILM,
        sqlite_where=WITH_FILM,
    )
    op.create_index("ix_instances_object_key", "instances", ["object_key"])
    op.create_table(
        "film_removals",
        sa.Column("object_key", sa.Text, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("object_key", name="pk_film_removals"),
    )


def downgrade() -> None:
    """Go back to 0005; that films were removed is forgotten, their bytes stay away."""
    op.drop_table("film_removals")
    op.drop_index("ix_instances_object_key", "instances")
    op.drop_index("ix_jobs_with_film", "jobs")
    op.drop_column("jobs", "film_sent_again_at")
    op.drop_column("jobs", "film_expired_at")
