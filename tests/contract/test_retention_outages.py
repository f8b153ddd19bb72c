"""Films go although servers do: a real PostgreSQL, and a MinIO that is killed in the middle."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.application.retention.expire_films import ExpireFilms, RetentionRule
from hilum.application.retention.sweep_orphans import SweepOrphans, Swept
from hilum.domain.audit import first_broken_link
from hilum.domain.errors import ObjectStoreUnavailable
from hilum.domain.job import JobState
from hilum.domain.object_keys import film_key, preview_key
from hilum.domain.principal import local_command
from tests.contract.samples import NOW, a_film, accept
from tests.fakes.clock import SettableClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from hilum.application.ports.object_store import ObjectStore
    from hilum_stack.minio import MinioServer

pytestmark = pytest.mark.real

RULE = RetentionRule(30)
FILMS = 12


@dataclass
class Platform:
    """A database and a store with films that are old, and one whose job is running."""

    unit_of_work: SqlUnitOfWork
    store: ObjectStore
    minio: MinioServer
    clock: SettableClock = field(default_factory=SettableClock)
    jobs: list[UUID] = field(default_factory=list)

    def expire(self) -> ExpireFilms:
        """A process that removes films, four at a time."""
        return ExpireFilms(
            unit_of_work=self.unit_of_work, store=self.store, clock=self.clock, batch=4
        )

    def sweep(self) -> SweepOrphans:
        """A process that removes orphans."""
        return SweepOrphans(unit_of_work=self.unit_of_work, store=self.store, clock=self.clock)

    def add(self, state: JobState) -> UUID:
        """A film with a preview."""
        film = a_film(state=state)
        key = film_key(film.submission.id, film.instance.id)
        accept(self.unit_of_work, replace(film, instance=replace(film.instance, object_key=key)))
        for stored in (key, preview_key(film.job.id)):
            self.store.put(stored, [b"film"], media_type="image/png")
        return film.job.id

    def keys(self) -> list[str]:
        return [found.key for found in self.store.list()]

    def expired(self) -> int:
        with self.unit_of_work.begin(write=False) as transaction:
            found = [transaction.jobs.get(job) for job in self.jobs]
        return sum(job is not None and job.film_expired_at is not None for job in found)


@pytest.fixture
def platform(postgresql_url: str, minio_server: MinioServer) -> Iterator[Platform]:
    """Films of long ago."""
    engine = create_database_engine(postgresql_url, pool_size=8)
    store = open_object_store(minio_server.bucket_url(f"retention-{uuid4().hex}"), create=True)
    platform = Platform(SqlUnitOfWork(engine), store, minio_server)
    platform.clock.set(NOW + timedelta(days=31))
    platform.jobs = [platform.add(JobState.COMPLETED) for _ in range(FILMS)]
    platform.add(JobState.RUNNING)
    yield platform
    if not minio_server.running:
        minio_server.launch()
    engine.dispose()


def test_a_store_that_dies_in_the_middle_is_gone_on_from(platform: Platform) -> None:
    """No film that is marked keeps its bytes in the end, and none goes that is not marked."""
    delete = platform.store.delete
    deleted: list[str] = []

    def die_after_five(key: str) -> None:
        if len(deleted) == 5:
            platform.minio.kill()
        deleted.append(key)
        delete(key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform.store, "delete", die_after_five)
        with pytest.raises(ObjectStoreUnavailable):
            platform.expire()(RULE, local_command("test"))
    assert platform.expired() == 4
    platform.minio.launch()
    assert len(platform.keys()) == 2 * FILMS + 2 - 5
    again = platform.expire()(RULE, local_command("test"))
    assert (again.films, again.objects) == (FILMS - 4, 2 * FILMS)
    assert platform.expired() == FILMS
    assert len(platform.keys()) == 2
    with platform.unit_of_work.begin(write=False) as transaction:
        assert first_broken_link(transaction.audit.records()) is None


def test_two_runs_at_once_do_it_once(platform: Platform) -> None:
    """Each film and each object is counted by one of them."""
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(platform.expire(), RULE, local_command("test")) for _ in range(3)]
        done = [run.result() for run in runs]
    last = platform.expire()(RULE, local_command("test"))  # where all but one met the lock at once
    assert sum(run.films for run in [*done, last]) == FILMS
    assert sum(run.objects for run in [*done, last]) == 2 * FILMS
    assert len(platform.keys()) == 2


def test_orphans_are_told_from_films_by_the_store_s_own_times(platform: Platform) -> None:
    """They were stored just now, so only a clock that is ahead finds them old."""
    orphan = film_key(uuid4(), uuid4())
    platform.store.put(orphan, [b"12345"], media_type="image/png")
    (stored,) = platform.store.list(orphan)
    platform.clock.set(stored.stored_at + timedelta(hours=23))
    assert platform.sweep()(local_command("test")) == Swept()
    platform.clock.set(stored.stored_at + timedelta(hours=25))
    before = platform.keys()
    assert platform.sweep()(local_command("test")) == Swept(1, 5)
    assert platform.keys() == [key for key in before if key != orphan]
