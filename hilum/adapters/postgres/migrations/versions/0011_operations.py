"""Operations, attempts at work, and the workers that are alive.

Revision: 0011, after 0010. 2026-11-30.

A release before this one neither writes nor reads them. Its attempts leave no row.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
works_from = "0008"

DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
STATES = "state IN ('received', 'queued', 'running', 'completed', 'failed', 'discarded', 'stopped')"
PRIORITIES = "priority IN ('stat', 'routine', 'batch')"
OUTCOMES = "outcome IN ('done', 'rejected', 'failed', 'outage', 'lost')"
QUEUED = sa.text("state = 'queued'")
RUNNING = sa.text("state = 'running'")


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "operations",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("losses", sa.Integer, nullable=False),
        sa.Column("reason_code", sa.Text),
        sa.Column("reason_detail", sa.Text),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_expires_at", TIME),
        sa.Column("not_before", TIME),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("fair_tag", sa.Double, nullable=False, server_default="0"),
        sa.Column("traceparent", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("arguments", DOCUMENT, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("cursor", sa.Text),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("rate", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_operations"),
        sa.CheckConstraint(STATES, name=op.f("ck_operations_state")),
        sa.CheckConstraint(PRIORITIES, name=op.f("ck_operations_priority")),
    )
    op.create_index(
        "ix_operations_claim",
        "operations",
        ["priority", "site", "fair_tag", "created_at", "id"],
        postgresql_where=QUEUED,
        sqlite_where=QUEUED,
    )
    op.create_index(
        "ix_operations_running",
        "operations",
        ["lease_expires_at"],
        postgresql_where=RUNNING,
        sqlite_where=RUNNING,
    )
    op.create_index("ix_operations_created_at_id", "operations", ["created_at", "id"])
    op.create_table(
        "attempts",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("work_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("server_id", sa.Text),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("timings_ms", DOCUMENT, nullable=False),
        sa.Column("trace_id", sa.Text),
        sa.PrimaryKeyConstraint("work_id", "kind", "number", name="pk_attempts"),
        sa.CheckConstraint(OUTCOMES, name=op.f("ck_attempts_outcome")),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("queues", DOCUMENT, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("busy", sa.Integer, nullable=False),
        sa.Column("last_beat_at", TIME, nullable=False),
        sa.Column("last_claim_at", TIME),
        sa.Column("last_finish_at", TIME),
        sa.Column("clock_offset_ms", sa.Double),
        sa.Column("breakers", DOCUMENT, nullable=False),
        sa.Column("draining", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
    )


def downgrade() -> None:
    """Go back to 0010. Operations that wait are lost, and so is who tried what."""
    op.drop_table("workers")
    op.drop_table("attempts")
    op.drop_table("operations")
