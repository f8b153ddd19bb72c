"""A job: the analysis of one instance, and the table of what may happen to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

from hilum.domain.work import LifeCycle, Priority, Reason, WorkEvent, WorkItem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

__all__ = ["ANALYSIS", "ENDED", "SETTLED", "Job", "JobEvent", "JobState", "Priority", "Reason"]

JobEvent = WorkEvent


class JobState(StrEnum):
    """Where a job stands. ``received`` is only ever seen inside the accepting transaction."""

    RECEIVED = "received"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    REJECTED = "rejected"
    FAILED = "failed"
    DISCARDED = "discarded"


ANALYSIS: Final = LifeCycle.of(
    "analysis",
    "job",
    JobState,
    [
        (WorkEvent.COMPLETE, JobState.RUNNING, JobState.COMPLETED),
        (WorkEvent.REJECT, JobState.RUNNING, JobState.REJECTED),
        # The object came again.
        (WorkEvent.RESUBMIT, JobState.FAILED, JobState.QUEUED),
    ],
)
"""The life of a job."""

ENDED: Final = frozenset({JobState.COMPLETED, JobState.REJECTED, JobState.DISCARDED})
"""States that a job never leaves."""

SETTLED: Final = ENDED | {JobState.FAILED}
"""States in which nothing more happens unless a person acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(WorkItem):
    """One analysis of one instance by one model set.

    Attributes:
        study_id: The upload it came with.
        instance_id: The film.
        filename: As uploaded, for people.
        state: See :data:`ANALYSIS`.
        model_set: Version of the model set that was current at submission.
        idempotency_key: Same film, site and model set give the same key, and so the same job.
        reader_version: Version of the reader that was current at submission. None in a job of a
            schema before 0012.
        replaces_job_id: The job of the same image that this one replaces, as an operator asked.
        timings_ms: Milliseconds by stage, see :mod:`hilum.application.analysis.analyse_film`.
        rung_at: Written by a release before 0.3.
        film_expired_at: When retention took the film's bytes; None while they are kept.
        notes: Codes of what was corrected on the image or is to be known of its header, see
            :class:`hilum.domain.image_note.ImageNote`; of a newer release, too.
    """

    life: ClassVar[LifeCycle[JobState]] = ANALYSIS

    state: JobState
    study_id: UUID
    instance_id: UUID
    filename: str
    model_set: str
    idempotency_key: str
    reader_version: int | None = None
    replaces_job_id: UUID | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    rung_at: datetime | None = None
    film_expired_at: datetime | None = None
    notes: tuple[str, ...] = ()
