"""Builds the worker from its settings; the only module here that knows adapters."""

from __future__ import annotations

import random
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import structlog
from structlog.contextvars import bound_contextvars

from hilum.adapters.clock.clock import SystemClock
from hilum.adapters.dicom.guarded_reader import GuardedFilmReader
from hilum.adapters.inference.inference import open_inference
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.adapters.task_queue.celery_app import create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from hilum.application.analysis.analyse_film import AnalyseFilm
from hilum.application.delivery.deliver_result import DeliverResult
from hilum.application.delivery.queue_deliveries import queue_deliveries
from hilum.application.delivery.take_commitment import deny_silent
from hilum.application.models.models_of_site import ModelsOfSite
from hilum.application.operations.kinds import OPERATIONS
from hilum.application.operations.run_operation import RunOperation
from hilum.application.queue.dependencies import Dependencies
from hilum.application.queue.drain import Drain
from hilum.application.queue.handler import Follows, Kind
from hilum.application.queue.leases import KeepLeases
from hilum.application.queue.messages import served_queues
from hilum.application.queue.reconcile import Periods, Reconcile
from hilum.application.queue.run_next import RunNext
from hilum.domain.attempt import Worker
from hilum.domain.delivery import DELIVERY
from hilum.domain.errors import BrokerUnavailable
from hilum.domain.job import ANALYSIS
from hilum.domain.operation import OPERATION
from hilum.domain.retry_policy import RetryPolicy
from hilum.imaging.film import FilmLimits
from hilum.runtime.tracing import run_span, trace_headers
from hilum_worker.metrics import WorkerMetrics

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from celery import Celery

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.inference import InferenceEngine
    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.work import WorkItem
    from hilum.runtime.setting_groups import Queue
    from hilum_worker.settings import WorkerSettings

_LOG: Final = structlog.get_logger(__name__)

MOST_ATTEMPTS_A_CHUNK: Final = 5
"""Of an operation, before it is dead-lettered."""

DELIVERIES: Final = RetryPolicy(
    max_attempts=None,
    base=timedelta(seconds=5),
    cap=timedelta(minutes=15),
    max_age=timedelta(days=1),
)
"""A destination may be away for a night."""

_BACKGROUND_THREADS = 3
"""Heartbeat, reconciler and the slot that runs while the broker is down.

Each may hold a database connection beside the jobs' own."""


@dataclass(frozen=True, slots=True)
class Container:
    """Everything that a worker runs with."""

    settings: WorkerSettings
    celery: Celery
    engine: InferenceEngine
    catalogue: ModelCatalogue
    kinds: Mapping[str, Kind]
    drain: Drain
    leases: KeepLeases
    dependencies: Dependencies
    reconcile: Reconcile
    metrics: WorkerMetrics


@dataclass(frozen=True, slots=True)
class _Parts:
    """What kinds of work share."""

    unit_of_work: UnitOfWork
    store: ObjectStore
    reader: FilmReader
    engine: InferenceEngine
    catalogue: ModelCatalogue
    clock: Clock


def bootstrap(settings: WorkerSettings) -> Container:
    """Wire a worker. Nothing connects yet."""
    chance = random.Random()  # noqa: S311 - jitter, not a secret
    parts = _parts(settings)
    policies = _policies(settings.queue)
    kinds = _kinds(settings, parts, policies)
    leases = _leases(settings, parts, kinds)
    dependencies = Dependencies(
        {need: probe for kind in kinds.values() for need, probe in kind.handler.probes.items()},
        unit_of_work=parts.unit_of_work,
        slots=settings.worker.max_slots,
    )
    celery = create_celery(settings.broker.url.get_secret_value())
    queue = CeleryTaskQueue(celery, trace_headers)
    run_next = RunNext(
        unit_of_work=parts.unit_of_work,
        kinds=kinds,
        leases=leases,
        dependencies=dependencies,
        chance=chance,
        around=_about,
        wake=partial(_wake, queue),
    )
    return Container(
        settings=settings,
        celery=celery,
        engine=parts.engine,
        catalogue=parts.catalogue,
        kinds=kinds,
        drain=Drain(run_next, queue, settings.worker.priorities),
        leases=leases,
        dependencies=dependencies,
        reconcile=Reconcile(
            unit_of_work=parts.unit_of_work,
            queue=queue,
            policies=policies,
            follows=Follows({ANALYSIS.kind: queue_deliveries}, deny_silent),
            chance=chance,
            periods=Periods(
                ageing=timedelta(seconds=settings.queue.ageing_seconds),
                lease=leases.lease,
                attempts=timedelta(seconds=settings.queue.attempt_age_seconds),
            ),
        ),
        metrics=WorkerMetrics(leases, dependencies.breakers),
    )


def _parts(settings: WorkerSettings) -> _Parts:
    clock = SystemClock()
    unit_of_work = SqlUnitOfWork(
        create_database_engine(
            settings.database.url.get_secret_value(),
            pool_size=settings.worker.max_slots + _BACKGROUND_THREADS,
        )
    )
    return _Parts(
        unit_of_work=unit_of_work,
        store=open_object_store(settings.object_store.url.get_secret_value()),
        reader=GuardedFilmReader(FilmLimits(**settings.image.model_dump())),
        engine=open_inference(settings.inference.url, settings.model.repository),
        catalogue=ModelsOfSite(
            catalogue=FilesystemModelCatalogue(settings.model.repository),
            unit_of_work=unit_of_work,
            clock=clock,
        ),
        clock=clock,
    )


def _policies(queue: Queue) -> Mapping[str, RetryPolicy]:
    """Return how often items are tried, of every kind: the reconciler ends leases of them all."""
    return {
        DELIVERY.kind: DELIVERIES,
        ANALYSIS.kind: RetryPolicy(
            max_attempts=queue.max_attempts,
            max_losses=queue.max_losses,
            base=timedelta(seconds=queue.backoff_base_seconds),
            cap=timedelta(seconds=queue.backoff_cap_seconds),
        ),
        OPERATION.kind: RetryPolicy(max_attempts=MOST_ATTEMPTS_A_CHUNK),
    }


def _kinds(
    settings: WorkerSettings, parts: _Parts, policies: Mapping[str, RetryPolicy]
) -> Mapping[str, Kind]:
    """Return the kinds of work that this worker runs, in the order in which they are asked.

    Deliveries come first, but never take all slots: a result that waits is worth more than the next
    one, and a destination may be slow.
    """
    kinds: dict[str, Kind] = {}
    if "delivery" in settings.worker.queues:
        kinds[DELIVERY.kind] = _delivery(settings, parts, policies[DELIVERY.kind])
    if settings.worker.priorities:
        handler = AnalyseFilm(
            unit_of_work=parts.unit_of_work,
            store=parts.store,
            reader=parts.reader,
            engine=parts.engine,
            catalogue=parts.catalogue,
            clock=parts.clock,
        )
        kinds[ANALYSIS.kind] = Kind(handler, policies[ANALYSIS.kind], ended=queue_deliveries)
    if "operations" in settings.worker.queues:
        operations = RunOperation(unit_of_work=parts.unit_of_work, kinds=OPERATIONS)
        kinds[OPERATION.kind] = Kind(operations, policies[OPERATION.kind])
    return kinds


def _delivery(settings: WorkerSettings, parts: _Parts, policy: RetryPolicy) -> Kind:
    # A worker without deliveries does not load what makes and sends DICOM objects.
    from hilum.adapters.dicom.delivery_context import context_of  # noqa: PLC0415
    from hilum.adapters.dicom.encoding.result_encoder import HighdicomEncoder  # noqa: PLC0415
    from hilum.adapters.dicom.network.pacs import open_pacs  # noqa: PLC0415
    from hilum.adapters.sealing.sealer import AesSealer, keys_of  # noqa: PLC0415

    group = settings.delivery
    keys = group.context_keys
    handler = DeliverResult(
        unit_of_work=parts.unit_of_work,
        store=parts.store,
        reader=parts.reader,
        encoder=HighdicomEncoder(),
        pacs=open_pacs(
            connect_s=group.connect_seconds,
            associate_s=group.associate_seconds,
            answer_s=group.answer_seconds,
            authorities=group.tls_ca_file,
            certificate=group.tls_certificate_file,
            key=group.tls_key_file,
        ),
        context_of=context_of,
        sealer=None if keys is None else AesSealer(keys_of(keys.get_secret_value())),
    )
    slots = max(1, settings.worker.max_slots // 2)
    return Kind(handler, policy, released=handler.blocked, max_slots=slots)


def _wake(queue: TaskQueue, queued: Sequence[WorkItem]) -> None:
    """Wake slots of other workers. The reconciler does so where the broker is down."""
    for kind in {item.life.kind for item in queued}:
        try:
            queue.wake([item.priority for item in queued if item.life.kind == kind], kind)
        except BrokerUnavailable as error:
            _LOG.warning("wakeup.failed", error=error.sentence)


@contextmanager
def _about(item: WorkItem) -> Iterator[None]:
    """Name the item in each line of the log, and continue the trace of the request behind it."""
    noun = item.life.noun
    named = {f"{noun}_id": str(item.id)}
    if item.request_id:
        named["request_id"] = item.request_id
    with bound_contextvars(**named, site=item.site), run_span(noun, item.traceparent):
        yield


def _leases(settings: WorkerSettings, parts: _Parts, kinds: Collection[str]) -> KeepLeases:
    return KeepLeases(
        unit_of_work=parts.unit_of_work,
        clock=parts.clock,
        worker=Worker(
            name=settings.worker.name,
            host=socket.gethostname(),
            release=version("hilum"),
            queues=tuple(served_queues(settings.worker.priorities, kinds)),
            slots=settings.worker.max_slots,
        ),
        lease=timedelta(seconds=settings.queue.lease_seconds),
        max_run=timedelta(seconds=settings.queue.max_run_seconds),
    )
