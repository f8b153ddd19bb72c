"""Flows of work, and the fair tag and trace context of a queued job.

Revision: 0010, after 0009. 2026-11-30.

A release before this one queues jobs whose tag is zero. They come first of their site, and the
reconciler gives them a tag and a flow. On PostgreSQL indices are built after the steps, while
writers go on: see ``concurrent_indices``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
works_from = "0008"

QUEUED = sa.text("state = 'queued'")
# Each claim leaves a dead entry at the head of ix_jobs_claim, and claims step over it. By default a
# table is vacuumed when a fifth of its rows are dead: after years that is months of work.
VACUUM = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000"
UNTAGGED = sa.text("state = 'queued' AND fair_tag = 0")


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("jobs", sa.Column("fair_tag", sa.Double, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("traceparent", sa.Text))
    op.create_table(
        "work_flows",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("last_tag", sa.Double, nullable=False),
        sa.Column("tag_offset", sa.Double, nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True)),
        sa.Column("pause_reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("kind", "priority", "flow", name="pk_work_flows"),
    )
    if op.get_bind().dialect.name == "sqlite":
        columns = ["priority", "site", "fair_tag", "created_at", "id"]
        op.create_index("ix_jobs_claim", "jobs", columns, sqlite_where=QUEUED)
        columns = ["fair_tag", "created_at", "id"]
        op.create_index("ix_jobs_untagged", "jobs", columns, sqlite_where=UNTAGGED)
        for table in ("instances", "jobs"):
            op.create_index(f"ix_{table}_study_id", table, ["study_id"])
    else:
        op.execute(f"ALTER TABLE jobs SET ({VACUUM})")


def downgrade() -> None:
    """Go back to 0009. Order is by age again."""
    for name in ("ix_jobs_claim", "ix_jobs_untagged"):
        op.drop_index(name, "jobs", if_exists=True)
    for table in ("instances", "jobs"):
        op.drop_index(f"ix_{table}_study_id", table, if_exists=True)
    if op.get_bind().dialect.name == "postgresql":
        names = ", ".join(setting.split(" = ")[0] for setting in VACUUM.split(", "))
        op.execute(f"ALTER TABLE jobs RESET ({names})")
    op.drop_table("work_flows")
    op.drop_column("jobs", "traceparent")
    op.drop_column("jobs", "fair_tag")
