"""The table of what happens to an image that is sent again."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import (
    CompressionRatioTooHigh,
    FileTooLarge,
    ForProcessing,
    ObjectMissing,
    TooManyPixels,
)
from hilum.domain.job import JobState, Priority

if TYPE_CHECKING:
    from hilum.domain.job import Job


class Outcome(StrEnum):
    """What a submission did with an image. Each value is a stable code."""

    NEW = "new"
    """It got a job."""

    KNOWN = "known"
    """It had a job, which answers. If that waits or runs, it has the higher of both priorities."""

    RESTORED = "restored"
    """It had a job whose file was gone. The file is kept again, and the job stays as it is."""

    REQUEUED = "requeued"
    """It had a job that failed since its file was gone. It is analysed now."""

    REFUSED = "refused"
    """It got no job."""


GIVES_UP_KEY: Final = frozenset(
    {ForProcessing.code, FileTooLarge.code, TooManyPixels.code, CompressionRatioTooHigh.code}
)
"""Codes of rejections by a rule of the site or a limit of the installation. Both may change."""


def outcome_of(earlier: Job, *, stored: bool) -> Outcome:
    """Tell what happens to an image that has a job.

    A discarded job is none of an image that is sent again: it gave up its key. So did one that was
    rejected with a code of :data:`GIVES_UP_KEY`.

    Args:
        earlier: The job.
        stored: The object store holds the job's file whole.
    """
    failed_without_file = (
        earlier.state is JobState.FAILED
        and earlier.reason is not None
        and earlier.reason.code == ObjectMissing.code
    )
    if failed_without_file:
        return Outcome.REQUEUED
    if earlier.film_expired_at is not None or not stored:
        return Outcome.RESTORED
    return Outcome.KNOWN


def is_raised(earlier: Job, priority: Priority) -> bool:
    """Tell whether a job gets the priority with which its image was sent again.

    Args:
        earlier: The job.
        priority: Of the submission.
    """
    urgent = list(Priority)
    waits = earlier.state in {JobState.QUEUED, JobState.RUNNING}
    return waits and urgent.index(priority) < urgent.index(earlier.priority)
