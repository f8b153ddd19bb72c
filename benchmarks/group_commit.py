"""Measure how many submissions a second threads write to PostgreSQL, each alone and in groups.

    python -m benchmarks.group_commit

Each round runs both ways in turn on one server, with the disk as it is and with 5 ms more for each
commit (PostgreSQL's ``commit_delay``), as a disk with a slow flush takes.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.application.intake.group_commit import GroupCommit
from hilum.application.intake.submission_rows import Recording, record_submissions
from hilum_stack.postgres import PostgresServer
from tests.contract.samples import a_film

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS: Final = 3
SECONDS: Final = 4.0
THREADS: Final = (1, 4, 16)
DELAYS_US: Final = (0, 5000)


def recording() -> Recording:
    """Return a submission with one image that nobody has sent before."""
    film = a_film()
    image = replace(film.instance, sha256=film.instance.id.hex * 2)
    return Recording(film.submission, (image,), "ms-1")


def rate(record: Callable[[Recording], object], threads: int) -> float:
    """Return submissions a second of all threads together."""
    done = [0] * threads
    until = time.monotonic() + SECONDS

    def send(number: int) -> None:
        while time.monotonic() < until:
            record(recording())
            done[number] += 1

    senders = [threading.Thread(target=send, args=(number,)) for number in range(threads)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return sum(done) / SECONDS


def main() -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with PostgresServer.start(Path(folder) / "postgresql") as server:
            migrate.upgrade(server.url)
            unit_of_work = SqlUnitOfWork(create_database_engine(server.url, pool_size=16))
            ways: dict[str, Callable[[Recording], object]] = {
                "alone": lambda one: record_submissions(unit_of_work, [one]),
                "in groups": GroupCommit(unit_of_work).record,
            }
            print("| ms more a commit | threads | alone | in groups | ratio |")
            print("| ---: | ---: | ---: | ---: | ---: |")
            for delay in DELAYS_US:
                with psycopg.connect(server.url, autocommit=True) as connection:
                    connection.execute(f"ALTER SYSTEM SET commit_delay = {delay}")
                    connection.execute("ALTER SYSTEM SET commit_siblings = 0")
                    connection.execute("SELECT pg_reload_conf()")
                for threads in THREADS:
                    measured: dict[str, list[float]] = {name: [] for name in ways}
                    for _ in range(ROUNDS):
                        for name, record in ways.items():
                            measured[name].append(rate(record, threads))
                    alone, groups = (statistics.median(measured[name]) for name in ways)
                    figures = f"{alone:.0f} | {groups:.0f} | {groups / alone:.2f}"
                    print(f"| {delay // 1000} | {threads} | {figures} |")


if __name__ == "__main__":
    main()
