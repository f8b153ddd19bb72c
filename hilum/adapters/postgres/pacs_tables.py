"""Tables of DICOM peers and their associations."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from hilum.adapters.postgres.column_types import UtcTime
from hilum.domain.association import AssociationOutcome


class PacsTables(NamedTuple):
    """Each by its name."""

    peers: sa.Table
    associations: sa.Table


def pacs_tables(metadata: sa.MetaData) -> PacsTables:
    """Add the tables to the others."""
    return PacsTables(_peers(metadata), _associations(metadata))


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
