"""Builds the worker from its settings; the only module here that knows adapters."""

from __future__ import annotations

import random
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

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
from hilum.application.models.models_of_site import ModelsOfSite
from hilum.application.operations.kinds import OPERATIONS
from hilum.application.operations.run_operation import RunOperation
from hilum.application.queue.dependencies import Dependencies
from hilum.application.queue.drain import Drain
from hilum.application.queue.handler import Kind
from hilum.application.queue.leases import KeepLeases
from hilum.application.queue.messages import served_queues
from hilum.application.queue.reconcile import Periods, Reconcile
from hilum.application.queue.run_next import RunNext
from hilum.domain.attempt import Worker
from hilum.domain.job import ANALYSIS
from hilum.domain.operation import OPERATION
from hilum.domain.retry_policy import RetryPolicy
from hilum.imaging.film import FilmLimits
from hilum.runtime.tracing import run_span, trace_headers
from hilum_worker.metrics import WorkerMetrics

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from celery import Celery

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.inference import InferenceEngine
    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.work import WorkItem
    from hilum_worker.settings import WorkerSettings

MOST_ATTEMPTS_A_CHUNK = 5
"""Of an operation, before it is dead-lettered."""

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


def bootstrap(settings: WorkerSettings) -> Container:
    """Wire a worker. Nothing connects yet."""
    clock = SystemClock()
    chance = random.Random()  # noqa: S311 - jitter, not a secret
    policy = RetryPolicy(
        max_attempts=settings.queue.max_attempts,
        max_losses=settings.queue.max_losses,
        base=timedelta(seconds=settings.queue.backoff_base_seconds),
        cap=timedelta(seconds=settings.queue.backoff_cap_seconds),
    )
    unit_of_work = SqlUnitOfWork(
        create_database_engine(
            settings.database.url.get_secret_value(),
            pool_size=settings.worker.max_slots + _BACKGROUND_THREADS,
        )
    )
    celery = create_celery(settings.broker.url.get_secret_value())
    engine = open_inference(settings.inference.url, settings.model.repository)
    catalogue = ModelsOfSite(
        catalogue=FilesystemModelCatalogue(settings.model.repository),
        unit_of_work=unit_of_work,
        clock=clock,
    )
    handler = AnalyseFilm(
        unit_of_work=unit_of_work,
        store=open_object_store(settings.object_store.url.get_secret_value()),
        reader=GuardedFilmReader(FilmLimits(**settings.image.model_dump())),
        engine=engine,
        catalogue=catalogue,
        clock=clock,
    )
    kinds = {
        ANALYSIS.kind: Kind(handler, policy),
        OPERATION.kind: Kind(
            RunOperation(unit_of_work=unit_of_work, kinds=OPERATIONS),
            RetryPolicy(max_attempts=MOST_ATTEMPTS_A_CHUNK),
        ),
    }
    leases = _leases(settings, unit_of_work, clock, kinds)
    dependencies = Dependencies(
        {need: probe for kind in kinds.values() for need, probe in kind.handler.probes.items()},
        unit_of_work=unit_of_work,
        slots=settings.worker.max_slots,
    )
    run_next = RunNext(
        unit_of_work=unit_of_work,
        kinds=kinds,
        leases=leases,
        dependencies=dependencies,
        chance=chance,
        around=_about,
    )
    queue = CeleryTaskQueue(celery, trace_headers)
    return Container(
        settings=settings,
        celery=celery,
        engine=engine,
        catalogue=catalogue,
        kinds=kinds,
        drain=Drain(run_next, queue, settings.worker.priorities),
        leases=leases,
        dependencies=dependencies,
        reconcile=Reconcile(
            unit_of_work=unit_of_work,
            queue=queue,
            policies={name: kind.policy for name, kind in kinds.items()},
            chance=chance,
            periods=Periods(
                ageing=timedelta(seconds=settings.queue.ageing_seconds),
                lease=leases.lease,
                attempts=timedelta(seconds=settings.queue.attempt_age_seconds),
            ),
        ),
        metrics=WorkerMetrics(leases, dependencies.breakers),
    )


@contextmanager
def _about(item: WorkItem) -> Iterator[None]:
    """Name the item in each line of the log, and continue the trace of the request behind it."""
    noun = item.life.noun
    named = {f"{noun}_id": str(item.id)}
    if item.request_id:
        named["request_id"] = item.request_id
    with bound_contextvars(**named, site=item.site), run_span(noun, item.traceparent):
        yield


def _leases(
    settings: WorkerSettings, unit_of_work: UnitOfWork, clock: Clock, kinds: Collection[str]
) -> KeepLeases:
    return KeepLeases(
        unit_of_work=unit_of_work,
        clock=clock,
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
