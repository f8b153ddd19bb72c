"""Deliver the result of one job to one destination: encode its objects, send what is missing.

Stages, whose milliseconds are kept with the attempt: ``encode`` (reading the image included) and
``send``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from hilum.application.intake.raw_images import read_for
from hilum.application.ports.deliveries import DeliveryFilter
from hilum.application.ports.pacs import Answer
from hilum.application.ports.result_encoder import DicomObject, ResultToSend
from hilum.application.queue.handler import Outcome
from hilum.application.queue.probes import probe_object_store
from hilum.domain.delivery import DELIVERY, ObjectState
from hilum.domain.destination import DestinationKind, ObjectKind
from hilum.domain.errors import (
    ContextMissing,
    Dependency,
    DestinationBusy,
    DestinationRefuses,
    DestinationUnavailable,
    InternalError,
    ObjectMissing,
    Rejected,
)
from hilum.domain.job import JobState
from hilum.domain.work import WorkEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.pacs import ObjectAnswer, Pacs
    from hilum.application.ports.result_encoder import ResultEncoder
    from hilum.application.ports.sealer import Sealer
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.queue.handler import Stopwatch
    from hilum.domain.delivery import DeliveredObject, Delivery
    from hilum.domain.destination import Destination
    from hilum.domain.errors import Transient
    from hilum.domain.finding import Analysis, Heatmap, PanelReading
    from hilum.domain.job import Job
    from hilum.domain.study import Instance
    from hilum.domain.work import WorkItem
    from hilum.imaging.film import Film

_LOG = logging.getLogger(__name__)

FIRST_BLOCK: Final = timedelta(seconds=5)
LONGEST_BLOCK: Final = timedelta(minutes=15)
"""How long a destination that does not answer is left alone."""

_MOST_EARLIER: Final = 20

_STATES: Final = {
    Answer.SENT: ObjectState.SENT,
    Answer.REFUSED: ObjectState.REFUSED,
    Answer.LATER: ObjectState.WAITING,
}
_SETTLED: Final = {JobState.COMPLETED, JobState.REJECTED, JobState.FAILED, JobState.DISCARDED}


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the database has of a delivery."""

    destination: Destination
    job: Job
    instance: Instance
    analysis: Analysis | None
    gate: PanelReading | None
    heatmaps: Mapping[tuple[str, str], Heatmap]
    predecessors: Mapping[ObjectKind, tuple[str, str]]
    sent: Collection[str]


class DeliverResult:
    """Handles deliveries, see :class:`hilum.application.queue.handler.Handler`."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        store: ObjectStore,
        reader: FilmReader,
        encoder: ResultEncoder,
        pacs: Mapping[DestinationKind, Pacs],
        context_of: Callable[[bytes], bytes | None],
        sealer: Sealer | None = None,
    ) -> None:
        """Prepare a handler.

        Args:
            unit_of_work: Holds the rows.
            store: Holds the images.
            reader: Decodes an image whose pixels an object shows.
            encoder: Makes the objects.
            pacs: Sends them, by the kind of the destination.
            context_of: Reads from a stored image what objects need of it; None where it has no
                identity.
            sealer: Opens what retention kept of an image that is gone.
        """
        self._unit_of_work = unit_of_work
        self._store = store
        self._reader = reader
        self._encoder = encoder
        self._pacs = pacs
        self._context_of = context_of
        self._sealer = sealer
        self.probes = {Dependency.OBJECT_STORE: partial(probe_object_store, store)}

    def load(self, transaction: Transaction, delivery: Delivery) -> None:
        """Read nothing: claims of deliveries follow one another, and each has to be short."""

    def run(self, delivery: Delivery, loaded: None, watch: Stopwatch) -> Outcome:
        """Send what the destination does not have yet."""
        del loaded
        rows = self._read(delivery)
        if rows.job.state not in _SETTLED:
            return self._done(delivery, [_skipped(one, "the job runs") for one in delivery.objects])
        with watch.stage("encode"):
            encoded = self._encode(rows, delivery)
        left = _left(delivery)
        known = [_known(one, encoded.get(one.kind), rows.sent) for one in delivery.objects]
        delivery = replace(delivery, objects=tuple(known))
        asked = [one for one in known if one.state in left]
        to_send = [made for one in asked if isinstance(made := encoded.get(one.kind), DicomObject)]
        with watch.stage("send"):
            pacs = self._pacs[rows.destination.kind]
            answers = pacs.send(rows.destination, to_send) if to_send else ()
        told = {answer.sop_instance_uid: answer for answer in answers}
        objects = [
            _after(one, encoded.get(one.kind), told) if one in asked else one
            for one in delivery.objects
        ]
        self._require_all_sent(delivery, objects)
        uid = self._ask_for_commitment(rows.destination, delivery, objects)
        return self._done(delivery, objects, uid)

    def blocked(self, transaction: Transaction, item: WorkItem, error: Transient) -> None:
        """Leave a destination alone that does not answer, longer each time.

        To be called in the transaction that releases the delivery.
        """
        if isinstance(error, DestinationUnavailable):
            transaction.flows(DELIVERY.kind).block(item.flow, _block)

    def _read(self, delivery: Delivery) -> _Rows:
        with self._unit_of_work.begin(write=False) as transaction:
            destination = transaction.destinations.get(delivery.destination_id)
            job = transaction.jobs.get(delivery.job_id)
            instance = None if job is None else transaction.submissions.instance(job.instance_id)
            if destination is None or job is None or instance is None:  # the schema forbids it
                raise InternalError(f"delivery {delivery.id} has no job or no destination")
            analysis = transaction.results.get(job.id)
            gate = analysis.gate if analysis else transaction.results.gate(job.id)
            predecessors = _sent_before(transaction, job, destination)
            heatmaps: dict[tuple[str, str], Heatmap] = {}
            if analysis is not None and any(o.kind is ObjectKind.SC for o in delivery.objects):
                for place in _shown(analysis):
                    if heatmap := transaction.results.heatmap(job.id, *place):
                        heatmaps[place] = heatmap
            sent = transaction.deliveries.sent_of_image(delivery)
            return _Rows(destination, job, instance, analysis, gate, heatmaps, predecessors, sent)

    def _encode(self, rows: _Rows, delivery: Delivery) -> Mapping[ObjectKind, DicomObject | str]:
        kinds = [one.kind for one in delivery.objects]
        content = self._content(rows)
        context = self._kept(rows.job) if content is None else self._context_of(content)
        if context is None:
            raise ContextMissing("the image is gone, and nothing was kept that objects need of it")
        film = None
        if content is not None and ObjectKind.SC in kinds and rows.analysis is not None:
            film = self._film(rows.job, content)
        result = ResultToSend(
            site=rows.job.site,
            job=rows.job,
            context=context,
            analysis=rows.analysis,
            gate=rows.gate,
            film=film,
            heatmaps=rows.heatmaps,
            weak_labels=rows.destination.weak_labels,
            predecessors=rows.predecessors,
        )
        return self._encoder.encode(result, kinds, rows.destination.options)

    def _content(self, rows: _Rows) -> bytes | None:
        """Return the stored image; None where retention took it or it is damaged."""
        if rows.job.film_expired_at is not None:
            return None
        try:
            return self._store.get(rows.instance.object_key)
        except ObjectMissing:
            return None

    def _kept(self, job: Job) -> bytes | None:
        """Return what retention kept of an image that it took."""
        with self._unit_of_work.begin(write=False) as transaction:
            sealed = transaction.delivery_contexts.get(job.id)
        if sealed is None or self._sealer is None:
            return None
        return self._sealer.unseal(sealed, job.id.bytes)

    def _film(self, job: Job, content: bytes) -> Film | None:
        try:
            return read_for(job.site, self._reader, content, self._unit_of_work)
        except Rejected:  # it was decoded before, so that the stored object is damaged
            return None

    def _require_all_sent(self, delivery: Delivery, objects: Sequence[DeliveredObject]) -> None:
        """Keep what was sent, and raise where something was not."""
        refused = [one for one in objects if one.state is ObjectState.REFUSED]
        waiting = [one for one in objects if one.state is ObjectState.WAITING]
        if not refused and not waiting:
            return
        with self._unit_of_work.begin() as transaction:
            transaction.deliveries.progress(delivery, objects)
            transaction.flows(DELIVERY.kind).unblock(delivery.flow)
        if waiting:
            raise DestinationBusy(_told(waiting))
        raise DestinationRefuses(_told(refused))

    def _ask_for_commitment(
        self, destination: Destination, delivery: Delivery, objects: Sequence[DeliveredObject]
    ) -> str | None:
        sent = [one for one in objects if one.state is ObjectState.SENT]
        if not destination.commitment or not sent:
            return None
        # Kept before it is asked for: the report may come at once.
        uid = f"2.25.{uuid4().int}"
        with self._unit_of_work.begin() as transaction:
            transaction.deliveries.progress(delivery, objects, uid)
        named = [(one.sop_class_uid, one.sop_instance_uid) for one in sent]
        self._pacs[destination.kind].request_commitment(destination, uid, named)
        return uid

    @staticmethod
    def _done(
        delivery: Delivery, objects: Sequence[DeliveredObject], uid: str | None = None
    ) -> Outcome:
        def record(transaction: Transaction) -> None:
            transaction.deliveries.keep(delivery.id, objects, uid)
            transaction.flows(DELIVERY.kind).unblock(delivery.flow)

        return Outcome(WorkEvent.DELIVER, record=record)


def _sent_before(
    transaction: Transaction, job: Job, destination: Destination
) -> Mapping[ObjectKind, tuple[str, str]]:
    """Return what the result that this one replaces was sent as."""
    if job.replaces_job_id is None:
        return {}
    which = DeliveryFilter(destination_id=destination.id, job_id=job.replaces_job_id)
    return {
        one.kind: (one.sop_class_uid, one.sop_instance_uid)
        for earlier in reversed(transaction.deliveries.newest(which, None, _MOST_EARLIER))
        for one in earlier.objects
        if one.state is ObjectState.SENT
    }


def _block(failures: int) -> timedelta:
    return min(LONGEST_BLOCK, FIRST_BLOCK * (1 << min(failures, 20)))


def _shown(analysis: Analysis) -> Sequence[tuple[str, str]]:
    """Return the labels of the impression whose heatmap is kept, the surest first."""
    named = () if analysis.impression is None else analysis.impression.findings
    return [
        (one.panel, one.label)
        for one in named
        for panel in analysis.panels
        if panel.panel == one.panel
        and (finding := panel.finding(one.label)) is not None
        and finding.heatmap
    ]


def _left(delivery: Delivery) -> Collection[ObjectState]:
    """Return the states of the objects that are to be sent in this attempt."""
    states = {one.state for one in delivery.objects}
    if states == {ObjectState.SENT} and delivery.transaction_uid is None:
        # A storage commitment was not kept: the destination may have lost everything.
        return states
    left = {ObjectState.WAITING, ObjectState.SKIPPED}
    if delivery.attempts <= 1:  # the first one, or a person had it tried again
        left.add(ObjectState.REFUSED)
    return left


def _known(
    one: DeliveredObject, made: DicomObject | str | None, sent: Collection[str]
) -> DeliveredObject:
    """Return an object as sent which the destination has of the same image in another syntax."""
    if one.sop_instance_uid or not isinstance(made, DicomObject):
        return one  # it was tried before, or cannot be made
    if made.sop_instance_uid not in sent:
        return one
    return replace(
        one,
        state=ObjectState.SENT,
        sop_class_uid=made.sop_class_uid,
        sop_instance_uid=made.sop_instance_uid,
        digest=made.digest,
        words="sent before, of the same image",
    )


def _skipped(one: DeliveredObject, why: str) -> DeliveredObject:
    return replace(one, state=ObjectState.SKIPPED, words=why)


def _after(
    one: DeliveredObject, made: DicomObject | str | None, told: Mapping[str, ObjectAnswer]
) -> DeliveredObject:
    if not isinstance(made, DicomObject):
        return _skipped(one, made or "there is nothing to report")
    answer = told[made.sop_instance_uid]
    return replace(
        one,
        state=_STATES[answer.answer],
        sop_class_uid=made.sop_class_uid,
        sop_instance_uid=made.sop_instance_uid,
        digest=made.digest,
        status=answer.status,
        words=answer.words,
    )


def _told(objects: Sequence[DeliveredObject]) -> str:
    said = [
        f"{one.kind.value.upper()}: "
        + (f"0x{one.status:04X} " if one.status is not None else "")
        + (one.words or "no words")
        for one in objects
    ]
    return "; ".join(said)
