"""The audit log: what was done by whom, each event chained to the one before it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from hilum.domain.principal import Principal, PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Detail = str | int | float | bool | None

GENESIS: Final = "0" * 64
"""The hash before the first event."""

SEALED: Final = 2
"""Format of the records that this release writes."""

_SEQUENCE: Final = "@sequence"
SEALED_KIND: Final = "@principal_kind"
"""Name of the kind of who acted among the stored details of a sealed record."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that was done.

    Attributes:
        actor: Who did it. Its id is that of an API key, ``worker:<name>``, ``reconciler``,
            ``operator:<user>`` or ``hilum:first-start``.
        action: ``<object>.<past participle>``, e.g. ``job.completed``.
        object_type: ``study``, ``job``, ``api_key``, ``model``, ``operating_points`` or ``films``.
        object_id: Its id.
        at: UTC.
        request_id: Of the request that caused it, or empty.
        details: Small facts, no patient data. No name begins with ``@``.
    """

    actor: Principal
    action: str
    object_type: str
    object_id: str
    at: datetime
    request_id: str = ""
    details: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An event in its place in the chain.

    Attributes:
        sequence: Its place, from 1.
        event: What was done.
        previous_hash: Hash of the record before it.
        hash: Over the previous hash, the event and, in format 2, the seal.
        format: 1 in records of releases before schema 0009, which have no seal.
        seal: Sequence and kind of principal as the details hold them (docs/adr/0022). A record
            that has one is held to it, whatever its format says.
    """

    sequence: int
    event: AuditEvent
    previous_hash: str
    hash: str
    format: int = 1
    seal: Mapping[str, Detail] = field(default_factory=dict)

    @classmethod
    def sealed(cls, sequence: int, event: AuditEvent, previous_hash: str) -> Self:
        """Put an event into its place, in format 2."""
        seal = _seal(sequence, event)
        digest = chain_hash(previous_hash, event, seal)
        return cls(sequence, event, previous_hash, digest, SEALED, seal)

    @property
    def details(self) -> dict[str, Detail]:
        """The event's details and the seal, as they are stored."""
        return {**self.event.details, **self.seal}

    def follows(self, previous_hash: str) -> bool:
        """Return whether it is as it was written, after a record of this hash."""
        is_sealed = self.format == SEALED or bool(self.seal)
        due = _seal(self.sequence, self.event) if is_sealed else {}
        return (
            self.format in (1, SEALED)
            and self.previous_hash == previous_hash
            and self.seal == due
            and self.hash == chain_hash(previous_hash, self.event, self.seal)
        )


def chain_hash(
    previous_hash: str, event: AuditEvent, seal: Mapping[str, Detail] | None = None
) -> str:
    """Return the hex SHA-256 over the previous hash and the event in a canonical form.

    The time is written in UTC with microseconds, whatever zone the caller used, so that a hash
    can be checked from what the database gives back.
    """
    canonical = json.dumps(
        [
            previous_hash,
            event.actor.id,
            event.action,
            event.object_type,
            event.object_id,
            event.at.astimezone(UTC).isoformat(timespec="microseconds"),
            event.request_id,
            {**event.details, **(seal or {})},
        ],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def first_broken_link(records: Iterable[AuditRecord]) -> int | None:
    """Return the sequence of the first record that does not follow from those before it, or None.

    Records of both formats form one chain.
    """
    previous = GENESIS
    for record in records:
        if not record.follows(previous):
            return record.sequence
        previous = record.hash
    return None


def parted(stored: Mapping[str, Detail]) -> tuple[dict[str, Detail], dict[str, Detail]]:
    """Part stored details into the event's own and the seal."""
    seal = {name: stored[name] for name in (SEALED_KIND, _SEQUENCE) if name in stored}
    return {name: value for name, value in stored.items() if name not in seal}, seal


def principal_of(actor: str, kind: object) -> Principal:
    """Return who a record names. Without a kind, as in format 1, the id tells what it is."""
    if str(kind) in set(PrincipalKind):
        return Principal(PrincipalKind(str(kind)), actor)
    is_system = ":" in actor or actor == "reconciler"
    return Principal(PrincipalKind.SYSTEM if is_system else PrincipalKind.API_KEY, actor)


def _seal(sequence: int, event: AuditEvent) -> dict[str, Detail]:
    return {SEALED_KIND: event.actor.kind.value, _SEQUENCE: sequence}
