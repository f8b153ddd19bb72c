"""Migrations go up and back on SQLite and on PostgreSQL, and say which release they are of."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from hilum.adapters.postgres import migrate, schema
from hilum.adapters.postgres.audit_partitions import PREFIX
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.tables import METADATA
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.errors import DatabaseUnavailable, SchemaIncompatible

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES = 4


def _tables(url: str) -> set[str]:
    engine = create_database_engine(url)
    try:
        names = sa.inspect(engine).get_table_names()
        return {name for name in names if not name.startswith(PREFIX)}
    finally:
        engine.dispose()


def test_an_empty_database_is_not_ready(empty_url: str) -> None:
    """The check says what to run; after the upgrade it passes, and a second upgrade is nothing."""
    if empty_url.startswith("postgresql"):
        assert migrate.current(empty_url) is None
        with pytest.raises(DatabaseUnavailable, match="hilum db upgrade"):
            migrate.check(empty_url)
    migrate.upgrade(empty_url)
    migrate.check(empty_url)
    assert migrate.current(empty_url) == schema.HEAD
    before = _tables(empty_url)
    migrate.upgrade(empty_url)
    assert _tables(empty_url) == before == {*METADATA.tables, "alembic_version"}


def test_another_release_s_schema_is_not_ready(database_url: str) -> None:
    """A database that is behind, or ahead, is named with both revisions."""
    engine = create_database_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnavailable, match="9999"):
        SqlUnitOfWork(engine).check()
    engine.dispose()


def test_the_way_back_leaves_nothing(empty_url: str) -> None:
    """Down to the base and up again works, also with the audit log's triggers."""
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url, "base")
    assert _tables(empty_url) == {"alembic_version"}
    migrate.upgrade(empty_url)
    migrate.check(empty_url)


def test_several_processes_may_upgrade_at_once(empty_url: str, tmp_path: Path) -> None:
    """Each ends well, from any working directory, and the database is ready."""
    program = (
        "import sys; from hilum.adapters.postgres import migrate; migrate.upgrade(sys.argv[1])"
    )
    root = str(migrate.SCRIPTS.parents[3])

    def upgrade(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, empty_url],
            cwd=tmp_path,
            env={"PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=False,
        )

    with ThreadPoolExecutor(PROCESSES) as pool:
        done = list(pool.map(upgrade, range(PROCESSES)))
    assert [(process.returncode, process.stderr) for process in done] == [(0, "")] * PROCESSES
    migrate.check(empty_url)


def test_a_newer_release_s_database_is_left_alone(database_url: str) -> None:
    """An old release that starts late says so, and changes nothing."""
    engine = create_database_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = _tables(database_url)
    with pytest.raises(SchemaIncompatible, match="9999"):
        migrate.upgrade(database_url)
    assert migrate.current(database_url) == "9999"
    assert _tables(database_url) == before
    engine.dispose()


def test_a_draft_holds_what_a_database_lacks(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A developer's draft is the next number, and running it brings the new column."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate.SCRIPTS, scripts)
    monkeypatch.setattr(migrate, "SCRIPTS", scripts)
    wished = sa.Column("wished_for", sa.Text)
    METADATA.tables["studies"].append_column(wished)
    try:
        path = migrate.draft(sqlite_url, "Keep a wish")
        migrate.upgrade(sqlite_url)
    finally:
        METADATA.tables["studies"]._columns.remove(wished)  # noqa: SLF001
    number = int(schema.HEAD) + 1
    assert path == scripts / "versions" / f"{number:04}_keep_a_wish.py"
    assert migrate.current(sqlite_url) == f"{number:04}"
    engine = create_database_engine(sqlite_url)
    columns = {column["name"] for column in sa.inspect(engine).get_columns("studies")}
    assert "wished_for" in columns
    engine.dispose()


def test_the_release_knows_its_newest_migration() -> None:
    """The check needs no Alembic, so the revision stands in the code; it is the folder's head."""
    assert migrate.head() == schema.HEAD
