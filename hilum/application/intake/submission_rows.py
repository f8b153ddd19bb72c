"""The rows of a submission: itself, its items, what is new of it, and the audit log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from hilum.application.intake.submission import AcceptedFile, RefusedFile
from hilum.domain.audit import AuditEvent
from hilum.domain.job import ANALYSIS, Job, JobEvent, JobState, Reason
from hilum.domain.sent_again import Outcome
from hilum.domain.submission import SubmissionItem
from hilum.imaging.film import READER_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.study import Instance
    from hilum.domain.submission import Submission


@dataclass(frozen=True, slots=True)
class Earlier:
    """The job that an image had before, and its instance."""

    job: Job
    instance: Instance


@dataclass(frozen=True, slots=True)
class RecordedSubmission:
    """A submission whose new images have their rows.

    Attributes:
        files: An entry a file, in the order of the files.
        earlier: What was there before, by the id of the instance that was sent again.
        model_set: Version of the models that new jobs are analysed by.
    """

    files: tuple[AcceptedFile | RefusedFile, ...]
    earlier: Mapping[UUID, Earlier]
    model_set: str


def record_submission(
    unit_of_work: UnitOfWork,
    submission: Submission,
    taken: Sequence[Instance | RefusedFile],
    model_set: str,
    *,
    force: bool = False,
) -> RecordedSubmission:
    """Write the rows of a submission and of its new images in one transaction.

    Args:
        unit_of_work: Holds the rows.
        submission: Has no row yet. It is received when the transaction begins.
        taken: A file each, in the order of the files: stored, or refused.
        model_set: Version of the models that the site analyses by.
        force: Replace the jobs that images have.

    Raises:
        DatabaseUnavailable: The rows may stand or not; sending again is safe.
    """
    images = [item for item in taken if not isinstance(item, RefusedFile)]
    with unit_of_work.begin() as transaction:
        submission = replace(submission, received_at=transaction.now)
        added = add_images(transaction, submission, images, model_set, has_parent=True, force=force)
        before = {
            instance_id: earlier_of(transaction, file.job)
            for instance_id, file in added.items()
            if file.job.study_id != submission.id
        }
        files = tuple(item if isinstance(item, RefusedFile) else added[item.id] for item in taken)
        transaction.submissions.add(
            submission,
            [item_of(position, file) for position, file in enumerate(files)],
            is_parent=any(not file.duplicate for file in added.values()),
        )
        transaction.audit.append(
            [
                image_event(submission, image, file.job, "job.accepted")
                for image in images
                if not (file := added[image.id]).duplicate
            ]
        )
    return RecordedSubmission(files, before, model_set)


def add_images(
    transaction: Transaction,
    submission: Submission,
    images: Sequence[Instance],
    model_set: str,
    *,
    has_parent: bool,
    force: bool = False,
) -> dict[UUID, AcceptedFile]:
    """Give each image a job: the one that holds its key, or a new one with its rows.

    Args:
        transaction: May write.
        submission: What the images belong to.
        images: The same image may be there twice.
        model_set: Version of the models of a new job.
        has_parent: Whether the submission is added as their parent, or brought another new image.
        force: Make a new job also of an image that has one. The former gives up its key.

    Returns:
        By the id of the instance, new or known.
    """
    jobs = {image.id: _new_job(submission, image, model_set) for image in images}
    wanted: dict[str, Job] = {}
    for job in jobs.values():
        wanted.setdefault(job.idempotency_key, job)
    held = {**transaction.jobs.with_keys(wanted)}
    if force:
        for job in sorted(held.values(), key=age, reverse=True):
            if transaction.jobs.give_up_key(job):
                key = job.idempotency_key
                wanted[key] = replace(wanted[key], replaces_job_id=job.id)
        # One that somebody else has just replaced is known by its successor.
        held = {**transaction.jobs.with_keys(wanted)}
    # Only what is new takes a place in the fair order: sending again costs a site nothing.
    new = [job for key, job in wanted.items() if key not in held]
    held |= transaction.jobs.add_new(transaction.work_flows.tagged(new))
    fresh = [
        image for image in images if held[jobs[image.id].idempotency_key].instance_id == image.id
    ]
    transaction.submissions.add_instances(submission, fresh, has_parent=has_parent)
    added = {}
    for image in images:
        job = held[jobs[image.id].idempotency_key]
        outcome = Outcome.NEW if image in fresh else Outcome.KNOWN
        added[image.id] = AcceptedFile(image.filename, job, outcome)
    return added


def age(job: Job) -> tuple[datetime, UUID]:
    """Return a key by which jobs that one transaction locks are sorted, the newest first.

    It is the order of every list of jobs, so that two transactions cannot wait in a circle.
    """
    return job.created_at, job.id


def earlier_of(transaction: Transaction, job: Job) -> Earlier:
    """Return a job with its instance.

    The job is read after the instance. In the other order somebody else's bytes could come with the
    state from before they came, and would be replaced once more.
    """
    instance = transaction.submissions.instance(job.instance_id)
    assert instance is not None  # noqa: S101 - a reference of the job's row
    now = transaction.jobs.get(job.id)
    same = now is not None and now.idempotency_key == job.idempotency_key
    return Earlier(now if now is not None and same else job, instance)


def item_of(position: int, file: AcceptedFile | RefusedFile) -> SubmissionItem:
    """Return the row of a file."""
    if isinstance(file, AcceptedFile):
        return SubmissionItem(position, file.filename, file.outcome, file.job.id)
    reason = Reason(file.error.code, file.error.detail)
    return SubmissionItem(position, file.filename, Outcome.REFUSED, reason=reason)


def image_event(submission: Submission, instance: Instance, job: Job, action: str) -> AuditEvent:
    """Tell the audit log what became of an image of a submission."""
    return AuditEvent(
        actor=submission.principal,
        action=action,
        object_type="job",
        object_id=str(job.id),
        at=submission.received_at,
        request_id=submission.request_id,
        details={"sha256": instance.sha256, "site": submission.site},
    )


def _new_job(submission: Submission, image: Instance, model_set: str) -> Job:
    return Job(
        id=uuid4(),
        study_id=submission.id,
        instance_id=image.id,
        site=submission.site,
        filename=image.filename,
        state=ANALYSIS.after(JobState.RECEIVED, JobEvent.ENQUEUE),
        priority=submission.priority,
        model_set=model_set,
        idempotency_key=image.idempotency_key(submission, model_set, READER_VERSION),
        reader_version=READER_VERSION,
        created_at=submission.received_at,
        updated_at=submission.received_at,
        rung_at=submission.received_at,
        traceparent=submission.traceparent,
        request_id=submission.request_id or None,
    )
