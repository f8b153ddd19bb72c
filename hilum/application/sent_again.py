"""Images that had a job before: their bytes are kept where the earlier ones are gone."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hilum.application.submission import AcceptedFile, RefusedFile, SubmittedStudy
from hilum.application.submission_rows import Earlier, add_images, image_event
from hilum.domain.errors import ObjectStoreUnavailable
from hilum.domain.job import JobState
from hilum.domain.sent_again import Outcome, outcome_of
from hilum.domain.study import StoredImage
from hilum.domain.work import WorkEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.submission_rows import RecordedSubmission, Sender
    from hilum.domain.study import Instance, Study

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

    answer: SubmittedStudy
    spare: tuple[Instance, ...]


def settle_submission(
    recorded: RecordedSubmission,
    study: Study,
    taken: Sequence[StoredImage | RefusedFile],
    unit_of_work: UnitOfWork,
    store: ObjectStore,
    sender: Sender,
) -> SettledSubmission:
    """Give each image that was sent again its outcome, see :mod:`hilum.domain.sent_again`.

    Bytes are spare only after the earlier ones were seen in the store. An image whose job was
    discarded since its rows were read gets a new job.

    Args:
        recorded: With the rows of what is new.
        study: As submitted.
        taken: A file each, in the order of the files.
        unit_of_work: Holds the rows.
        store: Holds the bytes.
        sender: For the audit log.

    Raises:
        DatabaseUnavailable: What is new has its rows; sending again is safe.
    """
    known = [
        (place, file, item)
        for place, (file, item) in enumerate(zip(recorded.files, taken, strict=True))
        if isinstance(file, AcceptedFile) and isinstance(item, StoredImage) and file.duplicate
    ]
    if not known:
        return SettledSubmission(SubmittedStudy(recorded.files), ())
    seen = {key: _is_stored(store, earlier) for key, earlier in recorded.earlier.items()}
    settled: dict[int, AcceptedFile] = {}
    freed: dict[int, StoredImage] = {}
    spare: list[Instance] = []
    with unit_of_work.begin() as transaction:
        # In the order of their jobs, as each may lock its own.
        for place, file, image in sorted(known, key=lambda one: one[1].job.id):
            sent = image.instance
            earlier, stored = recorded.earlier.get(sent.id), seen.get(sent.id, True)
            answer = _settled(transaction, study, file, sent, earlier, stored)
            if answer is None:
                freed[place] = image
                continue
            settled[place] = answer
            if not answer.kept and stored is not None:
                spare.append(sent)
        settled |= _added(transaction, study, recorded, freed, sender.traceparent)
        transaction.audit.append(
            [
                image_event(
                    study,
                    image.instance,
                    settled[place].job,
                    _ACTIONS[settled[place].outcome],
                    sender,
                )
                for place, _, image in known
            ]
        )
    files = [settled.get(place, file) for place, file in enumerate(recorded.files)]
    return SettledSubmission(SubmittedStudy(tuple(files)), tuple(spare))


def _settled(
    transaction: Transaction,
    study: Study,
    file: AcceptedFile,
    sent: Instance,
    earlier: Earlier | None,
    stored: bool | None,  # noqa: FBT001 - None where the store does not answer
) -> AcceptedFile | None:
    """The job as it is now and the outcome; None where it gave up its key meanwhile."""
    if earlier is None:  # twice in this submission
        return file
    # Of a store that does not answer nothing is known: the job stays as it is.
    outcome = outcome_of(earlier.job, stored=stored is not False)
    job = None
    if outcome is not Outcome.KNOWN:
        job = transaction.film_retention.send_again(
            earlier.job.id, sent, instead_of=earlier.instance.object_key, now=study.received_at
        )
    if job is None:
        job = transaction.jobs.get(earlier.job.id)
        if job is None or job.idempotency_key != earlier.job.idempotency_key:
            return None
        return replace(file, job=job)
    if outcome is Outcome.REQUEUED:
        failed = job.state is JobState.FAILED
        queued = transaction.jobs.change(job, WorkEvent.RESUBMIT) if failed else None
        if queued is not None:
            transaction.work_flows.enqueue([queued])
        job, outcome = (queued, outcome) if queued else (job, Outcome.RESTORED)
    return replace(file, job=job, outcome=outcome)


def _added(
    transaction: Transaction,
    study: Study,
    recorded: RecordedSubmission,
    freed: Mapping[int, StoredImage],
    traceparent: str | None,
) -> dict[int, AcceptedFile]:
    """Give images new jobs whose earlier ones were discarded after their rows were read."""
    if not freed:
        return {}
    known_study = any(
        isinstance(file, AcceptedFile) and not file.duplicate for file in recorded.files
    )
    added = add_images(
        transaction,
        study,
        list(freed.values()),
        recorded.model_set,
        traceparent,
        known_study=known_study,
    )
    return {place: added[image.instance.id] for place, image in freed.items()}


def _is_stored(store: ObjectStore, earlier: Earlier) -> bool | None:
    """Whether the store holds the earlier bytes whole; None where it does not answer."""
    key, size = earlier.instance.object_key, earlier.instance.size_bytes
    try:
        return any(one.key == key and one.size_bytes == size for one in store.list(key))
    except ObjectStoreUnavailable:
        _LOG.warning("not known whether %s is there: the store does not answer", key)
        return None
