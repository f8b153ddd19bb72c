"""Tables of work beside the jobs: operations, attempts and workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from hilum.adapters.postgres.column_types import Document, UtcTime
from hilum.domain.operation import OPERATION
from hilum.domain.work import AttemptOutcome, Priority, WorkEvent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

    from hilum.domain.work import LifeCycle


class WorkTables(NamedTuple):
    """Each by its name."""

    operations: sa.Table
    attempts: sa.Table
    workers: sa.Table


def work_tables(metadata: sa.MetaData) -> WorkTables:
    """Add the tables to the others."""
    return WorkTables(_operations(metadata), _attempts(metadata), _workers(metadata))


def work_columns(table: str, life: LifeCycle[Any], flow: str = "site") -> tuple[Any, ...]:
    """Return the columns, checks and indices that a table of work has for the queue.

    Args:
        table: Its name.
        life: The kind of work.
        flow: Name of the column whose value is the flow.
    """
    queued = sa.text(f"state = '{life.source(WorkEvent.CLAIM).value}'")
    running = sa.text(f"state = '{life.source(WorkEvent.RELEASE).value}'")
    states: Any = type(life.source(WorkEvent.CLAIM))
    return (
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("losses", sa.Integer, nullable=False),
        sa.Column("reason_code", sa.Text),
        sa.Column("reason_detail", sa.Text),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_expires_at", UtcTime),
        sa.Column("not_before", UtcTime),
        sa.Column("started_at", UtcTime),
        sa.Column("finished_at", UtcTime),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("updated_at", UtcTime, nullable=False),
        sa.Column("fair_tag", sa.Double, nullable=False, server_default="0"),
        sa.Column("traceparent", sa.Text),
        sa.Column("request_id", sa.Text),
        _one_of("state", states),
        _one_of("priority", Priority),
        sa.Index(
            f"ix_{table}_claim",
            "priority",
            flow,
            "fair_tag",
            "created_at",
            "id",
            postgresql_where=queued,
            sqlite_where=queued,
        ),
        sa.Index(
            f"ix_{table}_running",
            "lease_expires_at",
            postgresql_where=running,
            sqlite_where=running,
        ),
    )


def _one_of(column: str, values: Iterable[StrEnum]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value.value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _operations(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "operations",
        metadata,
        *work_columns("operations", OPERATION),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("arguments", Document, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("cursor", sa.Text),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("rate", sa.Double),
        sa.Index(None, "created_at", "id"),
    )


def _attempts(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "attempts",
        metadata,
        # By the item first: whoever asks has one.
        sa.Column("work_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("server_id", sa.Text),
        sa.Column("started_at", UtcTime, nullable=False),
        sa.Column("ended_at", UtcTime, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("timings_ms", Document, nullable=False),
        sa.Column("trace_id", sa.Text),
        _one_of("outcome", AttemptOutcome),
    )


def _workers(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "workers",
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("queues", Document, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("busy", sa.Integer, nullable=False),
        sa.Column("last_beat_at", UtcTime, nullable=False),
        sa.Column("last_claim_at", UtcTime),
        sa.Column("last_finish_at", UtcTime),
        sa.Column("clock_offset_ms", sa.Double),
        sa.Column("breakers", Document, nullable=False),
        sa.Column("draining", sa.Boolean, nullable=False),
    )
