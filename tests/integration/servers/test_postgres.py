"""PostgreSQL as the stack runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from hilum_stack.errors import ServerMissing
from hilum_stack.postgres import PostgresServer
from tests.servers import server_missing, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this module's own: its tests stop and kill it."""
    with started(PostgresServer) as postgres:
        yield postgres


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def test_it_is_durable_and_listens_on_loopback_only(server: PostgresServer) -> None:
    """A commit survives a power cut, and nobody else on the network can connect."""
    assert query(server.url, "SHOW fsync") == [("on",)]
    assert query(server.url, "SHOW synchronous_commit") == [("on",)]
    assert query(server.url, "SHOW listen_addresses") == [("127.0.0.1",)]


def test_a_wrong_password_is_refused(server: PostgresServer) -> None:
    """Another user of the machine cannot connect without the password."""
    url = make_url(server.url).set(password="wrong").render_as_string(hide_password=False)
    with pytest.raises(OperationalError, match="password authentication failed"):
        query(url, "SELECT 1")


def test_a_restart_keeps_data_and_address(server: PostgresServer) -> None:
    """What was committed is there after a restart, at the same address."""
    query(server.url, "CREATE TABLE kept (film text)")
    query(server.url, "INSERT INTO kept VALUES ('a')")
    url = server.url
    server.restart()
    assert query(url, "SELECT film FROM kept") == [("a",)]


def test_a_kill_loses_nothing_that_was_committed(server: PostgresServer) -> None:
    """After SIGKILL the server recovers every committed row."""
    query(server.url, "CREATE TABLE crashed AS SELECT generate_series(1, 1000) AS n")
    server.kill()
    with pytest.raises(OperationalError):
        query(server.url, "SELECT 1")
    server.restart()
    assert query(server.url, "SELECT count(*) FROM crashed") == [(1000,)]


def test_a_second_run_on_the_folder_finds_its_data(server: PostgresServer) -> None:
    """A new handle on the same folder keeps credentials and data."""
    query(server.url, "CREATE TABLE first_run (n int)")
    server.stop()
    with PostgresServer.start(server.folder) as again:
        assert again.password == server.password
        assert query(again.url, "SELECT count(*) FROM first_run") == [(0,)]
    server.restart()


def test_stop_leaves_no_process(server: PostgresServer) -> None:
    """Stopping ends the backends too, also with a client connected."""
    engine = create_engine(server.url)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        server.stop()
        assert not any(member.is_running() for member in family)
        connection.invalidate()
    engine.dispose()
    server.restart()


def test_a_folder_that_the_system_user_cannot_reach_is_no_obstacle(tmp_path: Path) -> None:
    """As root the server runs as another user: a closed folder gets its data elsewhere."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    try:
        server = PostgresServer.start(closed / "postgres")
    except ServerMissing as missing:
        server_missing(missing)
    try:
        assert query(server.url, "SELECT 1") == [(1,)]
        assert server.data.stat().st_mode & 0o077 == 0, "nobody else reads the data"
    finally:
        server.remove()
    assert not server.data.exists()
