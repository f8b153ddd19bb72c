"""One row of the worklist: a job, and in few words what was found."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from hilum.domain.job import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from hilum.application.use_cases.read_jobs import ReadJobs
    from hilum.domain.access import ApiKey
    from hilum.domain.finding import Analysis, Finding
    from hilum.domain.job import Job

_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """A job in the worklist.

    Attributes:
        job: The job.
        positives: Findings that are abnormal and positive, the most probable first; None while
            there is no result.
    """

    job: Job
    positives: tuple[Finding, ...] | None


def abnormal_positives(analysis: Analysis) -> tuple[Finding, ...]:
    """What a reader looks for first: abnormal and at or above the operating point."""
    found = [
        finding
        for panel in analysis.panels
        for finding in panel.findings
        if finding.abnormal and finding.positive
    ]
    return tuple(sorted(found, key=lambda finding: -finding.probability))


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
