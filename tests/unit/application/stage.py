"""Every use case, wired on fakes: no server, no file, no thread, and a clock that is set."""

from __future__ import annotations

import random
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from hilum.application.submission import (
    IncomingFile,
    SubmissionFields,
    SubmissionLimits,
    SubmittedStudy,
)
from hilum.application.use_cases.analyse_film import AnalyseFilm
from hilum.application.use_cases.keep_leases import KeepLeases
from hilum.application.use_cases.manage_keys import ManageKeys
from hilum.application.use_cases.operate_jobs import OperateJobs
from hilum.application.use_cases.read_jobs import ReadJobs
from hilum.application.use_cases.reconcile_jobs import ReconcileJobs, ReconcileSettings
from hilum.application.use_cases.show_film import ShowFilm
from hilum.application.use_cases.submit_study import SubmitStudy
from hilum.domain.access import ALL_SITES, ApiKey, Role, digest_secret
from hilum.domain.errors import DatabaseUnavailable
from hilum.domain.retry_policy import RetryPolicy
from tests.fakes.clock import FIRST_MOMENT, SettableClock
from tests.fakes.film_reader import GraymapReader, graymap
from tests.fakes.inference import BandEngine
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model
from tests.fakes.object_store import InMemoryObjectStore
from tests.fakes.task_queue import RecordingTaskQueue
from tests.fakes.unit_of_work import InMemoryUnitOfWork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from uuid import UUID

    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.audit import AuditEvent
    from hilum.domain.finding import Analysis
    from hilum.domain.job import Job, Priority
    from hilum.domain.model import ModelManifest

LEASE = timedelta(seconds=60)
MAX_RUN = timedelta(seconds=300)
MAX_FILE_BYTES = 8192
MAX_FILES = 5


def key(role: Role = Role.ADMIN, site: str = ALL_SITES, name: str = "k") -> ApiKey:
    return ApiKey(name, name, role, site, digest_secret("s"), created_at=FIRST_MOMENT)


def film(shade: int = 7, size: int = 64) -> bytes:
    """A film of one shade; another shade is another film."""
    return graymap(np.full((size, size), shade, np.uint8))


class FailingUnitOfWork(InMemoryUnitOfWork):
    """Can fail the next commits, before or after they take effect.

    Attributes:
        fail_before: How many further write transactions fail on entry.
        fail_after: How many further ones commit and then say that they did not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fail_before = 0
        self.fail_after = 0

    @contextmanager
    def begin(self, *, write: bool = True) -> Iterator[Transaction]:
        if write and self.fail_before:
            self.fail_before -= 1
            raise DatabaseUnavailable("told to fail")
        with super().begin(write=write) as transaction:
            yield transaction
        if write and self.fail_after:
            self.fail_after -= 1
            raise DatabaseUnavailable("the answer to the commit was lost")


class Stage:
    """The use cases of one worker and one gateway on the same rows."""

    def __init__(
        self,
        *,
        policy: RetryPolicy | None = None,
        settings: ReconcileSettings | None = None,
        models: Iterable[ModelManifest] = (),
        reader: FilmReader | None = None,
        limits: SubmissionLimits | None = None,
        unit_of_work: UnitOfWork | None = None,
    ) -> None:
        self.clock = SettableClock()
        self.unit_of_work = unit_of_work or FailingUnitOfWork()
        self.store = InMemoryObjectStore()
        self.queue = RecordingTaskQueue()
        self.reader = reader or GraymapReader()
        served = list(models) or [small_model()]
        self.catalogue = InMemoryModelCatalogue(served)
        self.engine = BandEngine(served)
        self.policy = policy or RetryPolicy()
        self.pauses: list[float] = []
        self.during_pause: Callable[[], None] | None = None
        chance = random.Random(1)  # noqa: S311 - a seed
        self.submit = SubmitStudy(
            unit_of_work=self.unit_of_work,
            store=self.store,
            queue=self.queue,
            reader=self.reader,
            catalogue=self.catalogue,
            clock=self.clock,
            limits=limits or SubmissionLimits(MAX_FILE_BYTES, MAX_FILES),
        )
        self.leases = self.worker_leases("w1")
        self.analyse = self.worker(self.leases)
        self.reconcile = ReconcileJobs(
            unit_of_work=self.unit_of_work,
            queue=self.queue,
            clock=self.clock,
            policy=self.policy,
            chance=chance,
            settings=settings or ReconcileSettings(),
        )
        self.operate = OperateJobs(
            unit_of_work=self.unit_of_work, queue=self.queue, clock=self.clock
        )
        self.read = ReadJobs(unit_of_work=self.unit_of_work, store=self.store)
        self.show = ShowFilm(unit_of_work=self.unit_of_work, store=self.store, reader=self.reader)
        self.keys = ManageKeys(unit_of_work=self.unit_of_work, clock=self.clock)

    def worker_leases(self, owner: str) -> KeepLeases:
        return KeepLeases(
            unit_of_work=self.unit_of_work,
            clock=self.clock,
            owner=owner,
            lease=LEASE,
            max_run=MAX_RUN,
        )

    def worker(self, leases: KeepLeases) -> AnalyseFilm:
        """A worker that shares everything but its leases with the others."""
        return AnalyseFilm(
            unit_of_work=self.unit_of_work,
            store=self.store,
            reader=self.reader,
            engine=self.engine,
            catalogue=self.catalogue,
            clock=self.clock,
            leases=leases,
            policy=self.policy,
            chance=random.Random(2),  # noqa: S311 - a seed
            pause=self._pause,
        )

    def send(
        self,
        *contents: bytes,
        by: ApiKey | None = None,
        fields: SubmissionFields | None = None,
    ) -> SubmittedStudy:
        files = [IncomingFile(f"{n}.pgm", [content]) for n, content in enumerate(contents)]
        return self.submit(files, lambda: fields or SubmissionFields(), by or key(), "request")

    def queued(self, content: bytes | None = None, priority: Priority | None = None) -> Job:
        """A job that waits."""
        fields = SubmissionFields() if priority is None else SubmissionFields(priority)
        return self.send(content or film(), fields=fields).accepted[0].job

    def parked(self, content: bytes | None = None) -> Job:
        """A job that was parked because the engine said something that no model says."""
        job = self.queued(content)
        served, self.engine._served = self.engine._served, set()  # noqa: SLF001 - the fake's own
        self.analyse(job.id)
        self.engine._served = served  # noqa: SLF001
        return self.job(job.id)

    def job(self, job_id: UUID) -> Job:
        with self.unit_of_work.begin(write=False) as transaction:
            job = transaction.jobs.get(job_id)
        assert job is not None
        return job

    def result(self, job_id: UUID) -> Analysis | None:
        with self.unit_of_work.begin(write=False) as transaction:
            return transaction.results.get(job_id)

    def events(self) -> list[AuditEvent]:
        with self.unit_of_work.begin(write=False) as transaction:
            return [record.event for record in transaction.audit.records()]

    def actions(self) -> list[str]:
        return [event.action for event in self.events()]

    def advance(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.advance(seconds)
        if self.during_pause is not None:
            self.during_pause()
