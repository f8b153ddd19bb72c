"""The audit log: one chain, one writer at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.execution import run
from hilum.adapters.postgres.insertion import insert
from hilum.adapters.postgres.tables import AUDIT_EVENTS
from hilum.domain.audit import GENESIS, AuditEvent, AuditRecord, chain_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

CHAIN_LOCK: Final = 0x48696C756D_01
"""The PostgreSQL advisory lock of the chain (``Hilum`` in ASCII, then a number)."""

_LAST: Final = "SELECT sequence, hash FROM audit_events ORDER BY sequence DESC LIMIT 1"
# Two statements in one round trip. Each has a snapshot of its own, so the second sees what the
# transaction that held the lock before has committed; one statement that did both would not.
_LOCK_AND_LAST: Final = f"SELECT pg_advisory_xact_lock({CHAIN_LOCK}); {_LAST}"

_RECORDS = (
    sa.select(
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
    .where(AUDIT_EVENTS.c.sequence > sa.bindparam("after"))
    .order_by(AUDIT_EVENTS.c.sequence)
    .limit(sa.bindparam("at_most"))
)


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
            digest = chain_hash(previous_hash, event)
            rows.append(
                {
                    "sequence": sequence,
                    "at": event.at,
                    "actor": event.actor,
                    "action": event.action,
                    "object_type": event.object_type,
                    "object_id": event.object_id,
                    "request_id": event.request_id,
                    "details": json.dumps(dict(event.details), ensure_ascii=False, sort_keys=True),
                    "previous_hash": previous_hash,
                    "hash": digest,
                }
            )
            previous_hash = digest
        insert(self._connection, AUDIT_EVENTS, rows)

    def records(self, after_sequence: int = 0, limit: int = 1000) -> Sequence[AuditRecord]:
        """Records in order, from after a sequence number."""
        rows = self._connection.execute(_RECORDS, {"after": after_sequence, "at_most": limit})
        return [
            AuditRecord(
                sequence=sequence,
                event=AuditEvent(
                    actor, action, object_type, object_id, at, request_id, json.loads(details)
                ),
                previous_hash=previous_hash,
                hash=digest,
            )
            for (
                sequence,
                actor,
                action,
                object_type,
                object_id,
                at,
                request_id,
                details,
                previous_hash,
                digest,
            ) in rows
        ]

    def _take_chain(self) -> tuple[Any, ...]:
        """Hold the chain, and give its last sequence number and hash."""
        on_sqlite = self._connection.dialect.name == "sqlite"
        query = _LAST if on_sqlite else _LOCK_AND_LAST
        last = run(self._connection, query, ())
        return last[0] if last else (0, GENESIS)
