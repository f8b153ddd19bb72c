"""Images that had a job before: their bytes are kept where the earlier ones are gone."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hilum.application.intake.submission import AcceptedFile, RefusedFile, SubmissionAnswer
from hilum.application.intake.submission_rows import (
    add_images,
    age,
    earlier_of,
    image_event,
    item_of,
)
from hilum.domain.errors import ObjectStoreUnavailable
from hilum.domain.job import JobState
from hilum.domain.sent_again import Outcome, is_raised, outcome_of
from hilum.domain.work import WorkEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.application.intake.submission_rows import Earlier, RecordedSubmission, Recording
    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.job import Job
    from hilum.domain.study import Instance
    from hilum.domain.submission import Submission

_LOG = logging.getLogger(__name__)
_ACTIONS: Final[Mapping[Outcome, str]] = {
    Outcome.NEW: "job.accepted",
    Outcome.KNOWN: "job.submitted_again",
    Outcome.RESTORED: "job.film_restored",
    Outcome.REQUEUED: "job.requeued",
}


@dataclass(frozen=True, slots=True)
class SettledSubmission:
    """A submission of which every image has its outcome.

    Attributes:
        answer: For the sender.
        spare: Instances whose bytes nobody needs.
    """

    answer: SubmissionAnswer
    spare: tuple[Instance, ...]


def settle_submission(
    recorded: RecordedSubmission, unit_of_work: UnitOfWork, store: ObjectStore
) -> SettledSubmission:
    """Give each image that was sent again its outcome, see :mod:`hilum.domain.sent_again`.

    Bytes are spare only after those of the job were seen in the store. An image whose job gave up
    its key since its rows were read gets a new job. One whose job was changed otherwise is looked
    at again.

    Args:
        recorded: With the rows of what is new.
        unit_of_work: Holds the rows.
        store: Holds the bytes.

    Raises:
        DatabaseUnavailable: What is new has its rows; sending again is safe.
    """
    recording, files = recorded.recording, list(recorded.files)
    spare: list[Instance] = []
    left = {
        place: _SentAgain(sent, file, recorded.earlier.get(sent.id))
        for place, (file, sent) in enumerate(zip(files, recording.taken, strict=True))
        if isinstance(file, AcceptedFile) and not isinstance(sent, RefusedFile) and file.duplicate
    }
    while left:
        seen = {place: _is_stored(store, image.earlier) for place, image in left.items()}
        has_parent = any(isinstance(file, AcceptedFile) and not file.duplicate for file in files)
        with unit_of_work.begin() as transaction:
            submission = replace(recording.submission, received_at=transaction.now)
            recording = replace(recording, submission=submission)
            settled, again = _settled(transaction, recording, left, seen, has_parent=has_parent)
            _record(transaction, recording, left, settled)
        for place, file in settled.items():
            files[place] = file
            image = left[place]
            if not file.kept and seen[place] is not None:
                spare.append(image.sent)
            if file.outcome is Outcome.REQUEUED and image.earlier is not None:
                spare.append(image.earlier.instance)  # damaged, or it came back
        left = again
    answer = SubmissionAnswer(recording.submission.id, tuple(files))
    return SettledSubmission(answer, tuple(spare))


@dataclass(frozen=True, slots=True)
class _SentAgain:
    """An image that has a job.

    Attributes:
        sent: What was sent.
        recorded: What the item of the submission says.
        earlier: The job and its instance. None of an image that is twice in the submission.
    """

    sent: Instance
    recorded: AcceptedFile
    earlier: Earlier | None

    @property
    def job(self) -> Job:
        """Return the job that answers."""
        return self.earlier.job if self.earlier else self.recorded.job

    def changed(self, transaction: Transaction, job: Job) -> _SentAgain:
        """Return the image with the job that holds its key now."""
        return replace(self, earlier=earlier_of(transaction, job))


def _settled(
    transaction: Transaction,
    recording: Recording,
    left: Mapping[int, _SentAgain],
    seen: Mapping[int, bool | None],
    *,
    has_parent: bool,
) -> tuple[dict[int, AcceptedFile], dict[int, _SentAgain]]:
    """Return what became of images, and those whose jobs have changed since they were read."""
    submission = recording.submission
    settled: dict[int, AcceptedFile] = {}
    again: dict[int, _SentAgain] = {}
    freed: dict[int, _SentAgain] = {}
    # Jobs are locked in one order, and every job before any flow, here as elsewhere.
    for place, image in sorted(left.items(), key=lambda one: age(one[1].job), reverse=True):
        answer = _answer(transaction, submission, image, seen[place])
        if isinstance(answer, AcceptedFile):
            settled[place] = answer
        elif answer is None:
            freed[place] = image
        else:
            again[place] = image.changed(transaction, answer)
    moved = [file.job for file in settled.values() if file.queued or file.raised]
    waiting = {job.id: job for job in moved if job.state is JobState.QUEUED}
    transaction.work_flows.enqueue(list(waiting.values()))
    images = [image.sent for image in freed.values()]
    added = add_images(transaction, submission, images, recording.model_set, has_parent=has_parent)
    for place, image in freed.items():
        file = added[image.sent.id]
        twice = file.job.study_id == submission.id and not recording.grows
        if twice or not file.duplicate:
            settled[place] = file
        else:
            again[place] = image.changed(transaction, file.job)
    return settled, again


def _answer(
    transaction: Transaction,
    submission: Submission,
    image: _SentAgain,
    stored: bool | None,  # noqa: FBT001 - None where the store does not answer
) -> AcceptedFile | Job | None:
    """Return the outcome; the job where it has changed; None where it gave up its key."""
    if image.earlier is None:
        return image.recorded
    earlier = image.earlier.job
    # Of a store that does not answer nothing is known: the job stays as it is.
    outcome = outcome_of(earlier, stored=stored is not False)
    job = None
    if outcome is not Outcome.KNOWN:
        job = transaction.film_retention.send_again(
            earlier.id,
            image.sent,
            instead_of=image.earlier.instance.object_key,
            now=submission.received_at,
        )
    if job is None:
        job = transaction.jobs.get(earlier.id)
        if job is None or job.idempotency_key != earlier.idempotency_key:
            return None
        if outcome is not Outcome.KNOWN or job.film_expired_at is not None:
            return job
    elif outcome is Outcome.REQUEUED:
        failed = job.state is JobState.FAILED
        queued = transaction.jobs.change(job, WorkEvent.RESUBMIT) if failed else None
        job, outcome = (queued, outcome) if queued else (job, Outcome.RESTORED)
    raised = (
        transaction.jobs.raise_priority(job.id, submission.priority)
        if is_raised(job, submission.priority)
        else None
    )
    known = replace(image.recorded, job=raised or job, outcome=outcome)
    return replace(known, raised=raised is not None)


def _record(
    transaction: Transaction,
    recording: Recording,
    left: Mapping[int, _SentAgain],
    settled: Mapping[int, AcceptedFile],
) -> None:
    """Write what became of images: their items, and the audit log."""
    submission = recording.submission
    changed = [
        item_of(recording.position + place, file)
        for place, file in settled.items()
        if (file.outcome, file.job.id)
        != (left[place].recorded.outcome, left[place].recorded.job.id)
    ]
    transaction.submissions.settle(submission.id, changed)
    transaction.audit.append(
        [
            image_event(submission, left[place].sent, file.job, _ACTIONS[file.outcome])
            for place, file in sorted(settled.items())
        ]
    )


def _is_stored(store: ObjectStore, earlier: Earlier | None) -> bool | None:
    """Whether the store holds the earlier bytes whole; None where it does not answer.

    Those of an image that is twice in a submission were stored a moment ago.
    """
    if earlier is None:
        return True
    key, size = earlier.instance.object_key, earlier.instance.size_bytes
    try:
        return any(one.key == key and one.size_bytes == size for one in store.list(key))
    except ObjectStoreUnavailable as error:
        facts = {"instance_id": str(earlier.instance.id), "error": error.sentence}
        _LOG.warning("object_check.failed", extra=facts)
        return None
