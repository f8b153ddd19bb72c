"""Builds the gateway from its settings; the only module here that knows adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.adapters.clock.clock import SystemClock
from hilum.adapters.dicom.guarded_reader import GuardedFilmReader
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.adapters.task_queue.celery_app import create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from hilum.application.access.manage_keys import ManageKeys
from hilum.application.access.manage_sessions import ManageSessions
from hilum.application.intake.submission import SubmissionLimits
from hilum.application.intake.submit_images import SubmitImages
from hilum.application.models.models_of_site import ModelsOfSite
from hilum.application.operations.kinds import OPERATIONS
from hilum.application.operations.manage_operations import ManageOperations
from hilum.application.queue.manage_sites import ManageSites
from hilum.application.queue.measure_queues import MeasureQueues
from hilum.application.queue.operate_flows import OperateFlows
from hilum.application.queue.operate_jobs import OperateJobs
from hilum.application.results.read_jobs import ReadJobs
from hilum.application.results.read_submission import ReadSubmission
from hilum.application.results.show_film import ShowFilm
from hilum.imaging.film import FilmLimits
from hilum.runtime.tracing import trace_headers
from hilum_gateway.wiring.container import Container

if TYPE_CHECKING:
    from hilum_gateway.wiring.settings import Settings


def bootstrap(settings: Settings) -> Container:
    """Wire a gateway. Nothing connects yet."""
    clock = SystemClock()
    engine = create_database_engine(
        settings.database.url.get_secret_value(), pool_size=settings.database_connections
    )
    unit_of_work = SqlUnitOfWork(engine)
    store = open_object_store(settings.object_store.url.get_secret_value())
    celery = create_celery(settings.broker.url.get_secret_value())
    queue = CeleryTaskQueue(celery, trace_headers)
    catalogue = ModelsOfSite(
        catalogue=FilesystemModelCatalogue(settings.model.repository),
        unit_of_work=unit_of_work,
        clock=clock,
    )
    reader = GuardedFilmReader(film_limits(settings))

    def close() -> None:
        celery.close()
        engine.dispose()

    return Container(
        settings=settings,
        submit_images=SubmitImages(
            unit_of_work=unit_of_work,
            store=store,
            queue=queue,
            reader=reader,
            catalogue=catalogue,
            clock=clock,
            limits=SubmissionLimits(settings.image.max_bytes, settings.upload.max_files),
        ),
        read_submission=ReadSubmission(unit_of_work=unit_of_work),
        read_jobs=ReadJobs(unit_of_work=unit_of_work, store=store),
        show_film=ShowFilm(unit_of_work=unit_of_work, store=store, reader=reader),
        operate_jobs=OperateJobs(unit_of_work=unit_of_work, queue=queue, clock=clock),
        operate_flows=OperateFlows(unit_of_work=unit_of_work),
        manage_sites=ManageSites(unit_of_work=unit_of_work, clock=clock),
        operations=ManageOperations(unit_of_work=unit_of_work, queue=queue, kinds=OPERATIONS),
        manage_keys=ManageKeys(unit_of_work=unit_of_work, clock=clock),
        manage_sessions=ManageSessions(unit_of_work=unit_of_work, clock=clock),
        measure_queues=MeasureQueues(unit_of_work=unit_of_work),
        catalogue=catalogue,
        unit_of_work=unit_of_work,
        store=store,
        queue=queue,
        clock=clock,
        close=close,
    )


def film_limits(settings: Settings) -> FilmLimits:
    """The limits that are checked at the door, before anything is decoded."""
    return FilmLimits(**settings.image.model_dump())
