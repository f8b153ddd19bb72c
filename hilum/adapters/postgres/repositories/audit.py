"""The audit log: one chain, one writer at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.execution import run
from hilum.adapters.postgres.insertion import insert
from hilum.adapters.postgres.tables import AUDIT_EVENTS
from hilum.domain.audit import GENESIS, SEALED_KIND, AuditEvent, AuditRecord, parted, principal_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

CHAIN_LOCK: Final = 0x48696C756D_01
"""The PostgreSQL advisory lock of the chain (``Hilum`` in ASCII, then a number)."""

_LAST: Final = "SELECT sequence, hash FROM audit_events ORDER BY sequence DESC LIMIT 1"
# Two statements in one round trip. Each has a snapshot of its own, so the second sees what the
# transaction that held the lock before has committed; one statement that did both would not.
_LOCK_AND_LAST: Final = f"SELECT pg_advisory_xact_lock({CHAIN_LOCK}); {_LAST}"

_COLUMNS: Final = (
    AUDIT_EVENTS.c.sequence,
    AUDIT_EVENTS.c.actor,
    AUDIT_EVENTS.c.action,
    AUDIT_EVENTS.c.object_type,
    AUDIT_EVENTS.c.object_id,
    AUDIT_EVENTS.c.at,
    AUDIT_EVENTS.c.request_id,
    AUDIT_EVENTS.c.details,
    AUDIT_EVENTS.c.previous_hash,
    AUDIT_EVENTS.c.hash,
)


def _records(*of_schema: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return (
        sa.select(*_COLUMNS, *of_schema)
        .where(AUDIT_EVENTS.c.sequence > sa.bindparam("after"))
        .order_by(AUDIT_EVENTS.c.sequence)
        .limit(sa.bindparam("at_most"))
    )


_RECORDS: Final = _records(AUDIT_EVENTS.c.principal_kind, AUDIT_EVENTS.c.format)
# A backup is checked before its schema is upgraded. Before 0009 every record had format 1.
_RECORDS_BEFORE_0009: Final = _records(sa.null(), sa.literal(1))


class SqlAuditLog:
    """See :class:`hilum.application.ports.repositories.AuditLog`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, events: Sequence[AuditEvent]) -> None:
        """Append events in order. Holds the chain until the transaction ends: do it last."""
        if not events:
            return
        sequence, previous_hash = self._take_chain()
        rows: list[dict[str, Any]] = []
        for event in events:
            sequence += 1
            record = AuditRecord.sealed(sequence, event, previous_hash)
            rows.append(_row_of(record))
            previous_hash = record.hash
        insert(self._connection, AUDIT_EVENTS, rows)

    def records(self, after_sequence: int = 0, limit: int = 1000) -> Sequence[AuditRecord]:
        """Records in order, from after a sequence number."""
        columns = sa.inspect(self._connection).get_columns(AUDIT_EVENTS.name)
        new = any(column["name"] == AUDIT_EVENTS.c.format.name for column in columns)
        query = _RECORDS if new else _RECORDS_BEFORE_0009
        rows = self._connection.execute(query, {"after": after_sequence, "at_most": limit})
        return [_record_of(row) for row in rows]

    def _take_chain(self) -> tuple[Any, ...]:
        """Hold the chain, and give its last sequence number and hash."""
        on_sqlite = self._connection.dialect.name == "sqlite"
        query = _LAST if on_sqlite else _LOCK_AND_LAST
        last = run(self._connection, query, ())
        return last[0] if last else (0, GENESIS)


def _row_of(record: AuditRecord) -> dict[str, Any]:
    event = record.event
    return {
        "sequence": record.sequence,
        "at": event.at,
        "actor": event.actor.id,
        "action": event.action,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "request_id": event.request_id,
        "details": json.dumps(record.details, ensure_ascii=False, sort_keys=True),
        "previous_hash": record.previous_hash,
        "hash": record.hash,
        "principal_kind": event.actor.kind.value,
        "format": record.format,
    }


def _record_of(row: Sequence[Any]) -> AuditRecord:
    sequence, actor, action, object_type, object_id, at, request_id = row[:7]
    stored, previous_hash, digest, kind, form = row[7:]
    details, seal = parted(json.loads(stored))
    who = principal_of(actor, kind or seal.get(SEALED_KIND))
    event = AuditEvent(who, action, object_type, object_id, at, request_id, details)
    return AuditRecord(sequence, event, previous_hash, digest, form, seal)
