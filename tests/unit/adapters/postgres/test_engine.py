"""How a process connects: what is refused, what SQLite is told, and what a fork keeps."""

from __future__ import annotations

import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hilum.adapters.postgres import engine as engine_module
from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.advisory_locks import advisory_key
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.errors import DatabaseUnavailable, InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from sqlalchemy.engine import Engine


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A migrated SQLite file."""
    path = tmp_path / "hilum.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    """An engine on it that soon gives up."""
    engine = create_database_engine(f"sqlite:///{path}", lock_timeout_s=0.05)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    "url", ["mysql://u:hunter2@h/d", "sqlite://", "sqlite:///:memory:", "postgresql//u:hunter2@h"]
)
def test_a_database_that_cannot_serve_is_refused(url: str) -> None:
    """Another kind, a database in one process's memory, or no URL; no password in the text."""
    with pytest.raises(InternalError) as caught:
        create_database_engine(url)
    assert "hunter2" not in str(caught.value)


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without RETURNING nothing works, so the engine says what is missing."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(InternalError, match=r"3\.35"):
        create_database_engine("sqlite:////tmp/never.db")


def test_nothing_connects_before_it_is_asked(tmp_path: Path) -> None:
    """An engine of a file that is not there makes none."""
    create_database_engine(f"sqlite:///{tmp_path}/absent.db")
    assert list(tmp_path.iterdir()) == []


def test_sqlite_keeps_what_it_was_given(engine: Engine) -> None:
    """WAL, a sync at every commit, and references are checked."""
    with engine.begin() as connection:
        answers = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    full = 2
    assert answers == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 50,
    }


def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    """While one writes, others read what was committed; a second writer waits, then is told."""
    unit_of_work = SqlUnitOfWork(engine)
    with unit_of_work.begin():
        with unit_of_work.begin(write=False) as transaction:
            assert transaction.api_keys.all() == []
        with pytest.raises(DatabaseUnavailable, match="locked"), unit_of_work.begin():
            pass


def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    """A database that cannot be opened (a volume that is not mounted yet) may be there later."""
    engine = create_database_engine(f"sqlite:///{tmp_path}/absent/hilum.db")
    with pytest.raises(DatabaseUnavailable):
        SqlUnitOfWork(engine).check()


def test_an_empty_file_is_not_ready(tmp_path: Path) -> None:
    """The check names the command that helps."""
    engine = create_database_engine(f"sqlite:///{tmp_path}/hilum.db")
    with pytest.raises(DatabaseUnavailable, match="hilum db upgrade"):
        SqlUnitOfWork(engine).check()
    engine.dispose()


def test_threads_share_the_pool(engine: Engine) -> None:
    """More threads than connections: each waits for its turn and gets one."""
    unit_of_work = SqlUnitOfWork(create_database_engine(str(engine.url), pool_size=2))
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(unit_of_work.check) for _ in range(40)]:
            done.result()


def test_a_child_process_opens_connections_of_its_own(engine: Engine) -> None:
    """After a fork neither side uses the connection that the other holds."""
    unit_of_work = SqlUnitOfWork(engine)
    unit_of_work.check()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_report_connection, args=(engine, sender))
    child.start()
    in_child = receiver.recv()
    child.join()
    with engine.connect() as connection:
        here = id(connection.connection.dbapi_connection), connection.info["process"]
    assert in_child != here
    assert in_child[1] == child.pid
    unit_of_work.check()


def _report_connection(engine: Engine, sender: Connection) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        sender.send((id(connection.connection.dbapi_connection), connection.info["process"]))


def test_a_lock_s_key_is_stable_and_fits() -> None:
    """Two releases take the same lock for the same name: a signed 64-bit number."""
    assert advisory_key("reconcile_jobs") == advisory_key("reconcile_jobs")
    keys = {advisory_key(f"name-{number}") for number in range(1000)}
    assert len(keys) == 1000
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert min(keys) < 0 < max(keys)


def test_the_oldest_sqlite_is_that_with_returning() -> None:
    """The limit is the one that SQLite's changelog names."""
    assert engine_module.OLDEST_SQLITE == (3, 35, 0)
