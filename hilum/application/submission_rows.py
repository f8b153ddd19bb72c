"""The rows of a submission: a new study, its jobs, films that come again, and the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from hilum.application.submission import AcceptedFile, RefusedFile, SubmittedStudy
from hilum.domain.audit import AuditEvent
from hilum.domain.job import Job, JobEvent, JobState, next_state
from hilum.domain.study import Instance, Study

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork


def record_submission(
    unit_of_work: UnitOfWork,
    study: Study,
    taken: Sequence[Instance | RefusedFile],
    model_set: str,
    *,
    actor: str,
    request_id: str,
) -> SubmittedStudy:
    """Write the rows of a submission in one transaction.

    Args:
        unit_of_work: Holds the rows.
        study: The new study; it is not kept where every film was known.
        taken: A file each, in the order of the files: stored, or refused.
        model_set: Version of the models that the study's site reads with.
        actor: Who submits, for the audit log.
        request_id: Likewise.

    Returns:
        An entry a file, in the order of the files.

    Raises:
        DatabaseUnavailable: The rows may stand or not; sending again is safe.
    """
    wanted: dict[str, Job] = {}
    keys: dict[UUID, str] = {}
    instances = [item for item in taken if isinstance(item, Instance)]
    for instance in instances:
        job = _new_job(study, instance, model_set)
        keys[instance.id] = job.idempotency_key
        wanted.setdefault(job.idempotency_key, job)
    if not wanted:
        return SubmittedStudy(tuple(i for i in taken if isinstance(i, RefusedFile)))
    with unit_of_work.begin() as transaction:
        held = dict(transaction.jobs.add_new(list(wanted.values())))
        fresh = [i for i in instances if held[keys[i.id]].instance_id == i.id]
        if fresh:
            transaction.studies.add(study, fresh)
        back = _sent_again(transaction, instances, keys, held, now=study.received_at)
        transaction.audit.append(
            _events(study, instances, keys, held, back, actor=actor, request_id=request_id)
        )
    fresh_ids = {instance.id for instance in fresh}
    return SubmittedStudy(
        tuple(
            item
            if isinstance(item, RefusedFile)
            else AcceptedFile(
                item.filename,
                held[keys[item.id]],
                duplicate=item.id not in fresh_ids,
                kept=item.id in fresh_ids | back,
            )
            for item in taken
        )
    )


def _new_job(study: Study, instance: Instance, model_set: str) -> Job:
    return Job(
        id=uuid4(),
        study_id=study.id,
        instance_id=instance.id,
        site=study.site,
        filename=instance.filename,
        state=next_state(JobState.RECEIVED, JobEvent.ENQUEUE),
        priority=study.priority,
        model_set=model_set,
        idempotency_key=instance.idempotency_key(study.site, model_set),
        created_at=study.received_at,
        updated_at=study.received_at,
        rung_at=study.received_at,
    )


def _sent_again(
    transaction: Transaction,
    instances: Sequence[Instance],
    keys: Mapping[UUID, str],
    held: dict[str, Job],
    *,
    now: datetime,
) -> set[UUID]:
    """Give expired films these bytes; the instances whose bytes they have now.

    The new bytes keep their own key: a removal of the former ones that is still to come cannot
    meet them.
    """
    back = set()
    for instance in instances:
        job = held[keys[instance.id]]
        if job.film_expired_at is None:
            continue
        restored = transaction.film_retention.send_again(job.id, instance, now)
        if restored is not None:
            held[job.idempotency_key] = restored
            back.add(instance.id)
    return back


def _events(
    study: Study,
    instances: Sequence[Instance],
    keys: Mapping[UUID, str],
    held: Mapping[str, Job],
    back: Collection[UUID],
    *,
    actor: str,
    request_id: str,
) -> list[AuditEvent]:
    """One audit event a film: accepted, sent again, or sent again after it had expired."""
    events = []
    for instance in instances:
        job = held[keys[instance.id]]
        if job.instance_id == instance.id:
            action = "job.accepted"
        elif instance.id in back:
            action = "job.film_restored"
        else:
            action = "job.submitted_again"
        events.append(
            AuditEvent(
                actor=actor,
                action=action,
                object_type="job",
                object_id=str(job.id),
                at=study.received_at,
                request_id=request_id,
                details={"sha256": instance.sha256, "site": study.site},
            )
        )
    return events
