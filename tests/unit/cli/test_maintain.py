"""``hilum maintain``: one line, and an exit code that a CronJob can be watched by."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa


@pytest.fixture
def run(command, database):
    """The command on a database that has this release's schema."""

    def on_database(*arguments: object, **environment: str):
        return command(*arguments, HILUM_DATABASE_URL=database, **environment)

    assert on_database("db", "upgrade").exit_code == 0
    return on_database


def test_sqlite_needs_no_partitions_and_says_so(run):
    """The same CronJob runs on a laptop without an alarm."""
    ended = run("maintain", "audit-partitions")
    assert ended.exit_code == 0
    assert ended.stdout == "audit log: SQLite keeps it in one table, nothing to do\n"
    told = run("maintain", "audit-partitions", "--json")
    assert json.loads(told.stdout) == {"made": []}


@pytest.mark.parametrize("ahead", ["0", "13", "x"])
def test_a_number_of_partitions_that_is_none_is_refused(run, ahead):
    """Each costs every append something, so a slip is not taken for a wish."""
    assert run("maintain", "audit-partitions", "--ahead", ahead).exit_code == 2


@pytest.fixture
def postgresql(postgres_server):
    """Address of an empty database on a real PostgreSQL."""
    engine = sa.create_engine(postgres_server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE maintained")
        yield postgres_server.database_url("maintained")
        connection.exec_driver_sql("DROP DATABASE maintained WITH (FORCE)")
    engine.dispose()


@pytest.mark.real
def test_partitions_are_made_and_told(command, postgresql):
    """Names and numbers, in one line or as JSON."""
    url = postgresql
    assert command("db", "upgrade", "--database-url", url).exit_code == 0
    first = command("maintain", "audit-partitions", "--ahead", 2, "--database-url", url)
    assert first.exit_code == 0
    assert first.stdout == (
        "audit log: made audit_events_from_10000000, audit_events_from_20000000; "
        "2 partitions ahead of event 0\n"
    )
    again = command("maintain", "audit-partitions", "--json", "--database-url", url)
    assert json.loads(again.stdout) == {
        "made": [],
        "ahead": 2,
        "last_sequence": 0,
        "end": 30_000_000,
    }
