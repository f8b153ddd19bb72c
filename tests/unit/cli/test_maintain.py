"""``hilum maintain``: one line, and an exit code that a CronJob can be watched by."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.job import JobState
from hilum.domain.object_keys import film_key
from hilum_cli.bootstrap import BATCH
from tests.contract.samples import a_film, accept

if TYPE_CHECKING:
    from pathlib import Path


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


def test_submissions_of_an_older_release_are_written_once(run, database):
    """More than a batch holds; the second run finds nothing to do."""
    engine = create_database_engine(database)
    unit_of_work = SqlUnitOfWork(engine)
    accept(unit_of_work, *(a_film() for _ in range(BATCH + 1)))  # as that release does
    told = run("maintain", "submissions", "--json")
    assert (told.exit_code, json.loads(told.stdout)) == (0, {"written": BATCH + 1})
    assert run("maintain", "submissions").stdout == "submissions: 0 of an older release written\n"
    engine.dispose()


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


@pytest.fixture
def platform(run, command, database, tmp_path):
    """A platform with films that were read 0, 40 and 400 days ago, the last one of `south`."""
    objects = f"file://{tmp_path}/objects"
    assert command("store", "prepare", "--object-store-url", objects).exit_code == 0
    engine = create_database_engine(database)
    unit_of_work = SqlUnitOfWork(engine)
    folder = tmp_path / "objects"
    for days, site in ((0, "north"), (40, "north"), (400, "south")):
        moment = datetime.now(UTC) - timedelta(days=days, minutes=1)
        film = a_film(site=site, state=JobState.COMPLETED, updated_at=moment, finished_at=moment)
        instance = replace(
            film.instance,
            object_key=film_key(film.submission.id, film.instance.id),
            size_bytes=2_000_000,
        )
        accept(unit_of_work, replace(film, instance=instance))
        write(folder / instance.object_key)
    engine.dispose()

    def on_platform(*arguments: object):
        return run("maintain", "retention", *arguments, HILUM_OBJECT_STORE_URL=objects)

    on_platform.folder = folder
    return on_platform


def write(path: Path) -> Path:
    """A file of some bytes, two days old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"film")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(path, (two_days_ago, two_days_ago))
    return path


def films(folder: Path) -> int:
    """How many objects lie in a store."""
    return sum(path.is_file() for path in folder.glob("films/*/*"))


def test_films_are_removed_after_their_days(platform):
    """One line says how many; the second run has nothing to do and is no alarm."""
    ended = platform("--films-days", 30)
    assert ended.exit_code == 0, ended.output
    assert ended.stdout == (
        "retention: removed 2 films (4.0 MB) that ended more than 30 days ago, "
        "4 objects with what earlier runs left\n"
    )
    assert films(platform.folder) == 1
    again = platform("--films-days", 30, "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout) == {
        "films": 0,
        "size_bytes": 0,
        "objects": 0,
        "dry_run": False,
    }


def test_a_dry_run_removes_nothing(platform):
    """It says what a run would do, of one site or of all."""
    ended = platform("--films-days", 30, "--site", "south", "--dry-run")
    assert ended.exit_code == 0
    assert ended.stdout == (
        "retention: would remove 1 film of site south (2.0 MB) that ended more than 30 days ago\n"
    )
    assert films(platform.folder) == 3
    told = json.loads(platform("--films-days", 30, "--dry-run", "--orphans", "--json").stdout)
    assert (told["films"], told["orphans"], told["dry_run"]) == (2, 0, True)


def test_orphans_are_removed_where_that_is_asked_for(platform):
    """Their number and size stand in the same line."""
    orphan = write(platform.folder / film_key(uuid4(), uuid4()))
    assert platform("--films-days", 9999).exit_code == 0
    assert orphan.exists()
    ended = platform("--films-days", 9999, "--orphans")
    assert ended.exit_code == 0
    assert ended.stdout.endswith("; 1 orphan (0.0 MB)\n")
    assert not orphan.exists()
    assert films(platform.folder) == 3


def test_each_run_stands_in_the_audit_log(platform, run):
    """In a chain that is whole."""
    assert platform("--films-days", 30).exit_code == 0
    assert run("audit", "verify").stdout.startswith("2 events, the chain is whole")


def test_an_outage_is_told_with_what_helps(platform):
    """A code that is not 0, the stable code, and that nothing has to be mended by hand."""
    folder = platform.folder
    folder.rename(folder.with_name("away"))
    folder.write_text("no folder")
    ended = platform("--films-days", 30)
    assert ended.exit_code == 1
    assert ended.stderr.startswith("Error: object_store_unavailable: ")
    assert "run it again to go on" in ended.stderr
    folder.unlink()
    folder.with_name("away").rename(folder)
    assert platform("--films-days", 30).exit_code == 0
    assert films(folder) == 1


def test_a_database_that_is_behind_is_told_to_be_upgraded(command, tmp_path):
    """The CronJob of a new release may run before its migration has."""
    database, objects = f"sqlite:///{tmp_path}/old.db", f"file://{tmp_path}/objects"
    migrate.upgrade(database, "0005")
    ended = command(
        *("maintain", "retention", "--films-days", 30),
        HILUM_DATABASE_URL=database,
        HILUM_OBJECT_STORE_URL=objects,
    )
    assert ended.exit_code == 1
    assert "hilum db upgrade" in ended.stderr


@pytest.mark.parametrize("days", ["0", "-1", "x"])
def test_days_that_are_none_are_refused(platform, days):
    """By the command line; and there is no number that is taken unasked."""
    assert platform("--films-days", days).exit_code == 2
    assert platform().exit_code == 2
    assert films(platform.folder) == 3


def test_without_a_platform_the_command_says_how_to_name_one(command):
    """Exit code 2, both variables by name."""
    ended = command("maintain", "retention", "--films-days", 30)
    assert ended.exit_code == 2
    assert "HILUM_DATABASE_URL" in ended.stderr
    assert "HILUM_OBJECT_STORE_URL" in ended.stderr
