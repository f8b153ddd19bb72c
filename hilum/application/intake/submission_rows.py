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
class Recording:
    """A submission, or a part of one that grows, whose rows are to be written.

    Attributes:
        submission: It is received when the transaction begins.
        taken: A file each, in their order: stored, or refused.
        model_set: Version of the models that the site analyses by.
        force: Replace the jobs that images have.
        grows: It may have rows already, of files that came before.
        position: Of the first file in the submission.
    """

    submission: Submission
    taken: Sequence[Instance | RefusedFile]
    model_set: str
    force: bool = False
    grows: bool = False
    position: int = 0

    @property
    def images(self) -> list[Instance]:
        """Return what was stored."""
        return [item for item in self.taken if not isinstance(item, RefusedFile)]


@dataclass(frozen=True, slots=True)
class RecordedSubmission:
    """A submission whose new images have their rows.

    Attributes:
        recording: What was written.
        files: An entry a file, in the order of the files.
        earlier: What was there before, by the id of the instance that was sent again.
    """

    recording: Recording
    files: tuple[AcceptedFile | RefusedFile, ...]
    earlier: Mapping[UUID, Earlier]


def record_submissions(
    unit_of_work: UnitOfWork, recordings: Sequence[Recording]
) -> list[RecordedSubmission]:
    """Write the rows of submissions and of their new images in one transaction.

    Args:
        unit_of_work: Holds the rows.
        recordings: The same image may be in several.

    Returns:
        In the order of the recordings.

    Raises:
        DatabaseUnavailable: The rows may stand or not; sending again is safe.
    """
    with unit_of_work.begin() as transaction:
        now = transaction.now
        recordings = [
            replace(one, submission=replace(one.submission, received_at=now)) for one in recordings
        ]
        held = _hold(transaction, [_Wanted.of(recording) for recording in recordings])
        added = [
            _add_instances(transaction, one.submission, one.images, jobs, has_parent=True)
            for one, jobs in zip(recordings, held, strict=True)
        ]
        return [
            _record(transaction, recording, images)
            for recording, images in zip(recordings, added, strict=True)
        ]


def add_images(
    transaction: Transaction,
    submission: Submission,
    images: Sequence[Instance],
    model_set: str,
    *,
    has_parent: bool,
) -> dict[UUID, AcceptedFile]:
    """Give each image a job: the one that holds its key, or a new one with its rows.

    Args:
        transaction: May write.
        submission: What the images belong to.
        images: The same image may be there twice.
        model_set: Version of the models of a new job.
        has_parent: Whether the submission brought another new image, or is added as their parent.

    Returns:
        By the id of the instance, new or known.
    """
    (jobs,) = _hold(transaction, [_Wanted.of(Recording(submission, images, model_set))])
    return _add_instances(transaction, submission, images, jobs, has_parent=has_parent)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Jobs that a recording wants, by the id of the instance, and whether it replaces others."""

    jobs: Mapping[UUID, Job]
    force: bool

    @classmethod
    def of(cls, recording: Recording) -> _Wanted:
        """Return a new job for each image."""
        submission, model_set = recording.submission, recording.model_set
        jobs = {image.id: _new_job(submission, image, model_set) for image in recording.images}
        return cls(jobs, recording.force)


def _hold(transaction: Transaction, all_wanted: Sequence[_Wanted]) -> list[dict[UUID, Job]]:
    """Return the job that holds the key of each image: an earlier one, or the first that wants it.

    Whatever the number of submissions, flows and keys are locked once and in one order.
    """
    wanted: dict[str, Job] = {}
    for one in all_wanted:
        for job in one.jobs.values():
            wanted.setdefault(job.idempotency_key, job)
    held = {**transaction.jobs.with_keys(wanted)}
    if any(one.force for one in all_wanted):
        forced = {
            job.idempotency_key for one in all_wanted if one.force for job in one.jobs.values()
        }
        replaced = [job for key, job in held.items() if key in forced]
        for job in sorted(replaced, key=age, reverse=True):
            if transaction.jobs.give_up_key(job):
                key = job.idempotency_key
                wanted[key] = replace(wanted[key], replaces_job_id=job.id)
        # One that somebody else has just replaced is known by its successor.
        held = {**transaction.jobs.with_keys(wanted)}
    # Only what is new takes a place in the fair order: sending again costs a site nothing.
    new = [job for key, job in wanted.items() if key not in held]
    held |= transaction.jobs.add_new(transaction.work_flows.tagged(new))
    return [
        {image_id: held[job.idempotency_key] for image_id, job in one.jobs.items()}
        for one in all_wanted
    ]


def _add_instances(
    transaction: Transaction,
    submission: Submission,
    images: Sequence[Instance],
    jobs: Mapping[UUID, Job],
    *,
    has_parent: bool,
) -> dict[UUID, AcceptedFile]:
    """Add the instances of new jobs; return what became of each image, by its id."""
    fresh = [image for image in images if jobs[image.id].instance_id == image.id]
    transaction.submissions.add_instances(submission, fresh, has_parent=has_parent)
    added = {}
    for image in images:
        outcome = Outcome.NEW if image in fresh else Outcome.KNOWN
        added[image.id] = AcceptedFile(image.filename, jobs[image.id], outcome)
    return added


def _record(
    transaction: Transaction, recording: Recording, added: Mapping[UUID, AcceptedFile]
) -> RecordedSubmission:
    """Write a submission and its items, and tell the audit log of its new jobs."""
    submission = recording.submission
    before = {
        instance_id: earlier_of(transaction, file.job)
        for instance_id, file in added.items()
        if file.job.study_id != submission.id or (recording.grows and file.duplicate)
    }
    files = tuple(
        item if isinstance(item, RefusedFile) else added[item.id] for item in recording.taken
    )
    write = transaction.submissions.grow if recording.grows else transaction.submissions.add
    write(
        submission,
        [item_of(position, file) for position, file in enumerate(files, recording.position)],
        is_parent=any(not file.duplicate for file in added.values()),
    )
    transaction.audit.append(
        [
            image_event(submission, image, file.job, "job.accepted")
            for image in recording.images
            if not (file := added[image.id]).duplicate
        ]
    )
    return RecordedSubmission(recording, files, before)


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
