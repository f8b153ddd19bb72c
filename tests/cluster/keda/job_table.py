"""The jobs that KEDA counts: a real PostgreSQL with Hilum's schema, changed as Hilum changes it."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.job import JobEvent
from tests.contract.samples import a_film, accept, claim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum.domain.job import Job, Priority
    from hilum_stack.postgres import PostgresServer

_OWNER = "worker-1"
# What the chart asks a site for: a role that may read one table.
_READER = "keda"
_ALLOW = sa.text(f"GRANT SELECT ON jobs TO {_READER}")
_REFUSE = sa.text(f"REVOKE SELECT ON jobs FROM {_READER}")  # noqa: S608 - a name of ours


@dataclass
class JobTable:
    """Jobs that wait, run and end.

    Attributes:
        server: Holds them.
        engine: Its owner's connections.
        unit_of_work: Changes them.
        reader_password: Of the role that may read the table ``jobs`` and nothing else.
    """

    server: PostgresServer
    engine: sa.Engine
    unit_of_work: SqlUnitOfWork
    reader_password: str
    _waiting: int = 0
    _running: list[Job] = field(default_factory=list)

    @property
    def libpq_connection(self) -> str:
        """For KEDA, as libpq writes it: by the role that only reads."""
        return (
            f"host=127.0.0.1 port={self.server.port} dbname=hilum sslmode=disable "
            f"user={_READER} password={self.reader_password}"
        )

    def add(self, count: int, priority: Priority) -> None:
        """So many films arrive at once."""
        films = [a_film(priority=priority) for _ in range(count)]
        accept(self.unit_of_work, *films)
        self._waiting += count

    def start(self, count: int) -> None:
        """Workers claim the next so many."""
        for _ in range(count):
            job = claim(self.unit_of_work, _OWNER)
            assert job is not None
            self._running.append(job)
        self._waiting -= count

    def finish(self, count: int) -> None:
        """The oldest so many that run are completed."""
        ended, self._running = self._running[:count], self._running[count:]
        with self.unit_of_work.begin() as transaction:
            for job in ended:
                done = transaction.jobs.finish(job, JobEvent.COMPLETE)
                assert done is not None

    @contextmanager
    def refused(self) -> Iterator[None]:
        """The role that counts may read nothing, while the context lasts."""
        with self.engine.begin() as connection:
            connection.execute(_REFUSE)
        try:
            yield
        finally:
            with self.engine.begin() as connection:
                connection.execute(_ALLOW)

    def finish_all(self) -> None:
        """Everything that waits or runs is completed."""
        self.start(self._waiting)
        self.finish(len(self._running))


@contextmanager
def job_table(server: PostgresServer) -> Iterator[JobTable]:
    """An empty one, with the role that reads it.

    Args:
        server: A fresh PostgreSQL.
    """
    migrate.upgrade(server.url)
    engine = create_database_engine(server.url)
    password = secrets.token_hex(16)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE ROLE {_READER} LOGIN PASSWORD '{password}'"))
        connection.execute(_ALLOW)
    yield JobTable(server, engine, SqlUnitOfWork(engine), password)
    engine.dispose()
