"""Measure accept, claim and finish on a deep queue after years of work.

    python -m benchmarks.deep_queue [ENDED WAITING CLAIMS]

A million ended jobs and 100,000 that wait, of 100 sites at three priorities, beside an empty
database, on PostgreSQL and on SQLite. The plan of the claim is checked. Then the same once more
after 100,000 claims, whose dead entries are at the head of the partial index.
"""

from __future__ import annotations

import random
import sys
import tempfile
from datetime import timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Final, TypeVar

import sqlalchemy as sa

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.tables import JOBS
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.application.queue.reconcile import Periods, Reconcile
from hilum.domain.job import ANALYSIS, JobEvent, Priority
from hilum.domain.retry_policy import RetryPolicy
from hilum_stack.postgres import PostgresServer
from tests.contract.deep_queue import assert_heads_alone, fill, more
from tests.contract.samples import LEASE, a_film, an_analysis, an_event
from tests.fakes.task_queue import RecordingTaskQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Engine

    from hilum.application.ports.unit_of_work import Transaction
    from hilum.domain.job import Job

T = TypeVar("T")

SITES: Final = 100
ROUNDS: Final = 5
IMAGES: Final = 200
_TOGETHER: Final = 5_000
_RANK: Final = {priority.value: rank for rank, priority in enumerate(Priority)}


class Bench:
    """One database, and the milliseconds of each step on it."""

    def __init__(self, url: str) -> None:
        migrate.upgrade(url)
        self.engine: Engine = create_database_engine(url, pool_size=1)
        self._session: Path | None = None
        if self.engine.dialect.name == "postgresql":
            with self.engine.begin() as connection:
                pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            self._session = Path(f"/proc/{pid}/schedstat")
        self._unit_of_work = SqlUnitOfWork(self.engine)
        self._sites = cycle((f"site-{n % SITES}", list(Priority)[n % 3]) for n in range(3 * SITES))
        self._reconcile = Reconcile(
            unit_of_work=self._unit_of_work,
            queue=RecordingTaskQueue(),
            policies={ANALYSIS.kind: RetryPolicy()},
            chance=random.Random(1),  # noqa: S311 - jitter
            periods=Periods(ageing=timedelta(days=36500), lease=LEASE, attempts=timedelta(days=90)),
        )
        self.spent: dict[str, list[tuple[float, float]]] = {}

    def measure(self) -> None:
        """Accept, claim and finish images, one transaction each."""
        for _ in range(IMAGES):
            self._timed("accept", self._accept)
            job = self._timed("claim", _claim)
            if job is None:
                raise RuntimeError("nothing to claim")
            self._timed("finish", partial(_finish, job=job))
        for _ in range(10):
            before = self._now()
            self._reconcile()
            self._note("reconcile", before)

    def claim(self, number: int, waiting: int) -> None:
        """Claim the jobs at the head, end them, and queue as many again behind what waits."""
        order = (sa.case(_RANK, value=JOBS.c.priority), JOBS.c.fair_tag)
        head = (
            sa.select(JOBS.c.id).where(JOBS.c.state == "queued").order_by(*order).limit(_TOGETHER)
        )
        running = JOBS.c.state == "running"
        for first in range(0, number, _TOGETHER):
            with self.engine.begin() as connection:
                more(connection, (waiting + first, waiting + first + _TOGETHER), SITES)
            for change in (
                sa.update(JOBS).where(JOBS.c.id.in_(head)).values(state="running", attempts=1),
                sa.update(JOBS).where(running).values(state="completed"),
            ):
                with self.engine.begin() as connection:
                    connection.execute(change)

    def _timed(self, step: str, run: Callable[[Transaction], T]) -> T:
        """Run a step, and keep its time without the commit, whose flushes are the disk's."""
        with self._unit_of_work.begin() as transaction:
            before = self._now()
            done = run(transaction)
            self._note(step, before)
        return done

    def _now(self) -> tuple[float, float]:
        """Return milliseconds on the clock, and of CPU of this thread and of its session."""
        session = int(self._session.read_text().split()[0]) / 1e6 if self._session else 0.0
        return 1000 * perf_counter(), 1000 * thread_time() + session

    def _note(self, step: str, before: tuple[float, float]) -> None:
        clock, cpu = (now - then for now, then in zip(self._now(), before, strict=True))
        self.spent.setdefault(step, []).append((clock, cpu))

    def _accept(self, transaction: Transaction) -> None:
        site, priority = next(self._sites)
        film = a_film(site=site, priority=priority)
        transaction.jobs.add_new(transaction.work_flows.tagged([film.job]))
        transaction.submissions.add_instances(film.submission, [film.instance])
        transaction.audit.append([an_event()])


def _claim(transaction: Transaction) -> Job | None:
    return transaction.jobs.claim(list(Priority), "worker-1", LEASE)


def _finish(transaction: Transaction, job: Job) -> None:
    transaction.jobs.finish(job, JobEvent.COMPLETE)
    transaction.results.add(an_analysis(job))
    transaction.audit.append([an_event()])


def databases() -> Iterator[tuple[str, Callable[[str], str]]]:
    """Yield the name of each kind of database, and what makes an address of one."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with PostgresServer.start(Path(folder) / "postgres") as server:
            made = sa.create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

            def make(name: str) -> str:
                with made.connect() as connection:
                    connection.exec_driver_sql(f"CREATE DATABASE {name}")
                return server.database_url(name)

            yield "PostgreSQL", make
        yield "SQLite", lambda name: f"sqlite:///{folder}/{name}.db"


def show(kind: str, when: str, benches: dict[str, Bench]) -> None:
    """Measure the databases in turns, and print a line for each step."""
    for bench in benches.values():
        bench.measure()  # warm
        bench.spent.clear()
    for _ in range(ROUNDS):
        for bench in benches.values():
            bench.measure()
    for step in benches["empty"].spent:
        cells = []
        for name, bench in benches.items():
            clock, cpu = zip(*bench.spent[step], strict=True)
            numbers = (
                median(cpu),
                quantiles(cpu, n=20)[-1],
                median(clock),
                quantiles(clock, n=20)[-1],
            )
            cells.append(f"{name:5} " + " ".join(f"{number:7.2f}" for number in numbers))
        print(f"{kind:11}{when:21}{step:10}" + "   ".join(cells), flush=True)


def main(ended: int, waiting: int, claims: int) -> None:
    """Measure on either kind of database."""
    print("without commits: CPU median, CPU p95, clock median, clock p95")
    print(f"ms of {ROUNDS} x {IMAGES}; {ended} ended, {waiting} waiting")
    for kind, make in databases():
        benches = {"empty": Bench(make("empty")), "deep": Bench(make("deep"))}
        deep = benches["deep"]
        fill(deep.engine, ended=ended, waiting=waiting, sites=SITES)
        assert_heads_alone(deep.engine, SITES)
        show(kind, "fresh", benches)
        deep.claim(claims, waiting)
        assert_heads_alone(deep.engine, SITES)
        show(kind, f"after {claims} claims", benches)
        for bench in benches.values():
            bench.engine.dispose()


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:] or ("1000000", "100000", "100000")))
