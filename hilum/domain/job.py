"""A job: the reading of one instance, and the table of what may happen to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import TransitionNotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID


class Priority(StrEnum):
    """How urgent a study is; each has a queue of its own."""

    STAT = "stat"
    ROUTINE = "routine"
    BATCH = "batch"


class JobState(StrEnum):
    """Where a job stands. ``received`` is only ever seen inside the accepting transaction."""

    RECEIVED = "received"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    REJECTED = "rejected"
    FAILED = "failed"
    DISCARDED = "discarded"


class JobEvent(StrEnum):
    """What can happen to a job."""

    ENQUEUE = "enqueue"
    CLAIM = "claim"
    COMPLETE = "complete"
    REJECT = "reject"
    RELEASE = "release"
    PARK = "park"
    RETRY = "retry"
    DISCARD = "discard"


TRANSITIONS: Final[Mapping[tuple[JobState, JobEvent], JobState]] = {
    (JobState.RECEIVED, JobEvent.ENQUEUE): JobState.QUEUED,
    (JobState.QUEUED, JobEvent.CLAIM): JobState.RUNNING,
    (JobState.RUNNING, JobEvent.COMPLETE): JobState.COMPLETED,
    (JobState.RUNNING, JobEvent.REJECT): JobState.REJECTED,
    (JobState.RUNNING, JobEvent.RELEASE): JobState.QUEUED,
    (JobState.RUNNING, JobEvent.PARK): JobState.FAILED,
    (JobState.FAILED, JobEvent.RETRY): JobState.QUEUED,
    (JobState.FAILED, JobEvent.DISCARD): JobState.DISCARDED,
}
"""The life of a job. What is not in this table does not happen."""

ENDED: Final = frozenset({JobState.COMPLETED, JobState.REJECTED, JobState.DISCARDED})
"""States that a job never leaves."""

SETTLED: Final = ENDED | {JobState.FAILED}
"""States in which nothing more happens unless a person acts."""


def source_state(event: JobEvent) -> JobState:
    """The one state in which an event may happen (each event has exactly one)."""
    return next(state for state, candidate in TRANSITIONS if candidate is event)


def next_state(state: JobState, event: JobEvent) -> JobState:
    """The state after an event.

    Raises:
        TransitionNotAllowed: The table has no such transition.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise TransitionNotAllowed(f"a {state.value} job cannot {event.value}") from None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a job ended or waits: a stable code and one sentence."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Job:
    """One reading of one instance by one model set.

    Attributes:
        id: Random UUID, safe to show.
        study_id: The upload it came with.
        instance_id: The film.
        site: Site that owns the film.
        filename: As uploaded, for people.
        state: See :data:`TRANSITIONS`.
        priority: Chooses the queue.
        model_set: Version of the model set that was current at submission.
        idempotency_key: Same film, site and model set give the same key, and so the same job.
        attempts: Claims so far since the last enqueue or retry by a person.
        losses: Of these, how many ended with a lost worker.
        reason: Why it was rejected or parked, or last released.
        timings_ms: Milliseconds by stage, see :mod:`hilum.application.use_cases.analyse_film`.
        lease_owner: Worker that runs it.
        lease_expires_at: When the worker counts as lost.
        not_before: Backoff; not claimed earlier.
        rung_at: When the doorbell was last rung for it; None asks the reconciler to ring.
        created_at: Acceptance.
        updated_at: Last change of state.
        started_at: Last claim.
        finished_at: End.
        film_expired_at: When retention took the film's bytes; None while they are kept.
        fair_tag: Its place in the fair order, see :mod:`hilum.domain.work_flow`. Zero in a job that
            a release without flows queued.
        traceparent: Trace context of the request that queued it, as W3C writes it.
        notes: Codes of what was corrected on the image or is to be known of its header, see
            :class:`hilum.domain.image_note.ImageNote`; of a newer release, too.
    """

    id: UUID
    study_id: UUID
    instance_id: UUID
    site: str
    filename: str
    state: JobState
    priority: Priority
    model_set: str
    idempotency_key: str
    created_at: datetime
    updated_at: datetime
    attempts: int = 0
    losses: int = 0
    reason: Reason | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    lease_owner: str | None = None
    lease_expires_at: datetime | None = None
    not_before: datetime | None = None
    rung_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    film_expired_at: datetime | None = None
    fair_tag: float = 0.0
    traceparent: str | None = None
    notes: tuple[str, ...] = ()
