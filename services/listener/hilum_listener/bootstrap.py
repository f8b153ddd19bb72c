"""Builds a process of the listener from its settings; the only module here that knows adapters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from hilum.adapters.clock.clock import SystemClock
from hilum.adapters.dicom.guarded_reader import GuardedFilmReader
from hilum.adapters.dicom.received_data_set import check_data_set
from hilum.adapters.dicom.transfer_syntax import readable_syntaxes
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.adapters.task_queue.celery_app import create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from hilum.application.access.manage_peers import ManagePeers
from hilum.application.access.record_associations import RecordAssociations
from hilum.application.delivery.take_commitment import take_commitment
from hilum.application.intake.refused_objects import answers_refusals_with_success
from hilum.application.intake.submission import SubmissionLimits
from hilum.application.intake.submit_images import SubmitImages
from hilum.application.models.models_of_site import ModelsOfSite
from hilum.imaging.film import FilmLimits
from hilum.runtime.certificates import Certificates
from hilum.runtime.tracing import trace_headers
from hilum_listener.association_log import AssociationLog
from hilum_listener.callers import Callers
from hilum_listener.metrics import ListenerMetrics
from hilum_listener.network.connections import Connections
from hilum_listener.network.limits import Limits
from hilum_listener.network.server import Server, application_entity
from hilum_listener.store_object import StoreObject
from hilum_listener.take_report import TakeReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum_listener.network.conversation import Conversation
    from hilum_listener.settings import ListenerSettings

_LOG = structlog.get_logger(__name__)

DATABASE_CONNECTIONS = 8
"""Objects that wait at the same moment share one transaction."""

_STATEMENT_S = 8.0
_LOCK_S = 4.0
"""Shorter than elsewhere: a sender is told within 10 s that the database is down."""


@dataclass(frozen=True, slots=True)
class Container:
    """Everything that a process of the listener runs with."""

    settings: ListenerSettings
    servers: tuple[Server, ...]
    connections: Connections
    records: AssociationLog
    metrics: ListenerMetrics
    close: Callable[[], None]


def bootstrap(settings: ListenerSettings) -> Container:
    """Wire a process. Its ports are bound, and nothing is accepted yet.

    Raises:
        OSError: A port cannot be bound, or a certificate not loaded.
        InternalError: The database's address is wrong.
    """
    told = settings.listener
    engine = create_database_engine(
        settings.database.url.get_secret_value(),
        pool_size=DATABASE_CONNECTIONS,
        statement_timeout_s=_STATEMENT_S,
        lock_timeout_s=_LOCK_S,
    )
    unit_of_work = SqlUnitOfWork(engine)
    celery = create_celery(settings.broker.url.get_secret_value())
    metrics = ListenerMetrics()
    connections = Connections(
        Limits(
            max_associations=told.max_associations,
            max_object_bytes=settings.image.max_bytes,
            max_bytes_in_flight=told.max_bytes_in_flight,
            max_pdu_bytes=told.max_pdu_bytes,
            timeout_s=told.timeout_seconds,
            idle_timeout_s=told.idle_timeout_seconds,
        )
    )
    records = AssociationLog(RecordAssociations(unit_of_work=unit_of_work).record)
    peers = ManagePeers(unit_of_work=unit_of_work)
    make = partial(
        Server,
        application_entity(told.ae_title, connections.limits, readable_syntaxes()),
        connections=connections,
        check=Callers(peers, connections, told.ae_title, told.unknown_callers_site),
        ended=partial(_ended, metrics=metrics, records=records),
        store=StoreObject(
            _submit_images(settings, unit_of_work, CeleryTaskQueue(celery, trace_headers)),
            check_data_set,
            partial(answers_refusals_with_success, unit_of_work),
            metrics,
            # Those of associations, and those that hang after their answer.
            threads=2 * told.max_associations,
        ),
        report=TakeReport(partial(take_commitment, unit_of_work)),
    )
    servers = [make((told.host, told.port))]
    if told.tls_port is not None:
        servers.append(make((told.host, told.tls_port), certificates=_certificates(settings)))

    def close() -> None:
        celery.close()
        engine.dispose()

    return Container(settings, tuple(servers), connections, records, metrics, close)


def _submit_images(
    settings: ListenerSettings, unit_of_work: UnitOfWork, queue: CeleryTaskQueue
) -> SubmitImages:
    clock = SystemClock()
    return SubmitImages(
        unit_of_work=unit_of_work,
        store=open_object_store(settings.object_store.url.get_secret_value()),
        queue=queue,
        reader=GuardedFilmReader(FilmLimits(**settings.image.model_dump())),
        catalogue=ModelsOfSite(
            catalogue=FilesystemModelCatalogue(settings.model.repository),
            unit_of_work=unit_of_work,
            clock=clock,
        ),
        clock=clock,
        limits=SubmissionLimits(settings.image.max_bytes, 1),
    )


def _certificates(settings: ListenerSettings) -> Certificates:
    told = settings.listener
    assert told.tls_certificate_file is not None  # noqa: S101 - checked with the settings
    assert told.tls_key_file is not None  # noqa: S101 - likewise
    return Certificates(told.tls_certificate_file, told.tls_key_file, clients=told.tls_ca_file)


def _ended(told: Conversation, *, metrics: ListenerMetrics, records: AssociationLog) -> None:
    """Keep and tell what became of a connection, unless it never said a word."""
    if told.silent:
        return
    record = told.record()
    metrics.ended(record)
    records.add(record)
    _LOG.info(
        "association.ended",
        outcome=record.outcome.value,
        reason=record.reason,
        calling_ae=record.calling_ae,
        called_ae=record.called_ae,
        stored=record.stored,
        refused=record.refused,
        failed=record.failed,
    )
