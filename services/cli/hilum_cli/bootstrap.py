"""What the commands work with; the only module here that knows adapters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from hilum.adapters.clock.clock import SystemClock
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.postgres import migrate, schema
from hilum.adapters.postgres.audit_partitions import make_audit_partitions
from hilum.adapters.postgres.database_copy import (
    dump_script,
    facts_beside,
    open_database_copy,
)
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.adapters.sealing.sealer import AesSealer, keys_of
from hilum.application.access.manage_keys import ManageKeys
from hilum.application.access.manage_peers import ManagePeers
from hilum.application.access.record_associations import RecordAssociations
from hilum.application.backup.backup_store import BackupStore
from hilum.application.backup.check_restored import CheckRestored
from hilum.application.backup.create_backup import CreateBackup
from hilum.application.backup.prune_backups import PruneBackups
from hilum.application.backup.restore_backup import RestoreBackup
from hilum.application.backup.verify_backup import VerifyBackup
from hilum.application.delivery.manage_destinations import ManageDestinations
from hilum.application.delivery.operate_deliveries import OperateDeliveries
from hilum.application.models.manage_models import ManageModels
from hilum.application.models.models_of_site import ModelsOfSite
from hilum.application.models.site_rules import ManageSiteRules
from hilum.application.retention.expire_films import ExpireFilms
from hilum.application.retention.sweep_orphans import SweepOrphans
from hilum.application.thresholds.fit_thresholds import FitThresholds
from hilum.domain.errors import InternalError
from hilum.imaging.film import FilmLimits
from hilum_cli.settings import CliSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hilum.adapters.postgres.audit_partitions import AuditPartitions
    from hilum.application.ports.database_copy import DatabaseCopy
    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.inference import InferenceEngine
    from hilum.application.ports.pacs import Pacs
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.backup import DatabaseFacts
    from hilum.domain.destination import DestinationKind

_ANSWER_S: Final = 10.0
"""How long a person waits for a destination."""

BATCH: Final = 500
"""Submissions in one transaction of the back-fill."""


@dataclass(frozen=True, slots=True)
class Database:
    """The database itself, for the commands that need no gateway."""

    url: str
    unit_of_work: UnitOfWork
    keys: ManageKeys
    rules: ManageSiteRules
    peers: ManagePeers
    associations: RecordAssociations
    destinations: ManageDestinations
    deliveries: OperateDeliveries

    def upgrade(self) -> None:
        """Run the migrations that are missing."""
        migrate.upgrade(self.url)

    def current(self) -> str | None:
        """The revision that the database has."""
        return migrate.current(self.url)

    def check(self) -> str:
        """The revision that the database has, if this release can work with it.

        Raises:
            DatabaseUnavailable: The database is behind.
            SchemaIncompatible: It is ahead, and this release cannot work with it.
        """
        return migrate.check(self.url)

    def make_audit_partitions(self, ahead: int) -> AuditPartitions | None:
        """Have so many empty partitions of the audit log ahead; None where it has none."""
        return make_audit_partitions(self.url, ahead)

    def back_fill_submissions(self) -> int:
        """Write the rows of submissions that a release before schema 0012 took, in batches.

        Returns:
            How many submissions.
        """
        last, total = None, 0
        while True:
            with self.unit_of_work.begin() as transaction:
                last, written = transaction.submissions.back_fill(last, BATCH)
            if last is None:
                return total
            total += written

    @property
    def wanted(self) -> str:
        """The revision that this release brings."""
        return schema.HEAD


def open_database(url: str) -> Database:
    """Wire the database; connects to nothing yet."""
    unit_of_work = SqlUnitOfWork(create_database_engine(url, pool_size=1))
    clock = SystemClock()
    return Database(
        url,
        unit_of_work,
        ManageKeys(unit_of_work=unit_of_work, clock=clock),
        ManageSiteRules(unit_of_work=unit_of_work, clock=clock),
        ManagePeers(unit_of_work=unit_of_work),
        RecordAssociations(unit_of_work=unit_of_work),
        ManageDestinations(unit_of_work=unit_of_work, open_pacs=_open_pacs),
        OperateDeliveries(unit_of_work=unit_of_work, queue=None),
    )


def _open_pacs(kind: DestinationKind) -> Pacs:
    # Only a machine that sends needs what speaks DICOM.
    try:
        from hilum.adapters.dicom.network.pacs import open_pacs  # noqa: PLC0415
    except ImportError as error:
        raise InternalError(
            f"no destination can be asked here, {error.name} is not installed: `pip install "
            "'hilum[delivery]'`"
        ) from error
    settings = CliSettings().delivery
    opened = open_pacs(
        connect_s=_ANSWER_S,
        associate_s=_ANSWER_S,
        answer_s=_ANSWER_S,
        authorities=settings.tls_ca_file,
        certificate=settings.tls_certificate_file,
        key=settings.tls_key_file,
    )
    return opened[kind]


@dataclass(frozen=True, slots=True)
class Retention:
    """What removes films after their time, and objects that nothing names.

    ``check`` raises DatabaseUnavailable where the schema is not one to work with.
    """

    check: Callable[[], None]
    expire: ExpireFilms
    sweep: SweepOrphans


def open_retention(
    database_url: str, object_store_url: str, context_keys: str | None = None
) -> Retention:
    """Wire the removal of films; connects to nothing yet.

    Args:
        database_url: As in ``HILUM_DATABASE_URL``.
        object_store_url: As in ``HILUM_OBJECT_STORE_URL``.
        context_keys: As in ``HILUM_DELIVERY_CONTEXT_KEYS``.

    Raises:
        ValueError: The address is none of an object store, or a key is none.
    """
    clock = SystemClock()
    store = open_object_store(object_store_url)
    unit_of_work = SqlUnitOfWork(create_database_engine(database_url, pool_size=1))
    return Retention(
        check=unit_of_work.check,
        expire=ExpireFilms(
            unit_of_work=unit_of_work,
            store=store,
            clock=clock,
            sealer=None if context_keys is None else AesSealer(keys_of(context_keys)),
            context_of=_context_of,
        ),
        sweep=SweepOrphans(unit_of_work=unit_of_work, store=store, clock=clock),
    )


def _context_of(content: bytes) -> bytes | None:
    # Asked of the few images whose results are still on their way.
    from hilum.adapters.dicom.delivery_context import context_of  # noqa: PLC0415

    return context_of(content)


@dataclass(frozen=True, slots=True)
class Models:
    """What is installed, and the database that says what of it is in force at a site."""

    of_site: ModelsOfSite
    manage: ManageModels
    fit: FitThresholds


def open_models(database_url: str, model_repository: Path, inference_url: str) -> Models:
    """Wire the commands about models; connects to nothing and loads nothing yet.

    Args:
        database_url: As in ``HILUM_DATABASE_URL``.
        model_repository: As in ``HILUM_MODEL_REPOSITORY``.
        inference_url: As in ``HILUM_INFERENCE_URL``; only for films that come as files.
    """
    clock = SystemClock()
    unit_of_work = SqlUnitOfWork(create_database_engine(database_url, pool_size=1))
    catalogue = FilesystemModelCatalogue(model_repository)
    of_site = ModelsOfSite(catalogue=catalogue, unit_of_work=unit_of_work, clock=clock)

    @cache
    def reading() -> tuple[FilmReader, InferenceEngine]:
        return _open_reading(inference_url, model_repository)

    return Models(
        of_site=of_site,
        manage=ManageModels(models=of_site, unit_of_work=unit_of_work, clock=clock),
        fit=FitThresholds(unit_of_work=unit_of_work, clock=clock, reading=reading),
    )


def _open_reading(inference_url: str, model_repository: Path) -> tuple[FilmReader, InferenceEngine]:
    # Only a machine that reads films needs decoders and an inference engine.
    try:
        from hilum.adapters.dicom.film_reader import DicomFilmReader  # noqa: PLC0415
        from hilum.adapters.inference.inference import open_inference  # noqa: PLC0415

        engine = open_inference(inference_url, model_repository)
    except ImportError as error:
        raise InternalError(
            f"films cannot be read here, {error.name} is not installed: `pip install "
            "'hilum[dicom,onnx]'`, or name jobs or SOP Instance UIDs instead of files"
        ) from error
    return DicomFilmReader(FilmLimits()), engine


@dataclass(frozen=True, slots=True)
class Backups:
    """What the commands about backups work with.

    ``create`` and ``restore`` need the platform's database and object store, the others only the
    backup store.
    """

    store: BackupStore
    verify: VerifyBackup
    prune: PruneBackups


@dataclass(frozen=True, slots=True)
class Restoring:
    """A platform: copied out, and brought back."""

    database: DatabaseCopy
    create: CreateBackup
    restore: RestoreBackup
    check: CheckRestored


def open_backups(store_url: str) -> Backups:
    """Wire a backup store; connects to nothing yet.

    Raises:
        ValueError: The address is none of an object store.
    """
    store = BackupStore(open_object_store(store_url))
    return Backups(
        store, VerifyBackup(backups=store), PruneBackups(backups=store, clock=SystemClock())
    )


def open_restoring(backups: Backups, database_url: str, object_store_url: str) -> Restoring:
    """Wire the platform that is backed up or restored; connects to nothing yet.

    Raises:
        ValueError: The address is none of an object store.
    """
    objects = open_object_store(object_store_url)
    database = open_database_copy(database_url)
    return Restoring(
        database=database,
        create=CreateBackup(
            backups=backups.store,
            objects=objects,
            database=database,
            clock=SystemClock(),
            hilum_version=version("hilum"),
        ),
        restore=RestoreBackup(
            backups=backups.store, objects=objects, database=database, verify=backups.verify
        ),
        check=CheckRestored(
            backups=backups.store,
            objects=objects,
            database=database,
            unit_of_work=SqlUnitOfWork(create_database_engine(database_url, pool_size=1)),
        ),
    )


def facts_of_dump(dump: Path) -> DatabaseFacts:
    """What was written beside a dump that something else has made.

    Raises:
        DatabaseCopyFailed: What is there cannot be read.
    """
    return facts_beside(dump)


def script_that_dumps() -> str:
    """A script for a container that has ``pg_dump`` and nothing of Hilum."""
    return dump_script()


def prepare_object_store(url: str) -> None:
    """Make the bucket or folder if it is missing.

    Raises:
        ObjectStoreUnavailable: The store does not answer, or refuses.
        ValueError: The address is none of an object store.
    """
    open_object_store(url, create=True).check()
