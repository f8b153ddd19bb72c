"""The rows of a submission: a new study, its jobs, and the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from hilum.application.submission import AcceptedFile, RefusedFile
from hilum.domain.audit import AuditEvent
from hilum.domain.job import ANALYSIS, Job, JobEvent, JobState
from hilum.domain.sent_again import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.principal import Principal
    from hilum.domain.study import Instance, StoredImage, Study


@dataclass(frozen=True, slots=True)
class Sender:
    """Who submits.

    Attributes:
        actor: For the audit log.
        request_id: Of the request, for the audit log.
        traceparent: Trace context of the request, kept with its jobs.
    """

    actor: Principal
    request_id: str
    traceparent: str | None = None


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
        model_set: Version of the models that new jobs are read with.
    """

    files: tuple[AcceptedFile | RefusedFile, ...]
    earlier: Mapping[UUID, Earlier]
    model_set: str


def record_submission(
    unit_of_work: UnitOfWork,
    study: Study,
    taken: Sequence[StoredImage | RefusedFile],
    model_set: str,
    sender: Sender,
) -> RecordedSubmission:
    """Write the rows of a submission's new images in one transaction.

    Args:
        unit_of_work: Holds the rows.
        study: The new study; it is not kept where every image was known.
        taken: A file each, in the order of the files: stored, or refused.
        model_set: Version of the models that the study's site reads with.
        sender: For the audit log.

    Raises:
        DatabaseUnavailable: The rows may stand or not; sending again is safe.
    """
    images = [item for item in taken if not isinstance(item, RefusedFile)]
    added: dict[UUID, AcceptedFile] = {}
    before: dict[UUID, Earlier] = {}
    if images:
        with unit_of_work.begin() as transaction:
            added = add_images(
                transaction, study, images, model_set, sender.traceparent, known_study=False
            )
            before = {
                instance_id: Earlier(file.job, instance)
                for instance_id, file in added.items()
                if file.job.study_id != study.id
                and (instance := transaction.studies.instance(file.job.instance_id)) is not None
            }
            transaction.audit.append(
                [
                    image_event(study, image.instance, file.job, "job.accepted", sender)
                    for image in images
                    if not (file := added[image.instance.id]).duplicate
                ]
            )
    files = tuple(
        item if isinstance(item, RefusedFile) else added[item.instance.id] for item in taken
    )
    return RecordedSubmission(files, before, model_set)


def add_images(
    transaction: Transaction,
    study: Study,
    images: Sequence[StoredImage],
    model_set: str,
    traceparent: str | None,
    *,
    known_study: bool,
) -> dict[UUID, AcceptedFile]:
    """Give each image a job: the one that holds its key, or a new one with its rows.

    Args:
        transaction: May write.
        study: What new images belong to.
        images: At least one. The same image may be there twice.
        model_set: Version of the models of a new job.
        traceparent: Trace context of the request, kept with a new job.
        known_study: Whether the study has its row.

    Returns:
        By the id of the instance, new or known.
    """
    jobs = {image.instance.id: _new_job(study, image, model_set, traceparent) for image in images}
    wanted: dict[str, Job] = {}
    for job in jobs.values():
        wanted.setdefault(job.idempotency_key, job)
    held = {**transaction.jobs.with_keys(wanted)}
    # Only what is new takes a place in the fair order: sending again costs a site nothing.
    new = [job for key, job in wanted.items() if key not in held]
    held |= transaction.jobs.add_new(transaction.work_flows.tagged(new))
    fresh = [
        image.instance
        for image in images
        if held[jobs[image.instance.id].idempotency_key].instance_id == image.instance.id
    ]
    if fresh and not known_study:
        transaction.studies.add(study, fresh)
    elif fresh:
        transaction.studies.add_instances(fresh)
    added = {}
    for image in images:
        job = held[jobs[image.instance.id].idempotency_key]
        outcome = Outcome.NEW if image.instance in fresh else Outcome.KNOWN
        added[image.instance.id] = AcceptedFile(image.instance.filename, job, outcome)
    return added


def image_event(
    study: Study, instance: Instance, job: Job, action: str, sender: Sender
) -> AuditEvent:
    """Tell the audit log what became of an image of a submission."""
    return AuditEvent(
        actor=sender.actor,
        action=action,
        object_type="job",
        object_id=str(job.id),
        at=study.received_at,
        request_id=sender.request_id,
        details={"sha256": instance.sha256, "site": study.site},
    )


def _new_job(study: Study, image: StoredImage, model_set: str, traceparent: str | None) -> Job:
    return Job(
        id=uuid4(),
        study_id=study.id,
        instance_id=image.instance.id,
        site=study.site,
        filename=image.instance.filename,
        state=ANALYSIS.after(JobState.RECEIVED, JobEvent.ENQUEUE),
        priority=study.priority,
        model_set=model_set,
        idempotency_key=image.idempotency_key(study, model_set),
        created_at=study.received_at,
        updated_at=study.received_at,
        rung_at=study.received_at,
        traceparent=traceparent,
    )
