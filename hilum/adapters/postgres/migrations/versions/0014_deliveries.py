"""Destinations, deliveries, what their objects need of an image, and limits of a flow.

Revision: 0014, after 0013. 2026-12-01.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
works_from = "0008"

DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
DEFERRED: Any = {"deferrable": True, "initially": "DEFERRED"}
TIME = sa.DateTime(timezone=True)
STATES = "state IN ('received', 'queued', 'running', 'sent', 'confirmed', 'failed', 'discarded')"
PRIORITIES = "priority IN ('stat', 'routine', 'batch')"
QUEUED = sa.text("state = 'queued'")
RUNNING = sa.text("state = 'running'")
AWAITED = sa.text("state = 'sent' AND transaction_uid IS NOT NULL")


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("work_flows", sa.Column("max_running", sa.Integer))
    op.add_column("work_flows", sa.Column("blocked_until", TIME))
    op.add_column(
        "work_flows", sa.Column("failures", sa.Integer, nullable=False, server_default="0")
    )
    op.create_table(
        "destinations",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("address", DOCUMENT, nullable=False),
        sa.Column("objects", DOCUMENT, nullable=False),
        sa.Column("options", DOCUMENT, nullable=False),
        sa.Column("rule", DOCUMENT, nullable=False),
        sa.Column("commitment", sa.Boolean, nullable=False),
        sa.Column("max_associations", sa.Integer, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_destinations"),
        sa.CheckConstraint("kind IN ('c_store', 'stow')", name=op.f("ck_destinations_kind")),
        sa.CheckConstraint("max_associations > 0", name=op.f("ck_destinations_max_associations")),
    )
    op.create_index("ix_destinations_site", "destinations", ["site"])
    op.create_table(
        "deliveries",
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
        sa.Column("request_id", sa.Text),
        sa.Column("destination_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("objects", DOCUMENT, nullable=False),
        sa.Column("queued_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.Column("transaction_uid", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_deliveries_job_id", **DEFERRED),
        sa.ForeignKeyConstraint(
            ["destination_id"],
            ["destinations.id"],
            name="fk_deliveries_destination_id",
            **DEFERRED,
        ),
        sa.CheckConstraint(STATES, name=op.f("ck_deliveries_state")),
        sa.CheckConstraint(PRIORITIES, name=op.f("ck_deliveries_priority")),
    )
    op.create_index(
        "ix_deliveries_claim",
        "deliveries",
        ["priority", "destination_id", "fair_tag", "created_at", "id"],
        postgresql_where=QUEUED,
        sqlite_where=QUEUED,
    )
    op.create_index(
        "ix_deliveries_running",
        "deliveries",
        ["lease_expires_at"],
        postgresql_where=RUNNING,
        sqlite_where=RUNNING,
    )
    op.create_index(
        "ix_deliveries_awaited",
        "deliveries",
        ["sent_at", "id"],
        postgresql_where=AWAITED,
        sqlite_where=AWAITED,
    )
    op.create_index("ix_deliveries_job_id", "deliveries", ["job_id"])
    op.create_index(
        "ix_deliveries_state_created_at_id", "deliveries", ["state", "created_at", "id"]
    )
    op.create_index(
        "ix_deliveries_destination_id_created_at_id",
        "deliveries",
        ["destination_id", "created_at", "id"],
    )
    op.create_index("ix_deliveries_transaction_uid", "deliveries", ["transaction_uid"])
    op.create_table(
        "delivery_contexts",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_delivery_contexts_job_id"),
        sa.PrimaryKeyConstraint("job_id", name="pk_delivery_contexts"),
    )


def downgrade() -> None:
    """Go back to 0013. What was to be delivered is forgotten."""
    op.drop_table("delivery_contexts")
    op.drop_table("deliveries")
    op.drop_table("destinations")
    for name in ("failures", "blocked_until", "max_running"):
        op.drop_column("work_flows", name)
