"""Images that had a job before: their bytes are kept where the earlier ones are gone."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hilum.application.submission import AcceptedFile, RefusedFile, SubmittedStudy
from hilum.application.submission_rows import Earlier, image_event
from hilum.domain.errors import ObjectStoreUnavailable
from hilum.domain.sent_again import Outcome, outcome_of
from hilum.domain.study import StoredImage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.submission_rows import RecordedSubmission, Sender
    from hilum.domain.audit import AuditEvent
    from hilum.domain.study import Instance, Study

_LOG = logging.getLogger(__name__)
_ACTIONS: Final[Mapping[Outcome, str]] = {
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

    Bytes are spare only after the earlier ones were seen in the store.

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
    seen = {key: _is_stored(store, earlier) for key, earlier in recorded.earlier.items()}
    files = list(recorded.files)
    spare: list[Instance] = []
    known = [
        (place, file, item.instance)
        for place, (file, item) in enumerate(zip(recorded.files, taken, strict=True))
        if isinstance(file, AcceptedFile) and isinstance(item, StoredImage) and file.duplicate
    ]
    if not known:
        return SettledSubmission(SubmittedStudy(recorded.files), ())
    events: list[AuditEvent] = []
    with unit_of_work.begin() as transaction:
        for place, file, sent in known:
            stored = seen.get(sent.id, True)
            earlier = recorded.earlier.get(sent.id)
            settled = _settled(transaction, study, file, sent, earlier, stored)
            action = _ACTIONS[settled.outcome]
            events.append(image_event(study, sent, settled.job, action, sender))
            files[place] = settled
            if not settled.kept and stored is not None:
                spare.append(sent)
        transaction.audit.append(events)
    return SettledSubmission(SubmittedStudy(tuple(files)), tuple(spare))


def _settled(
    transaction: Transaction,
    study: Study,
    file: AcceptedFile,
    sent: Instance,
    earlier: Earlier | None,
    stored: bool | None,  # noqa: FBT001 - None where the store does not answer
) -> AcceptedFile:
    """The job as it is now and the outcome, unless somebody else was faster."""
    if earlier is None:  # twice in this submission
        return file
    # Of a store that does not answer nothing is known: the job stays as it is.
    outcome = outcome_of(earlier.job, stored=stored is not False)
    if outcome is Outcome.KNOWN:
        return file
    job = transaction.film_retention.send_again(
        earlier.job.id, sent, instead_of=earlier.instance.object_key, now=study.received_at
    )
    if job is None:
        return replace(file, job=transaction.jobs.get(file.job.id) or file.job)
    if outcome is Outcome.REQUEUED:
        queued = transaction.jobs.retry(job.id)
        job, outcome = (queued, outcome) if queued else (job, Outcome.RESTORED)
    return replace(file, job=job, outcome=outcome)


def _is_stored(store: ObjectStore, earlier: Earlier) -> bool | None:
    """Whether the store holds the earlier bytes whole; None where it does not answer."""
    key, size = earlier.instance.object_key, earlier.instance.size_bytes
    try:
        return any(one.key == key and one.size_bytes == size for one in store.list(key))
    except ObjectStoreUnavailable:
        _LOG.warning("not known whether %s is there: the store does not answer", key)
        return None
