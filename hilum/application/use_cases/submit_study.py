"""Accept films: bytes to the object store, rows in one transaction, then ring.

Order matters. Bytes come first, so that no row ever names bytes that are not there. The ring
comes last, and may fail: a job that is committed is found by the reconciler without it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from hilum.application.messages import AnalyseJob
from hilum.application.object_keys import film_key
from hilum.application.upload import Upload
from hilum.domain.access import ApiKey, Permission
from hilum.domain.audit import AuditEvent
from hilum.domain.errors import (
    BrokerUnavailable,
    DatabaseUnavailable,
    InvalidRequest,
    ObjectStoreUnavailable,
    Rejected,
    TooManyFiles,
)
from hilum.domain.job import Job, JobEvent, JobState, Priority, next_state
from hilum.domain.study import Instance, Study

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.imaging.film import FilmHeader

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that is on its way: its name, and its bytes, which can be read once."""

    filename: str
    chunks: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class SubmissionFields:
    """What a submission says beside its films.

    Attributes:
        priority: Of every film in it.
        site: Owner; None takes the key's site.
        patient_ref: A pseudonym, at most 64 characters.
    """

    priority: Priority = Priority.ROUTINE
    site: str | None = None
    patient_ref: str | None = None


@dataclass(frozen=True, slots=True)
class SubmissionLimits:
    """Limits of one submission: bytes of one file, and number of files."""

    max_file_bytes: int
    max_files: int


@dataclass(frozen=True, slots=True)
class AcceptedFile:
    """A film that has a job.

    Attributes:
        filename: As sent.
        job: New, or the one that read the film before.
        duplicate: It had the job before this submission.
        kept: This submission's bytes are the film's: it is new, or had expired.
    """

    filename: str
    job: Job
    duplicate: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that was refused at the door, and why."""

    filename: str
    error: Rejected


@dataclass(frozen=True, slots=True)
class SubmittedStudy:
    """The answer to a submission, one entry a file, in the order of the files."""

    files: tuple[AcceptedFile | RefusedFile, ...]

    @property
    def accepted(self) -> tuple[AcceptedFile, ...]:
        """The films that have a job."""
        return tuple(file for file in self.files if isinstance(file, AcceptedFile))

    @property
    def study_id(self) -> UUID | None:
        """The new study; where every film was known, the study of the first; or None."""
        fresh = [file.job.study_id for file in self.accepted if not file.duplicate]
        known = [file.job.study_id for file in self.accepted]
        return next(iter(fresh + known), None)


class SubmitStudy:
    """Takes films and answers with their jobs."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        store: ObjectStore,
        queue: TaskQueue,
        reader: FilmReader,
        catalogue: ModelCatalogue,
        clock: Clock,
        limits: SubmissionLimits,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._store = store
        self._queue = queue
        self._reader = reader
        self._catalogue = catalogue
        self._clock = clock
        self._limits = limits

    def __call__(
        self,
        files: Iterable[IncomingFile],
        fields: Callable[[], SubmissionFields],
        key: ApiKey,
        request_id: str,
    ) -> SubmittedStudy:
        """Accept films.

        Args:
            files: Read one after the other, each once.
            fields: Asked after the last file, since a form may send its fields in any order.
            key: Who submits.
            request_id: For the audit log.

        Raises:
            NotPermitted: The key may not submit, or not for this site.
            InvalidRequest: No file at all, or a malformed field.
            TooManyFiles: More files than the limit; none is accepted.
            ObjectStoreUnavailable: Nothing was accepted.
            DatabaseUnavailable: Nothing is known to be accepted; sending again is safe.
            InvalidManifest: No model could read the films; nothing was accepted.
        """
        key.require(Permission.SUBMIT)
        self._catalogue.current()  # without models, before a byte is taken
        study_id = uuid4()
        taken: list[Instance | RefusedFile] = []
        try:
            for file in files:
                self._check_room(len(taken))
                taken.append(self._take(study_id, file))
            study = self._study(study_id, fields(), key)
            model_set = self._catalogue.of_site(study.site).version
        except BaseException:
            self._forget(item for item in taken if isinstance(item, Instance))
            raise
        if not taken:
            raise InvalidRequest("the request holds no file; send one or more parts `files`")
        # From here on the objects stay whatever happens: a commit whose answer was lost may
        # have succeeded, and its rows name them.
        submitted = self._record(study, taken, model_set, key, request_id)
        self._forget(
            item
            for item, file in zip(taken, submitted.files, strict=True)
            if isinstance(item, Instance) and isinstance(file, AcceptedFile) and not file.kept
        )
        self._ring([file.job for file in submitted.accepted if not file.duplicate])
        return submitted

    def _check_room(self, taken: int) -> None:
        if taken >= self._limits.max_files:
            raise TooManyFiles(f"at most {self._limits.max_files} files in one request")

    def _take(self, study_id: UUID, file: IncomingFile) -> Instance | RefusedFile:
        """Store one file while hashing it, or refuse it."""
        upload = Upload(file.chunks, self._limits.max_file_bytes)
        instance_id = uuid4()
        object_key = film_key(study_id, instance_id)
        try:
            prefix, ended = upload.peek()
            size = len(prefix) if ended else self._limits.max_file_bytes
            header: FilmHeader = self._reader.inspect(prefix, size)
            self._store.put(object_key, upload, media_type=header.media_type)
        except Rejected as error:
            return RefusedFile(file.filename, error)
        return Instance(
            id=instance_id,
            study_id=study_id,
            filename=file.filename,
            media_type=header.media_type,
            size_bytes=upload.size,
            sha256=upload.sha256,
            sop_instance_uid=header.sop_instance_uid,
            object_key=object_key,
        )

    def _study(self, study_id: UUID, fields: SubmissionFields, key: ApiKey) -> Study:
        return Study(
            id=study_id,
            site=key.site_for(fields.site),
            patient_ref=fields.patient_ref,
            priority=fields.priority,
            submitted_by=key.id,
            received_at=self._clock.now(),
        )

    def _record(
        self,
        study: Study,
        taken: Sequence[Instance | RefusedFile],
        model_set: str,
        key: ApiKey,
        request_id: str,
    ) -> SubmittedStudy:
        """Write the rows of a submission in one transaction."""
        wanted: dict[str, Job] = {}
        keys: dict[UUID, str] = {}
        instances = [item for item in taken if isinstance(item, Instance)]
        for instance in instances:
            job = _new_job(study, instance, model_set)
            keys[instance.id] = job.idempotency_key
            wanted.setdefault(job.idempotency_key, job)
        if not wanted:
            return SubmittedStudy(tuple(i for i in taken if isinstance(i, RefusedFile)))
        with self._unit_of_work.begin() as transaction:
            held = dict(transaction.jobs.add_new(list(wanted.values())))
            fresh = [i for i in instances if held[keys[i.id]].instance_id == i.id]
            if fresh:
                transaction.studies.add(study, fresh)
            back = _sent_again(transaction, instances, keys, held, now=study.received_at)
            transaction.audit.append(
                _events(study, instances, keys, held, back, actor=key.id, request_id=request_id)
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

    def _ring(self, jobs: Sequence[Job]) -> None:
        """Ring for new jobs; a broker that is down costs latency, never a film."""
        if not jobs:
            return
        try:
            self._queue.ring([AnalyseJob(job.id, job.priority) for job in jobs])
        except BrokerUnavailable as error:
            _LOG.warning("not rung for %d jobs, the reconciler will: %s", len(jobs), error)
            try:
                with self._unit_of_work.begin() as transaction:
                    transaction.jobs.mark_rung([job.id for job in jobs], None)
            except DatabaseUnavailable:
                _LOG.warning("the reconciler will find them once their ring is overdue")

    def _forget(self, instances: Iterable[Instance]) -> None:
        """Delete objects that no row names; what cannot be deleted now is an orphan, no harm."""
        for instance in instances:
            try:
                self._store.delete(instance.object_key)
            except ObjectStoreUnavailable:
                _LOG.warning("orphan object %s: the store does not answer", instance.object_key)


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
