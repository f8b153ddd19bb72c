"""Partitions of the audit log on PostgreSQL, made before they are needed (docs/adr/0014).

Each takes a range of sequence numbers and is named after the first of them. They lie side by side
from 0; what comes after the last goes to the default partition, so no append ever fails for want
of one. A default partition that has taken events becomes a partition like the others: no event is
moved, because moving means deleting, and that the log refuses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.errors import translated_errors
from hilum.adapters.postgres.repositories.audit import CHAIN_LOCK
from hilum.adapters.postgres.schema import require_schema
from hilum.domain.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

EVENTS: Final = 10_000_000
"""Events a partition: some 6 GB, about two thirds of a year at seven million films a year."""

PREFIX: Final = "audit_events_"
"""How the names of all partitions begin."""

_DEFAULT: Final = f"{PREFIX}default"
_PARTITIONS_LOCK: Final = 0x48696C756D_03
_LOCK_TIMEOUT_S: Final = 5
_STATEMENT_TIMEOUT_S: Final = 600
_BOUNDS: Final = re.compile(r"FOR VALUES FROM \('?(\d+)'?\) TO \('?(\d+)'?\)")
_PARTITIONS: Final = sa.text("""
    SELECT pg_get_expr(c.relpartbound, c.oid)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'audit_events'::regclass
""")
_LAST: Final = sa.text("SELECT coalesce(max(sequence), 0) FROM audit_events")


@dataclass(frozen=True, slots=True)
class AuditPartitions:
    """How the log stands after a run.

    Attributes:
        made: Names of the partitions that this run made.
        ahead: Partitions that begin after the last event.
        last_sequence: Of the last event; 0 for none.
        end: The first sequence number that only the default partition takes.
    """

    made: tuple[str, ...]
    ahead: int
    last_sequence: int
    end: int


def make_audit_partitions(url: str, ahead: int, events: int = EVENTS) -> AuditPartitions | None:
    """See to it that so many empty partitions lie ahead of the last event.

    Safe to run at any time, by several at once, and beside writers: appends wait for the moment
    that it takes to attach an empty table, and not at all where nothing has to be made.

    Args:
        url: As in ``HILUM_DATABASE_URL``.
        ahead: How many.
        events: Size of new partitions; they end at its multiples.

    Returns:
        None on SQLite, which keeps the log in one table.

    Raises:
        DatabaseUnavailable: The database or a lock cannot be had; nothing has changed.
    """
    engine = create_database_engine(
        url,
        pool_size=1,
        statement_timeout_s=_STATEMENT_TIMEOUT_S,
        lock_timeout_s=_LOCK_TIMEOUT_S,
    )
    try:
        if engine.dialect.name != "postgresql":
            return None
        with translated_errors(), engine.begin() as connection:
            require_schema(connection)
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_PARTITIONS_LOCK)))
            return _make(connection, ahead, events)
    finally:
        engine.dispose()


def _make(connection: Connection, ahead: int, events: int) -> AuditPartitions:
    last, starts, end = _stand(connection)
    if _ahead(starts, last) < ahead or last >= end:
        # Nobody is in the middle of an append now, and what is read from here on stays true.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(CHAIN_LOCK)))
        last, starts, end = _stand(connection)
    made = []
    if last >= end:
        made.append(_name(end))
        starts, end = [*starts, end], _keep_default(connection, end, _next_end(last, events))
    while _ahead(starts, last) < ahead:
        made.append(_name(end))
        _create(connection, _name(end))
        starts, end = [*starts, end], _attach(connection, end, _next_end(end, events))
    return AuditPartitions(tuple(made), _ahead(starts, last), last, end)


def _stand(connection: Connection) -> tuple[int, list[int], int]:
    """The last event, where the partitions begin, and where the last of them ends."""
    bounds = [
        (int(found[1]), int(found[2]))
        for (text,) in connection.execute(_PARTITIONS)
        if (found := _BOUNDS.fullmatch(text)) is not None
    ]
    if not bounds:
        raise InternalError("the audit log has no partitions")
    last: Any = connection.execute(_LAST).scalar_one()
    return int(last), [start for start, _ in bounds], max(end for _, end in bounds)


def _ahead(starts: Iterable[int], last: int) -> int:
    return sum(1 for start in starts if start > last)


def _next_end(sequence: int, events: int) -> int:
    """The first multiple of the size after a sequence number."""
    return (sequence // events + 1) * events


def _name(start: int) -> str:
    return f"{PREFIX}from_{start}"


def _keep_default(connection: Connection, start: int, end: int) -> int:
    """Let the default partition, with the events that it took, be one of the others."""
    name = _name(start)
    for statement in (
        f"ALTER TABLE audit_events DETACH PARTITION {_DEFAULT}",
        f"ALTER TABLE {_DEFAULT} RENAME TO {name}",
        f"ALTER TABLE {name} RENAME CONSTRAINT pk_{_DEFAULT} TO pk_{name}",
    ):
        connection.exec_driver_sql(statement)
    _attach(connection, start, end)
    _create(connection, _DEFAULT)
    connection.exec_driver_sql(f"ALTER TABLE audit_events ATTACH PARTITION {_DEFAULT} DEFAULT")
    return end


def _create(connection: Connection, name: str) -> None:
    """An empty, sealed table that can become a partition."""
    connection.exec_driver_sql(
        f"CREATE TABLE {name} (LIKE audit_events INCLUDING DEFAULTS,"
        f" CONSTRAINT pk_{name} PRIMARY KEY (sequence))"
    )
    # The log's own triggers fire for statements that name the log, not for those that name this.
    connection.exec_driver_sql(
        f"CREATE TRIGGER refuse_audit_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
    )


def _attach(connection: Connection, start: int, end: int) -> int:
    # Unlike CREATE TABLE PARTITION OF, this lets others read the log meanwhile.
    connection.exec_driver_sql(
        f"ALTER TABLE audit_events ATTACH PARTITION {_name(start)}"
        f" FOR VALUES FROM ({start}) TO ({end})"
    )
    return end
