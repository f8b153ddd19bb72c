"""The table of what happens to an image that is sent again."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import ForProcessing, ObjectMissing
from hilum.domain.job import JobState

if TYPE_CHECKING:
    from hilum.domain.job import Job


class Outcome(StrEnum):
    """What a submission did with an image. Each value is a stable code."""

    NEW = "new"
    """It got a job."""

    KNOWN = "known"
    """It had a job, which answers. Nothing was changed."""

    RESTORED = "restored"
    """It had a job whose file was gone. The file is kept again, and the job stays as it is."""

    REQUEUED = "requeued"
    """It had a job that failed since its file was gone. It is analysed now."""


GIVES_UP_KEY: Final = frozenset({ForProcessing.code})
"""Codes of rejections that a site's own rule decided: the rule may be another one by now."""


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
