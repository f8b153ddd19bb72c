"""Measure the CPU that accepting, claiming and finishing an image takes of client and database.

    python -m benchmarks.database_client before=../hilum-0.2.0 after=.

Each argument is a name and a checkout. Their runs are interleaved on one PostgreSQL, without a
disk's waits. ``NAME:long=CHECKOUT`` runs the statements through SQLAlchemy's own execution.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg

from hilum.adapters.postgres import execution, migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.job import JobEvent, Priority
from hilum_stack.postgres import PostgresServer
from tests.contract.samples import LEASE, NOW, a_film, an_analysis, an_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hilum.domain.job import Job

ROUNDS: Final = 12
IMAGES: Final = 150
_FOLDERS: Final = (".", "stack")


def measure(url: str, images: int) -> dict[str, tuple[float, float]]:
    """Return milliseconds of this process and of its session, by image, for each step."""
    engine = create_database_engine(url, pool_size=1)
    unit_of_work = SqlUnitOfWork(engine)
    with engine.begin() as connection:
        session = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    def accept(_: object) -> Job:
        film = a_film()
        with unit_of_work.begin() as transaction:
            jobs = [film.job]
            if hasattr(transaction, "work_flows"):
                transaction.jobs.with_keys([film.job.idempotency_key])
                jobs = list(transaction.work_flows.tagged(jobs))
            transaction.jobs.add_new(jobs)
            transaction.submissions.add_instances(film.submission, [film.instance])
            transaction.audit.append([an_event()])
        return film.job

    def claim(job: Job) -> Job | None:
        with unit_of_work.begin() as transaction:
            jobs: Any = transaction.jobs
            if hasattr(transaction, "work_flows"):
                claimed: Job | None = jobs.claim(list(Priority), "worker-1", LEASE)
            else:  # up to 0.2.0
                claimed = jobs.claim(job.id, "worker-1", NOW, LEASE)
            return claimed

    def finish(job: Job) -> None:
        with unit_of_work.begin() as transaction:
            jobs: Any = transaction.jobs
            if hasattr(transaction, "work_flows"):
                jobs.finish(job, JobEvent.COMPLETE)
            else:
                jobs.finish(job.id, "worker-1", JobEvent.COMPLETE, NOW)
            transaction.results.add(an_analysis(job))
            transaction.audit.append([an_event()])

    spent = {}
    jobs: list[Any] = list(range(images))
    for step in (accept, claim, finish):
        before = time.process_time(), _cpu_s(session)
        jobs = _each(step, jobs)
        after = time.process_time(), _cpu_s(session)
        client, server = (1000 * (b - a) / images for a, b in zip(before, after, strict=True))
        spent[step.__name__] = client, server
    return spent


def _each(step: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    return [step(item) for item in items]


def _cpu_s(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _take_the_long_way() -> None:
    def all_rows(self: Any, connection: Any, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        result = connection.execute(self._statement, values)
        return [tuple(row) for row in result] if result.returns_rows else []

    execution.Statement.all = all_rows  # type: ignore[method-assign]


def _run(name: str, checkout: str, url: str) -> dict[str, tuple[float, float]]:
    path = os.pathsep.join(str((Path(checkout) / folder).resolve()) for folder in _FOLDERS)
    way = "long" if name.endswith(":long") else "short"
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--child", way, url],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
    )
    answer: dict[str, tuple[float, float]] = json.loads(done.stdout)
    return answer


def main(arguments: list[str]) -> None:
    """Measure and print a table."""
    checkouts = dict(argument.split("=", 1) for argument in arguments)
    runs: dict[str, list[dict[str, tuple[float, float]]]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with PostgresServer.start(Path(folder)) as server:
            # Both drivers of both releases know this spelling.
            url = server.url.replace("postgresql://", "postgresql+psycopg2://")
            migrate.upgrade(url)
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
            for _ in range(ROUNDS):
                for name, checkout in checkouts.items():
                    runs[name].append(_run(name, checkout, url))
    print(f"ms of CPU an image, median (least) of {ROUNDS} runs of {IMAGES} images")
    for name, measured in runs.items():
        for step in (*measured[0], "all"):
            steps = measured[0] if step == "all" else [step]
            sums = [[sum(run[one][side] for one in steps) for run in measured] for side in (0, 1)]
            cells = (f"{statistics.median(side):6.2f} ({min(side):.2f})" for side in sums)
            print(f"{name:16}{step:8}client {next(cells)}  session {next(cells)}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        if sys.argv[2] == "long":
            _take_the_long_way()
        measure(sys.argv[3], 20)
        json.dump(measure(sys.argv[3], IMAGES), sys.stdout)
    else:
        main(sys.argv[1:])
