"""After a rollback an older release meets a newer schema: it goes on where the schema says so."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from hilum.adapters.postgres import migrate, schema
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.errors import DatabaseUnavailable, SchemaIncompatible
from tests.contract.samples import accepted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEXT = f"{int(schema.HEAD) + 1:04}"

_STEP = '''"""A step of the next release."""

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None
works_from = "{works_from}"


def upgrade():
    op.add_column("studies", sa.Column("of_step_{revision}", sa.Text))


def downgrade():
    op.drop_column("studies", "of_step_{revision}")
'''


def _steps() -> list[Any]:
    """The folder's steps, oldest first."""
    folder = ScriptDirectory(str(migrate.SCRIPTS))
    return sorted(folder.walk_revisions(), key=lambda step: step.revision)


def _upgraded_by_newer(url: str, folder: Path, *works_from: str) -> str:
    """Upgrade with the folder of a newer release, with one more step for each; its revision."""
    scripts = folder / "newer"
    shutil.copytree(migrate.SCRIPTS, scripts)
    before = schema.HEAD
    for oldest in works_from:
        revision = f"{int(before) + 1:04}"
        step = _STEP.format(revision=revision, before=before, works_from=oldest)
        (scripts / "versions" / f"{revision}_newer.py").write_text(step)
        before = revision
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "SCRIPTS", scripts)
        migrate.upgrade(url)
    return before


def _rows(url: str, query: str) -> list[tuple[Any, ...]]:
    engine = create_database_engine(url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql(query)]
    engine.dispose()
    return rows


def test_a_newer_schema_that_says_so_is_worked_with(database_url: str, tmp_path: Path) -> None:
    """The older release's upgrade leaves it alone, its check passes, and its rows go in."""
    newer = _upgraded_by_newer(database_url, tmp_path, schema.HEAD, schema.HEAD)
    migrate.upgrade(database_url)
    assert migrate.check(database_url) == migrate.current(database_url) == newer
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    unit_of_work.check()
    job = accepted(unit_of_work)
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.jobs.get(job.id) == job
    engine.dispose()


@pytest.mark.parametrize("works_from", [(NEXT,), (NEXT, schema.HEAD)])
def test_a_newer_schema_that_is_too_new_is_refused(
    database_url: str, tmp_path: Path, works_from: tuple[str, ...]
) -> None:
    """One step in the way is enough; the text says which releases can work with it."""
    newer = _upgraded_by_newer(database_url, tmp_path, *works_from)
    engine = create_database_engine(database_url)
    asked: tuple[Callable[[], object], ...] = (
        partial(migrate.upgrade, database_url),
        partial(migrate.check, database_url),
        SqlUnitOfWork(engine).check,
    )
    for refused in asked:
        with pytest.raises(SchemaIncompatible, match=f"schema {NEXT} or newer") as caught:
            refused()
        assert newer in caught.value.detail
        assert schema.HEAD in caught.value.detail
        assert caught.value.code == "schema_incompatible"
    engine.dispose()
    assert migrate.current(database_url) == newer


def test_a_newer_schema_without_a_record_is_refused(database_url: str) -> None:
    """A revision that nobody vouches for is not worked with."""
    engine = create_database_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for refused in (partial(migrate.upgrade, database_url), SqlUnitOfWork(engine).check):
        with pytest.raises(SchemaIncompatible, match="install the release that made it"):
            refused()
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS schema_steps")
    engine.dispose()


def test_every_step_is_on_record(database_url: str) -> None:
    """With the oldest release that it lets go on; a way back takes its steps off."""
    said = [(step.revision, step.module.works_from) for step in _steps()]
    query = "SELECT revision, works_from FROM schema_steps ORDER BY revision"
    assert _rows(database_url, query) == said
    before = said[-2][0]
    if before >= "0004":
        migrate.downgrade(database_url, before)
        assert _rows(database_url, query) == said[:-1]
    migrate.upgrade(database_url)
    assert _rows(database_url, query) == said


def test_an_upgrade_mends_the_record(database_url: str) -> None:
    """What somebody took out, and a step whose promise was corrected, is written again."""
    engine = create_database_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM schema_steps WHERE revision = '0004'")
        connection.exec_driver_sql("UPDATE schema_steps SET works_from = '0001'")
    engine.dispose()
    migrate.upgrade(database_url)
    assert _rows(database_url, "SELECT revision, works_from FROM schema_steps ORDER BY 1") == [
        (step.revision, step.module.works_from) for step in _steps()
    ]


def test_a_database_that_is_behind_is_told_to_be_upgraded(database_url: str) -> None:
    """Not that it is incompatible: the help is another."""
    migrate.downgrade(database_url, "0003")
    with pytest.raises(DatabaseUnavailable, match="hilum db upgrade") as caught:
        migrate.check(database_url)
    assert caught.value.code == "database_unavailable"


def test_revisions_are_numbers_of_four_digits() -> None:
    """They are compared as texts; and no step works from a later one than itself."""
    steps = _steps()
    assert [step.revision for step in steps] == [f"{n:04}" for n in range(1, len(steps) + 1)]
    assert [step.revision for step in steps if step.module.works_from > step.revision] == []


def _shape(url: str) -> dict[str, Any]:
    """What an older release may rely on: columns with their types, and what may be absent."""
    engine = create_database_engine(url)
    inspector = sa.inspect(engine)
    shape: dict[Any, Any] = {}
    for table in inspector.get_table_names():
        shape[table] = None
        columns = inspector.get_columns(table)
        shape |= {
            (table, c["name"]): (str(c["type"]), c["nullable"] or c["default"] is not None)
            for c in columns
        }
        checks = inspector.get_check_constraints(table)
        shape |= {(table, "check", c["name"]): c["sqltext"] for c in checks}
    engine.dispose()
    return shape


@pytest.mark.parametrize("step", _steps()[1:], ids=lambda step: step.revision)
def test_a_step_that_lets_older_releases_go_on_only_adds(database_url: str, step: Any) -> None:
    """Nothing they use is gone or tighter, and nothing new must be given by who inserts."""
    works_from = step.module.works_from
    migrate.downgrade(database_url, works_from)
    before = _shape(database_url)
    migrate.upgrade(database_url, step.revision)
    after = _shape(database_url)
    assert {thing: after.get(thing, "gone") for thing in before} == before
    old_tables = {table for table in before if isinstance(table, str)}
    demanding = [
        thing
        for thing, how in after.items()
        if thing not in before and thing[0] in old_tables and (thing[1] == "check" or not how[1])
    ]
    assert demanding == []
