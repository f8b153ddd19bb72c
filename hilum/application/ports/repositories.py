"""Rows: jobs, results, keys and the audit log.

All of these live inside one transaction, see :mod:`hilum.application.ports.unit_of_work`.
Everything that changes a job is conditional on the job's present state, decided by the database,
and answers None when the condition did not hold: two workers can ask, one gets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hilum.application.ports.work import QueueDepth, WorkRepository
from hilum.domain.job import Job

__all__ = ["QueueDepth"]

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.access import ApiKey
    from hilum.domain.audit import AuditEvent, AuditRecord
    from hilum.domain.finding import (
        Analysis,
        GateRecord,
        Heatmap,
        PanelReading,
        ResultOverview,
    )
    from hilum.domain.job import JobState, Priority, Reason
    from hilum.domain.work import WorkEvent


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; None means any.

    Attributes:
        sites: Only these sites.
        state: Only this state.
        priority: Only this priority.
        code: Only this code of the reason.
    """

    sites: frozenset[str] | None = None
    state: JobState | None = None
    priority: Priority | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class JobCursor:
    """Keyset position: jobs strictly older than this one follow."""

    created_at: datetime
    id: UUID


class JobRepository(WorkRepository[Job], Protocol):
    """Jobs, as work and as what people look for."""

    def with_ids(self, ids: Iterable[UUID]) -> Mapping[UUID, Job]:
        """Return those of these jobs that there are, by id."""
        ...

    def with_keys(self, keys: Iterable[str]) -> Mapping[str, Job]:
        """Return the jobs that hold these idempotency keys, by key."""
        ...

    def add_new(self, jobs: Sequence[Job]) -> Mapping[str, Job]:
        """Add each job unless one with its idempotency key exists.

        Safe against a concurrent transaction that adds the same: the later one waits for the
        earlier and then finds its job. Jobs are inserted in key order, so that two batches
        cannot lock each other out.

        Returns:
            By idempotency key, the job that is in the database now.
        """
        ...

    def give_up_key(self, job: Job) -> bool:
        """Take the idempotency key from a job; False if it does not hold it any more."""
        ...

    def newest_of_film(self, site: str, sop_instance_uid: str) -> Job | None:
        """The newest job of a site that read a film of this UID, or stopped it at the gate."""
        ...

    def page(self, which: JobFilter, after: JobCursor | None, limit: int) -> Sequence[Job]:
        """Newest first by (created_at, id), at most ``limit``, strictly after the cursor."""
        ...

    def count(self, which: JobFilter) -> int:
        """Return how many jobs there are."""
        ...

    def changed_since(
        self, moment: datetime, sites: frozenset[str] | None, limit: int
    ) -> Sequence[Job]:
        """Jobs of these sites, or of all, that changed at or after a moment, oldest first."""
        ...

    def finish(
        self,
        item: Job,
        event: WorkEvent,
        *,
        reason: Reason | None = None,
        timings_ms: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
    ) -> Job | None:
        """End a run; see :class:`WorkRepository`.

        With a reason of :data:`hilum.domain.sent_again.GIVES_UP_KEY` the job gives up its key.
        """
        ...

    def counts(self, sites: frozenset[str] | None) -> Mapping[JobState, int]:
        """Jobs by state, of these sites or of all."""
        ...


class ResultRepository(Protocol):
    """Results: written once, never changed."""

    def add(self, analysis: Analysis) -> bool:
        """Write a result; False if the job has one already."""
        ...

    def get(self, job_id: UUID) -> Analysis | None:
        """A result without its heatmaps' values."""
        ...

    def overviews(self, job_ids: Sequence[UUID]) -> Mapping[UUID, ResultOverview]:
        """Return what a list shows of those of these jobs that have a result, all at once."""
        ...

    def heatmap(self, job_id: UUID, panel: str, label: str) -> Heatmap | None:
        """One heatmap."""
        ...

    def add_gate(self, gate: GateRecord) -> bool:
        """Write what the gate said of a film that it stopped; False if the job has that already."""
        ...

    def gate(self, job_id: UUID) -> PanelReading | None:
        """What the gate said of a job's film, whether it let the film through or not."""
        ...


class ApiKeyRepository(Protocol):
    """API keys."""

    def add(self, key: ApiKey, *, granted_by: str) -> None:
        """Add a key. A role that the previous release does not know becomes a grant."""
        ...

    def get(self, key_id: str) -> ApiKey | None:
        """A key by its public id, revoked ones too."""
        ...

    def all(self) -> Sequence[ApiKey]:
        """Every key, oldest first."""
        ...

    def revoke(self, key_id: str, now: datetime) -> ApiKey | None:
        """Revoke a key; None if there is no such key or it is revoked already."""
        ...


class AuditLog(Protocol):
    """Append-only, hash-chained."""

    def append(self, events: Sequence[AuditEvent]) -> None:
        """Append events in order. Holds the chain until the transaction ends: do it last."""
        ...

    def records(self, after_sequence: int = 0, limit: int = 1000) -> Sequence[AuditRecord]:
        """Records in order, from after a sequence number."""
        ...
