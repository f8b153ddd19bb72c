"""Tables of DICOM peers, their associations, destinations and deliveries."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from hilum.adapters.postgres.column_types import Document, UtcTime
from hilum.adapters.postgres.work_tables import work_columns
from hilum.domain.association import AssociationOutcome
from hilum.domain.delivery import DELIVERY
from hilum.domain.destination import DestinationKind


class PacsTables(NamedTuple):
    """Each by its name."""

    peers: sa.Table
    associations: sa.Table
    destinations: sa.Table
    deliveries: sa.Table
    delivery_contexts: sa.Table


def pacs_tables(metadata: sa.MetaData) -> PacsTables:
    """Add the tables to the others."""
    return PacsTables(
        _peers(metadata),
        _associations(metadata),
        _destinations(metadata),
        _deliveries(metadata),
        _delivery_contexts(metadata),
    )


def _peers(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "peers",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("ae_title", sa.Text, nullable=False),
        sa.Column("host", sa.Text),
        sa.Column("port", sa.Integer),
        sa.Column("network", sa.Text),
        sa.Column("certificate_sha256", sa.Text),
        sa.Column("may_send", sa.Boolean, nullable=False),
        sa.Column("may_query", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.UniqueConstraint("site", "ae_title"),
        # Who calls.
        sa.Index(None, "ae_title"),
    )


def _associations(metadata: sa.MetaData) -> sa.Table:
    outcomes = ", ".join(f"'{outcome.value}'" for outcome in AssociationOutcome)
    return sa.Table(
        "associations",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("began_at", UtcTime, nullable=False),
        sa.Column("ended_at", UtcTime),
        sa.Column("calling_ae", sa.Text, nullable=False),
        sa.Column("called_ae", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("site", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("stored", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.CheckConstraint(f"outcome IN ({outcomes})", name="outcome"),
        # The newest first, and the oldest to remove.
        sa.Index(None, "began_at", "id"),
    )


def _destinations(metadata: sa.MetaData) -> sa.Table:
    kinds = ", ".join(f"'{kind.value}'" for kind in DestinationKind)
    return sa.Table(
        "destinations",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("site", sa.Text, nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("address", Document, nullable=False),
        sa.Column("objects", Document, nullable=False),
        sa.Column("options", Document, nullable=False),
        sa.Column("rule", Document, nullable=False),
        sa.Column("commitment", sa.Boolean, nullable=False),
        sa.Column("max_associations", sa.Integer, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.CheckConstraint(f"kind IN ({kinds})", name="kind"),
        sa.CheckConstraint("max_associations > 0", name="max_associations"),
    )


def _deferred(column: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, deferrable=True, initially="DEFERRED")


def _deliveries(metadata: sa.MetaData) -> sa.Table:
    awaited = sa.text("state = 'sent' AND transaction_uid IS NOT NULL")
    return sa.Table(
        "deliveries",
        metadata,
        sa.Column("destination_id", _deferred("destinations.id"), nullable=False),
        *work_columns("deliveries", DELIVERY, "destination_id"),
        sa.Column("job_id", _deferred("jobs.id"), nullable=False, index=True),
        sa.Column("objects", Document, nullable=False),
        sa.Column("queued_at", UtcTime, nullable=False),
        sa.Column("sent_at", UtcTime),
        sa.Column("transaction_uid", sa.Text, index=True),
        sa.Index(
            "ix_deliveries_awaited",
            "sent_at",
            "id",
            postgresql_where=awaited,
            sqlite_where=awaited,
        ),
        sa.Index(None, "state", "created_at", "id"),
        # What went to a destination, the newest first.
        sa.Index(None, "destination_id", "created_at", "id"),
    )


def _delivery_contexts(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "delivery_contexts",
        metadata,
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
    )
