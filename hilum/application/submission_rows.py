"""The rows of a submission: a new study, its jobs, and the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from hilum.application.submission import AcceptedFile, RefusedFile
from hilum.domain.audit import AuditEvent
from hilum.domain.job import Job, JobEvent, JobState, next_state
from hilum.domain.sent_again import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum.application.ports.unit_of_work import UnitOfWork
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
    """

    files: tuple[AcceptedFile | RefusedFile, ...]
    earlier: Mapping[UUID, Earlier]


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
    wanted: dict[str, Job] = {}
    keys: dict[UUID, str] = {}
    images = [item for item in taken if not isinstance(item, RefusedFile)]
    for image in images:
        job = _new_job(study, image, model_set, sender.traceparent)
        keys[image.instance.id] = job.idempotency_key
        wanted.setdefault(job.idempotency_key, job)
    if not wanted:
        return RecordedSubmission(tuple(i for i in taken if isinstance(i, RefusedFile)), {})
    with unit_of_work.begin() as transaction:
        held = transaction.jobs.add_new(list(wanted.values()))
        fresh = {
            image.instance.id: image.instance
            for image in images
            if held[keys[image.instance.id]].instance_id == image.instance.id
        }
        if fresh:
            transaction.studies.add(study, fresh.values())
            transaction.work_flows.enqueue([held[keys[instance_id]] for instance_id in fresh])
        again = {instance_id: held[key] for instance_id, key in keys.items()}
        before = {
            instance_id: Earlier(job, instance)
            for instance_id, job in again.items()
            if job.instance_id not in fresh
            and (instance := transaction.studies.instance(job.instance_id)) is not None
        }
        transaction.audit.append(
            [
                image_event(study, instance, held[keys[instance.id]], "job.accepted", sender)
                for instance in fresh.values()
            ]
        )
    files = tuple(
        item
        if isinstance(item, RefusedFile)
        else AcceptedFile(
            item.instance.filename,
            held[keys[item.instance.id]],
            Outcome.NEW if item.instance.id in fresh else Outcome.KNOWN,
        )
        for item in taken
    )
    return RecordedSubmission(files, before)


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
        state=next_state(JobState.RECEIVED, JobEvent.ENQUEUE),
        priority=study.priority,
        model_set=model_set,
        idempotency_key=image.idempotency_key(study, model_set),
        created_at=study.received_at,
        updated_at=study.received_at,
        rung_at=study.received_at,
        traceparent=traceparent,
    )
