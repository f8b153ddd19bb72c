"""Show what a submission sent, and what has become of each file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilum.domain.errors import NotFound
from hilum.domain.principal import Permission, Principal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Job
    from hilum.domain.submission import Submission, SubmissionItem


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """A submission as it stands.

    Attributes:
        submission: As received.
        items: An entry a file, in the order of the files.
        jobs: The jobs that answer for them, by id.
    """

    submission: Submission
    items: tuple[SubmissionItem, ...]
    jobs: Mapping[UUID, Job]


class ReadSubmission:
    """A submission of another site does not exist for a principal."""

    def __init__(self, *, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    def __call__(self, submission_id: UUID, principal: Principal) -> SubmissionView:
        """Return a submission.

        Raises:
            NotPermitted: The principal may read jobs nowhere.
            NotFound: No such submission for this principal.
        """
        principal.require(Permission.READ_JOBS)
        with self._unit_of_work.begin(write=False) as transaction:
            record = transaction.submissions.get(submission_id)
            if record is None or not principal.holds(Permission.READ_JOBS, record.submission.site):
                raise NotFound(f"no submission {submission_id}")
            jobs = transaction.jobs.with_ids(item.job_id for item in record.items if item.job_id)
        return SubmissionView(record.submission, tuple(record.items), jobs)
