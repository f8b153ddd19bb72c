"""Every use case, wired on fakes: no server, no file, no thread, and a clock that is set."""

from __future__ import annotations

import random
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from hilum.adapters.postgres.tables import JOBS
from hilum.application.access.manage_keys import ManageKeys
from hilum.application.analysis.analyse_film import AnalyseFilm
from hilum.application.intake.submission import (
    IncomingFile,
    SubmissionAnswer,
    SubmissionFields,
    SubmissionLimits,
)
from hilum.application.intake.submit_images import SubmitImages
from hilum.application.queue.dependencies import Dependencies
from hilum.application.queue.handler import Kind
from hilum.application.queue.leases import KeepLeases
from hilum.application.queue.operate_jobs import OperateJobs
from hilum.application.queue.reconcile import Periods, Reconcile
from hilum.application.queue.run_next import RunNext
from hilum.application.results.read_jobs import ReadJobs
from hilum.application.results.show_film import ShowFilm
from hilum.domain.attempt import Worker
from hilum.domain.errors import DatabaseUnavailable
from hilum.domain.job import ANALYSIS, JobState, Priority
from hilum.domain.principal import ALL_SITES, Grant, Principal, PrincipalKind, Role, local_command
from hilum.domain.retry_policy import RetryPolicy
from tests.fakes.clock import SettableClock
from tests.fakes.film_reader import GraymapReader, graymap
from tests.fakes.inference import BandEngine
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model
from tests.fakes.object_store import InMemoryObjectStore
from tests.fakes.task_queue import RecordingTaskQueue
from tests.fakes.unit_of_work import InMemoryUnitOfWork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from uuid import UUID

    from numpy.typing import NDArray

    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.inference import Outputs
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.audit import AuditEvent
    from hilum.domain.finding import Analysis
    from hilum.domain.job import Job
    from hilum.domain.model import ModelManifest
    from hilum.domain.work import WorkItem

LEASE = timedelta(seconds=60)
AGEING = timedelta(hours=4)
KEEP_ATTEMPTS = timedelta(days=90)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
MAX_RUN = timedelta(seconds=300)
ME = local_command("me")
MAX_FILE_BYTES = 8192
MAX_FILES = 5


def key(role: Role = Role.ADMIN, site: str = ALL_SITES, name: str = "k") -> Principal:
    """Who acts with a key."""
    return Principal(PrincipalKind.API_KEY, name, name, (Grant(role, site),))


def film(shade: int = 7, size: int = 64) -> bytes:
    """A film of one shade; another shade is another film."""
    return graymap(np.full((size, size), shade, np.uint8))


class FailingUnitOfWork(InMemoryUnitOfWork):
    """Can fail the next commits, before or after they take effect.

    Attributes:
        fail_before: How many further write transactions fail on entry.
        fail_after: How many further ones commit and then say that they did not.
    """

    def __init__(self, clock: SettableClock) -> None:
        super().__init__(clock)
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
        models: Iterable[ModelManifest] = (),
        reader: FilmReader | None = None,
        limits: SubmissionLimits | None = None,
        unit_of_work: UnitOfWork | None = None,
    ) -> None:
        self.clock = SettableClock()
        self.elapsed_s = 0.0
        self.unit_of_work = unit_of_work or FailingUnitOfWork(self.clock)
        self.store = InMemoryObjectStore()
        self.queue = RecordingTaskQueue()
        self.reader = reader or GraymapReader()
        served = list(models) or [small_model()]
        self.catalogue = InMemoryModelCatalogue(served)
        self.engine = BandEngine(served)
        self.policy = policy or RetryPolicy()
        self.pauses: list[float] = []
        self.during_pause: Callable[[], None] | None = None
        self.limits = limits or SubmissionLimits(MAX_FILE_BYTES, MAX_FILES)
        self.submit = self.gateway()
        self._handler = AnalyseFilm(
            unit_of_work=self.unit_of_work,
            store=self.store,
            reader=self.reader,
            engine=self.engine,
            catalogue=self.catalogue,
            clock=self.clock,
        )
        self.leases = self.worker_leases("w1")
        self.analyse = self.worker(self.leases)
        self.reconcile = self.reconciler()
        self.reconcile()  # A lease later it lets leases expire.
        self.operate = OperateJobs(
            unit_of_work=self.unit_of_work, queue=self.queue, clock=self.clock
        )
        self.read = ReadJobs(unit_of_work=self.unit_of_work, store=self.store)
        self.show = ShowFilm(unit_of_work=self.unit_of_work, store=self.store, reader=self.reader)
        self.keys = ManageKeys(unit_of_work=self.unit_of_work, clock=self.clock)

    def gateway(self) -> SubmitImages:
        """What one process of a gateway runs. Two of them share no transaction."""
        return SubmitImages(
            unit_of_work=self.unit_of_work,
            store=self.store,
            queue=self.queue,
            reader=self.reader,
            catalogue=self.catalogue,
            clock=self.clock,
            limits=self.limits,
        )

    def reconciler(self) -> Reconcile:
        """What a worker that starts now runs."""
        return Reconcile(
            unit_of_work=self.unit_of_work,
            queue=self.queue,
            policies={ANALYSIS.kind: self.policy},
            chance=random.Random(1),  # noqa: S311 - a seed
            periods=Periods(ageing=AGEING, lease=LEASE, attempts=KEEP_ATTEMPTS),
            clock=lambda: self.clock.now().timestamp(),
        )

    def worker_leases(self, owner: str) -> KeepLeases:
        return KeepLeases(
            unit_of_work=self.unit_of_work,
            clock=self.clock,
            worker=Worker(name=owner, host="h", release="1.2.3", queues=(), slots=2),
            lease=LEASE,
            max_run=MAX_RUN,
            steady=lambda: self.elapsed_s,
        )

    def worker(self, leases: KeepLeases) -> Callable[[UUID], Job | None]:
        """A worker that runs the job that it is told to, if that can be claimed.

        It shares everything but its leases with the others.
        """
        dependencies = self.dependencies()

        def run(job_id: UUID) -> Job | None:
            with self._others_away(job_id) as back:
                run_next = self.run_next(leases, dependencies, lambda _: back)
                ran: list[Any] = [None]
                run_next(list(Priority), lambda _, left: ran.append(left))
            job: Job | None = ran[-1]
            return job

        return run

    def dependencies(self, slots: int = 2) -> Dependencies:
        """What the slots of one worker depend on."""
        return Dependencies(
            self._handler.probes,
            unit_of_work=self.unit_of_work,
            slots=slots,
            clock=lambda: self.clock.now().timestamp(),
        )

    def run_next(
        self,
        leases: KeepLeases,
        dependencies: Dependencies,
        around: Callable[[WorkItem], AbstractContextManager[object]] = lambda _: nullcontext(),
    ) -> RunNext:
        """A worker that runs whatever the database has next."""
        return RunNext(
            unit_of_work=self.unit_of_work,
            kinds={ANALYSIS.kind: Kind(self._handler, self.policy)},
            leases=leases,
            dependencies=dependencies,
            chance=random.Random(2),  # noqa: S311 - a seed
            pause=self._pause,
            around=around,
        )

    def engine_sees(self, job: Job) -> bool:
        """Whether a job is the one that runs."""
        return self.job(job.id).state is JobState.RUNNING

    def fail_on_images(self, act: Callable[[], object]) -> None:
        """Have every inference act first, and perhaps raise, but not that of the probe."""
        infer = self.engine.infer

        def of_image(model: ModelManifest, films: NDArray[np.uint8]) -> Outputs:
            if films.any():
                act()
            return infer(model, films)

        self.engine.infer = of_image

    def claim(self, job_id: UUID, owner: str) -> Job | None:
        """Let a worker take this job."""
        with self._others_away(job_id), self.unit_of_work.begin() as transaction:
            return transaction.jobs.claim(list(Priority), owner, LEASE)

    @contextmanager
    def _others_away(self, job_id: UUID) -> Iterator[ExitStack]:
        """Keep every other queued job from being claimed, until the stack that it gives is left."""
        if not isinstance(self.unit_of_work, InMemoryUnitOfWork):
            with self._others_away_in_database(job_id) as back:
                yield back
            return
        rows = self.unit_of_work.rows
        away = {
            other.id: other.not_before
            for other in rows.jobs.values()
            if other.state is JobState.QUEUED and other.id != job_id
        }
        for other in away:
            rows.jobs[other] = replace(rows.jobs[other], not_before=NEVER)

        def bring_back() -> None:
            jobs = self.unit_of_work.rows.jobs
            for other, not_before in away.items():
                jobs[other] = replace(jobs[other], not_before=not_before)

        with ExitStack() as back:
            back.callback(bring_back)
            yield back

    @contextmanager
    def _others_away_in_database(self, job_id: UUID) -> Iterator[ExitStack]:
        queued = sa.and_(JOBS.c.state == JobState.QUEUED.value, JOBS.c.id != job_id)

        def change(which: sa.ColumnElement[bool], moment: datetime | None) -> None:
            with self.unit_of_work.begin() as transaction:
                statement = sa.update(JOBS).where(which).values(not_before=moment)
                transaction._connection.execute(statement)  # noqa: SLF001 - no port does it

        change(queued, NEVER)
        with ExitStack() as back:
            back.callback(change, JOBS.c.not_before == NEVER, None)
            yield back

    def send(
        self,
        *contents: bytes,
        by: Principal | None = None,
        fields: SubmissionFields | None = None,
        gateway: SubmitImages | None = None,
    ) -> SubmissionAnswer:
        submit = gateway or self.submit
        files = [IncomingFile(f"{n}.pgm", [content]) for n, content in enumerate(contents)]
        return submit(files, lambda: fields or SubmissionFields(), by or key(), "request")

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
        self.elapsed_s += seconds
        self.clock.advance(timedelta(seconds=seconds))

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.advance(seconds)
        if self.during_pause is not None:
            self.during_pause()
