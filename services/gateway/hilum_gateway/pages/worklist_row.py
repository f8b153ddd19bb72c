"""One row of the worklist: a job, and in few words what was found."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from hilum.domain.job import JobState
from hilum_gateway.pages.advice import IN_SHORT
from hilum_gateway.pages.panel_view import headlines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from hilum.application.use_cases.read_jobs import ReadJobs
    from hilum.domain.access import ApiKey
    from hilum.domain.finding import Analysis, Finding
    from hilum.domain.job import Job

_KEPT: Final = 4096

NAMED: Final = 3
"""Findings that a row names; of the others it gives the number."""


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """A job in the worklist.

    Attributes:
        job: The job.
        positives: Findings that are abnormal and positive, the most telling first; None while
            there is no result.
    """

    job: Job
    positives: tuple[Finding, ...] | None

    @property
    def named(self) -> tuple[Finding, ...]:
        """The findings that the row names."""
        return (self.positives or ())[:NAMED]

    @property
    def more(self) -> int:
        """How many it does not name."""
        return max(0, len(self.positives or ()) - NAMED)

    @property
    def in_short(self) -> str:
        """Why the film was rejected, in two or three words; empty for every other film."""
        reason = self.job.reason
        if self.job.state is not JobState.REJECTED or reason is None:
            return ""
        return IN_SHORT.get(reason.code, "")


def abnormal_positives(analysis: Analysis) -> tuple[Finding, ...]:
    """What a reader looks for first, of every panel: one finding of each name.

    Panels overlap (an infection is pneumonia to another panel), but a name that two of them give is
    named once, as the one that is surer of it does.
    """
    named: dict[str, Finding] = {}
    for _, finding in headlines(analysis):
        named.setdefault(finding.display, finding)
    return tuple(named.values())


class WorklistRows:
    """Makes rows. Results never change, so each is read once and then remembered.

    Whether a key may see a job is decided before, by the query that found the job.
    """

    def __init__(self, read_jobs: ReadJobs) -> None:
        self._read_jobs = read_jobs
        self._known: OrderedDict[UUID, tuple[Finding, ...]] = OrderedDict()
        self._lock = Lock()

    def rows(self, jobs: Iterable[Job], key: ApiKey) -> list[WorklistRow]:
        """A row for each job, in their order."""
        return [WorklistRow(job, self._positives(job, key)) for job in jobs]

    def _positives(self, job: Job, key: ApiKey) -> tuple[Finding, ...] | None:
        if job.state is not JobState.COMPLETED:
            return None
        with self._lock:
            if job.id in self._known:
                self._known.move_to_end(job.id)
                return self._known[job.id]
        analysis = self._read_jobs.job(job.id, key).analysis
        if analysis is None:  # the schema forbids it
            return None
        positives = abnormal_positives(analysis)
        with self._lock:
            self._known[job.id] = positives
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return positives
