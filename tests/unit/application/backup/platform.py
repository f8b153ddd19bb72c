"""A small platform to back up: a SQLite database, and a store of films in memory."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hilum.adapters.postgres.database_copy import open_database_copy
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.tables import INSTANCES, JOBS
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.application.backup.backup_store import BackupStore
from hilum.application.backup.check_restored import CheckRestored
from hilum.application.backup.create_backup import CreateBackup
from hilum.application.backup.prune_backups import PruneBackups
from hilum.application.backup.restore_backup import RestoreBackup
from hilum.application.backup.verify_backup import VerifyBackup
from hilum.application.ports.database_copy import Dump
from hilum.domain.audit import AuditEvent
from hilum.domain.backup import DatabaseFacts
from hilum.domain.errors import ObjectStoreUnavailable
from tests.contract.samples import KEY, NOW, a_film
from tests.fakes.clock import SettableClock
from tests.fakes.object_store import InMemoryObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hilum.application.ports.database_copy import DatabaseCopy
    from hilum.domain.backup import BackupManifest

PART_BYTES = 1000
_SECOND = timedelta(seconds=1)


class CountingStore(InMemoryObjectStore):
    """Remembers which keys were written; ``deletes`` says whether its credentials may delete."""

    def __init__(self) -> None:
        super().__init__()
        self.deletes = True
        self.written: list[str] = []

    def put(self, key: str, chunks: Iterable[bytes], *, media_type: str) -> int:
        size = super().put(key, chunks, media_type=media_type)
        self.written.append(key)
        return size

    def delete(self, key: str) -> None:
        if not self.deletes:
            raise ObjectStoreUnavailable("the object store refuses: AccessDenied")
        super().delete(key)


@dataclass
class Backups:
    """A backup store, and what works on it."""

    store: CountingStore = field(default_factory=CountingStore)
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        self.backups = BackupStore(self.store, part_bytes=PART_BYTES)
        self.verify = VerifyBackup(backups=self.backups, threads=2)
        self.prune = PruneBackups(backups=self.backups, clock=self.clock)

    def mirrored(self) -> set[str]:
        """Keys of the films in the mirror."""
        return {found.key for found in self.backups.mirrored()}

    def complete(self) -> list[str]:
        """Names of the complete backups."""
        return self.backups.names()[0]


class Platform:
    """A database and an object store, with the ways to back them up and restore them."""

    def __init__(self, backups: Backups, path: Path, migrated: Path | None = None) -> None:
        if migrated is not None:
            shutil.copyfile(migrated, path)
        url = f"sqlite:///{path}"
        self.backups = backups
        self.objects = CountingStore()
        self.database: DatabaseCopy = open_database_copy(url)
        self.engine = create_database_engine(url, pool_size=1)
        self.unit_of_work = SqlUnitOfWork(self.engine)
        self.create = CreateBackup(
            backups=backups.backups,
            objects=self.objects,
            database=self.database,
            clock=backups.clock,
            hilum_version="9.9.9",
            threads=2,
        )
        self.restore = RestoreBackup(
            backups=backups.backups,
            objects=self.objects,
            database=self.database,
            verify=backups.verify,
            threads=2,
        )
        self.check = CheckRestored(
            backups=backups.backups,
            objects=self.objects,
            database=self.database,
            unit_of_work=self.unit_of_work,
            threads=2,
        )

    def accept(self, content: bytes) -> str:
        """Take a film in: bytes first, then rows. Gives its key."""
        film = a_film()
        instance = replace(
            film.instance, size_bytes=len(content), sha256=sha256(content).hexdigest()
        )
        self.objects.put(instance.object_key, [content], media_type="image/png")
        with self.unit_of_work.begin() as transaction:
            transaction.jobs.add_new([film.job])
            transaction.submissions.add_instances(film.submission, [instance])
            event = AuditEvent(KEY, "job.accepted", "job", str(film.job.id), NOW)
            transaction.audit.append([event])
        return instance.object_key

    def expire(self, key: str) -> None:
        """Remove a film as retention does: its row is marked first, its bytes go second."""
        of_film = sa.select(INSTANCES.c.id).where(INSTANCES.c.object_key == key)
        marked = sa.update(JOBS).where(JOBS.c.instance_id.in_(of_film)).values(film_expired_at=NOW)
        with self.engine.begin() as connection:
            connection.execute(marked)
        self.objects.delete(key)

    def back_up(self) -> BackupManifest:
        """Make a backup, a second after the last."""
        self.backups.clock.set(self.backups.clock.now().replace(microsecond=0))
        self.backups.clock.advance(_SECOND)
        return self.create(self.database.dump())


@contextmanager
def dump_of(*chunks: bytes) -> Iterator[Dump]:
    """A dump of a database that holds nothing."""
    yield Dump(DatabaseFacts("sqlite", None, {}, None), chunks)
