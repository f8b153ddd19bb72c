"""The databases that a contract runs on.

In memory, SQLite, a real PostgreSQL, and that behind a real PgBouncer in transaction mode.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from tests.fakes.unit_of_work import InMemoryUnitOfWork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum_stack.postgres import PostgresServer
    from tests.pgbouncer import PgBouncerServer

_TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def administer_postgresql(postgres_server: PostgresServer) -> Iterator[Callable[[str], None]]:
    """Runs a statement outside of the databases under test; one of them is migrated, to copy."""
    engine = sa.create_engine(
        postgres_server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )

    def administer(statement: str) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    administer(f"CREATE DATABASE {_TEMPLATE}")
    migrate.upgrade(postgres_server.database_url(_TEMPLATE))
    yield administer
    administer(f"DROP DATABASE {_TEMPLATE} WITH (FORCE)")


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of this test's own."""
    path = tmp_path / "hilum.db"
    shutil.copyfile(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(
    postgres_server: PostgresServer, administer_postgresql: Callable[[str], None]
) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    name = f"test_{uuid4().hex}"
    administer_postgresql(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield postgres_server.database_url(name)
    administer_postgresql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def pgbouncer_url(postgresql_url: str, pgbouncer_server: PgBouncerServer) -> str:
    """That database, behind the pooler."""
    return pgbouncer_server.database_url(postgresql_url.rpartition("/")[2])


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own, of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, of each kind; SQLite's folder does not exist yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/50% new/hilum.db"
        return
    server = request.getfixturevalue("postgres_server")
    administer = request.getfixturevalue("administer_postgresql")
    name = f"empty_{uuid4().hex}"
    administer(f"CREATE DATABASE {name}")
    yield server.database_url(name)
    administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.real),
        pytest.param("pgbouncer", marks=pytest.mark.real),
    ]
)
def unit_of_work(request: pytest.FixtureRequest) -> Iterator[UnitOfWork]:
    """An empty unit of work, of each kind."""
    if request.param == "memory":
        yield InMemoryUnitOfWork()
        return
    engine = create_database_engine(request.getfixturevalue(f"{request.param}_url"), pool_size=8)
    yield SqlUnitOfWork(engine)
    engine.dispose()
