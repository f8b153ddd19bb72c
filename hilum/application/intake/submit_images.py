"""Accept films: bytes to the object store, rows in one transaction, then wake-ups.

Order matters. Bytes come first, so that no row ever names bytes that are not there. Wake-ups come
last and may fail: a job that is committed is found by the reconciler without one.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from hilum.application.intake.group_commit import GroupCommit
from hilum.application.intake.raw_images import accepts_raw
from hilum.application.intake.sent_again import settle_submission
from hilum.application.intake.submission import (
    AcceptedFile,
    IncomingFile,
    RefusedFile,
    SubmissionAnswer,
    SubmissionFields,
    SubmissionLimits,
)
from hilum.application.intake.submission_rows import Recording
from hilum.application.intake.upload import Upload
from hilum.domain.errors import (
    BrokerUnavailable,
    ForProcessing,
    InvalidRequest,
    ObjectStoreUnavailable,
    Rejected,
    TooManyFiles,
)
from hilum.domain.job import Priority
from hilum.domain.object_keys import film_key
from hilum.domain.principal import Permission, Principal
from hilum.domain.study import Instance, Role, Series
from hilum.domain.submission import Source, Submission
from hilum.imaging.film import DicomIdentity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Job
    from hilum.imaging.film import FilmHeader

_LOG = logging.getLogger(__name__)

MOST_WAKE_UPS: Final = 16
"""Of one submission. A slot that is awake goes on until nothing waits."""

MOST_WAITING: Final = 64
"""Wake-ups in one queue. More would wake slots that find nothing."""


class SubmitImages:
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
        self._commits = GroupCommit(unit_of_work)

    def __call__(
        self,
        files: Iterable[IncomingFile],
        fields: Callable[[], SubmissionFields],
        principal: Principal,
        request_id: str,
        traceparent: str | None = None,
        source: Source = Source.API,
    ) -> SubmissionAnswer:
        """Accept films.

        Args:
            files: Read one after the other, each once.
            fields: Asked after the last file, since a form may send its fields in any order.
            principal: Who submits.
            request_id: For the audit log.
            traceparent: Trace context of the request, kept with its jobs.
            source: The way by which the images came.

        Raises:
            NotPermitted: The principal may not submit, or not for this site, or may not force.
            InvalidRequest: No file at all, or a malformed field.
            TooManyFiles: More files than the limit; none is accepted.
            ObjectStoreUnavailable: Nothing was accepted.
            DatabaseUnavailable: Nothing is known to be accepted; sending again is safe.
            InvalidManifest: No model could read the films; nothing was accepted.
        """
        principal.require(Permission.SUBMIT_IMAGES)
        self._catalogue.current()  # without models, before a byte is taken
        submission_id = uuid4()
        taken: list[Instance | RefusedFile] = []
        raw: set[UUID] = set()
        try:
            for file in files:
                self._check_room(len(taken))
                taken.append(self._take(submission_id, file, raw))
            told = fields()
            submission = Submission(
                id=submission_id,
                site=principal.site_for(Permission.SUBMIT_IMAGES, told.site),
                principal=principal,
                source=source.value,
                priority=told.priority,
                received_at=self._clock.now(),
                patient_ref=told.patient_ref,
                request_id=request_id,
                traceparent=traceparent,
            )
            if told.force:
                principal.require(Permission.OPERATE_QUEUE, submission.site)
            recording = self._recording(submission, taken, raw)
        except BaseException:
            self._forget(_stored(taken))
            raise
        if not taken:
            raise InvalidRequest("the request holds no file; send one or more parts `files`")
        return self._record(replace(recording, force=told.force))

    def open(
        self,
        principal: Principal,
        *,
        request_id: str,
        source: Source,
        priority: Priority = Priority.ROUTINE,
        calling_ae: str | None = None,
        traceparent: str | None = None,
    ) -> OpenSubmission:
        """Begin a submission that grows with each image. It gets its rows with the first.

        Args:
            principal: Who submits. It is of one site.
            request_id: For the audit log.
            source: The way by which the images come.
            priority: Of every image in it.
            calling_ae: AE title of the sender.
            traceparent: Trace context, kept with its jobs.

        Raises:
            NotPermitted: The principal may not submit.
        """
        principal.require(Permission.SUBMIT_IMAGES)
        submission = Submission(
            id=uuid4(),
            site=principal.site_for(Permission.SUBMIT_IMAGES, None),
            principal=principal,
            source=source.value,
            priority=priority,
            received_at=self._clock.now(),
            request_id=request_id,
            traceparent=traceparent,
            calling_ae=calling_ae,
        )
        return OpenSubmission(self, submission)

    def add_to(
        self, submission: Submission, position: int, file: IncomingFile | RefusedFile
    ) -> AcceptedFile | RefusedFile:
        """Accept one more file of a submission that grows, see :class:`OpenSubmission`."""
        taken: list[Instance | RefusedFile] = []
        raw: set[UUID] = set()
        try:
            self._catalogue.current()
            if isinstance(file, RefusedFile):
                taken.append(file)
            else:
                taken.append(self._take(submission.id, file, raw))
            recording = self._recording(submission, taken, raw)
        except BaseException:
            self._forget(_stored(taken))
            raise
        answer = self._record(replace(recording, grows=True, position=position))
        return answer.files[0]

    def _recording(
        self, submission: Submission, taken: Sequence[Instance | RefusedFile], raw: Collection[UUID]
    ) -> Recording:
        """Return what is to be written, without the raw images that the site refuses."""
        model_set = self._catalogue.of_site(submission.site).version
        if raw and not accepts_raw(self._unit_of_work, submission.site):
            self._forget(item for item in _stored(taken) if item.id in raw)
            taken = [_refused_raw(item, raw, submission.site) for item in taken]
        return Recording(submission, tuple(taken), model_set)

    def _record(self, recording: Recording) -> SubmissionAnswer:
        """Write the rows, settle what was sent again, and wake slots.

        The objects stay whatever happens: a commit whose answer was lost may have succeeded, and
        its rows name them.
        """
        recorded = self._commits.record(recording)
        settled = settle_submission(recorded, self._unit_of_work, self._store)
        self._forget(settled.spare)
        accepted = settled.answer.accepted
        self._wake([file.job for file in accepted if file.queued or file.raised])
        return settled.answer

    def _check_room(self, taken: int) -> None:
        if taken >= self._limits.max_files:
            raise TooManyFiles(f"at most {self._limits.max_files} files in one request")

    def _take(
        self, submission_id: UUID, file: IncomingFile, raw: set[UUID]
    ) -> Instance | RefusedFile:
        """Store one file while hashing it, or refuse it. Those FOR PROCESSING are added to raw."""
        upload = Upload(file.chunks, self._limits.max_file_bytes)
        instance_id = uuid4()
        object_key = film_key(submission_id, instance_id)
        try:
            prefix, ended = upload.peek()
            size = len(prefix) if ended else self._limits.max_file_bytes
            header: FilmHeader = self._reader.inspect(prefix, size)
            upload.content_begins(header.content_at)
            self._store.put(object_key, upload, media_type=header.media_type)
        except Rejected as error:
            return RefusedFile(file.filename, error)
        if header.for_processing:
            raw.add(instance_id)
        said = header.identity or DicomIdentity()
        return Instance(
            id=instance_id,
            study_id=submission_id,
            filename=file.filename,
            media_type=header.media_type,
            size_bytes=upload.size,
            sha256=upload.sha256,
            sop_instance_uid=header.sop_instance_uid,
            object_key=object_key,
            content_sha256=upload.content_sha256,
            transfer_syntax_uid=header.transfer_syntax_uid,
            sop_class_uid=said.sop_class_uid,
            presentation_intent=said.presentation_intent,
            view_position=header.view_position,
            patient_orientation=said.patient_orientation,
            acquired_at=said.acquired_at,
            role=_role(header).value,
            series=_series(said),
        )

    def _wake(self, jobs: Sequence[Job]) -> None:
        """Wake slots for new jobs. A broker that is down costs time, never an image."""
        if not jobs:
            return
        try:
            room = MOST_WAITING - self._queue.waiting(jobs[0].priority)
            self._queue.wake([job.priority for job in jobs[: max(0, min(room, MOST_WAKE_UPS))]])
        except BrokerUnavailable as error:
            _LOG.warning("wakeup.failed", extra={"jobs": len(jobs), "error": error.sentence})

    def _forget(self, instances: Iterable[Instance]) -> None:
        """Delete objects that no row names; what cannot be deleted now is an orphan, no harm."""
        for instance in instances:
            try:
                self._store.delete(instance.object_key)
            except ObjectStoreUnavailable as error:
                facts = {
                    "submission_id": str(instance.study_id),
                    "instance_id": str(instance.id),
                    "error": error.sentence,
                }
                _LOG.warning("object.orphaned", extra=facts)


class OpenSubmission:
    """A submission that grows, as an association does. Its files come one after the other.

    Attributes:
        submission: What every file of it has in common.
    """

    def __init__(self, submit: SubmitImages, submission: Submission) -> None:
        self._submit = submit
        self._positions = count()
        self.submission = submission

    @property
    def id(self) -> UUID:
        """Return the id of the submission. It has a row from its first file on."""
        return self.submission.id

    def add(self, file: IncomingFile) -> AcceptedFile | RefusedFile:
        """Accept a file. When this returns, its bytes and rows are durable.

        Raises:
            ObjectStoreUnavailable: Nothing was accepted.
            DatabaseUnavailable: Nothing is known to be accepted; sending again is safe.
            InvalidManifest: No model could read it; nothing was accepted.
        """
        return self._submit.add_to(self.submission, next(self._positions), file)

    def refuse(self, filename: str, error: Rejected) -> RefusedFile:
        """Keep the row of a file that was refused before its bytes were looked at.

        Raises:
            DatabaseUnavailable: It may have a row or not.
            InvalidManifest: There are no models.
        """
        refused = RefusedFile(filename, error)
        self._submit.add_to(self.submission, next(self._positions), refused)
        return refused


def _stored(taken: Iterable[Instance | RefusedFile]) -> Iterable[Instance]:
    return (item for item in taken if not isinstance(item, RefusedFile))


def _role(header: FilmHeader) -> Role:
    if header.chest is False:
        return Role.OTHER
    return Role.LATERAL if header.frontal is False else Role.RADIOGRAPH


def _series(said: DicomIdentity) -> Series | None:
    """The series of an instance, where the header names both it and its study."""
    if said.study_instance_uid is None or said.series_instance_uid is None:
        return None
    return Series(
        said.study_instance_uid,
        said.series_instance_uid,
        said.accession_number,
        said.modality,
        said.body_part,
    )


def _refused_raw(
    item: Instance | RefusedFile, raw: Collection[UUID], site: str
) -> Instance | RefusedFile:
    if isinstance(item, RefusedFile) or item.id not in raw:
        return item
    reason = f"The image holds raw detector values (FOR PROCESSING), which site {site} refuses."
    return RefusedFile(item.filename, ForProcessing(reason))
