"""The audit log: what was done by whom, each event chained to the one before it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GENESIS: Final = "0" * 64
"""The hash before the first event."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that was done.

    Attributes:
        actor: API key id, ``worker:<name>``, ``reconciler``, ``operator:<user>`` or
            ``hilum:first-start``.
        action: ``<object>.<past participle>``, e.g. ``job.completed``.
        object_type: ``study``, ``job``, ``api_key``, ``model``, ``operating_points`` or ``films``.
        object_id: Its id.
        at: UTC.
        request_id: Of the request that caused it, or empty.
        details: Small facts, no patient data.
    """

    actor: str
    action: str
    object_type: str
    object_id: str
    at: datetime
    request_id: str = ""
    details: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An event in its place in the chain."""

    sequence: int
    event: AuditEvent
    previous_hash: str
    hash: str


def chain_hash(previous_hash: str, event: AuditEvent) -> str:
    """Hex SHA-256 over the previous hash and the event in a canonical form.

    The time is written in UTC with microseconds, whatever zone the caller used, so that a hash
    can be checked from what the database gives back.
    """
    canonical = json.dumps(
        [
            previous_hash,
            event.actor,
            event.action,
            event.object_type,
            event.object_id,
            event.at.astimezone(UTC).isoformat(timespec="microseconds"),
            event.request_id,
            dict(event.details),
        ],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def first_broken_link(records: Iterable[AuditRecord]) -> int | None:
    """Sequence number of the first record that does not follow from those before it, or None."""
    previous = GENESIS
    for record in records:
        expected = chain_hash(previous, record.event)
        if record.previous_hash != previous or record.hash != expected:
            return record.sequence
        previous = record.hash
    return None
