"""The audit log as a release before schema 0009 writes and reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hilum.adapters.postgres.column_types import UtcTime
from hilum.domain.audit import GENESIS, chain_hash

if TYPE_CHECKING:
    from hilum.domain.audit import AuditEvent

EVENTS: Final = sa.Table(
    "audit_events",
    sa.MetaData(),
    sa.Column("sequence", sa.BigInteger),
    sa.Column("at", UtcTime),
    *(
        sa.Column(name, sa.Text)
        for name in ("actor", "action", "object_type", "object_id", "request_id", "details")
    ),
    sa.Column("previous_hash", sa.Text),
    sa.Column("hash", sa.Text),
)


def append(engine: sa.Engine, *events: AuditEvent) -> None:
    """Append events in format 1."""
    with engine.begin() as connection:
        newest = sa.select(EVENTS.c.sequence, EVENTS.c.hash).order_by(EVENTS.c.sequence.desc())
        last = connection.execute(newest.limit(1)).first()
        taken, previous = last or (0, GENESIS)
        for sequence, event in enumerate(events, start=taken + 1):
            row = {name: getattr(event, name) for name in ("at", "action", "request_id")}
            row |= {name: getattr(event, name) for name in ("object_type", "object_id")}
            row |= {"sequence": sequence, "actor": event.actor.id, "previous_hash": previous}
            row["details"] = json.dumps(dict(event.details), ensure_ascii=False, sort_keys=True)
            row["hash"] = previous = chain_hash(previous, event)
            connection.execute(sa.insert(EVENTS).values(row))
