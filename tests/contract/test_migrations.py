"""Migrations do the same on SQLite and on PostgreSQL, and give what ``tables`` says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hilum.adapters.postgres import migrate, schema
from hilum.adapters.postgres.audit_partitions import PREFIX
from hilum.adapters.postgres.comparison import compared
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.repositories.job_rows import row_of
from hilum.adapters.postgres.tables import METADATA
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.errors import DatabaseUnavailable, SchemaIncompatible
from tests.contract.samples import NOW, a_film, accepted, an_analysis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hilum.domain.job import Job

PROCESSES = 4


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


def _tables(url: str) -> set[str]:
    engine = create_database_engine(url)
    try:
        names = sa.inspect(engine).get_table_names()
        return {name for name in names if not name.startswith(PREFIX)}
    finally:
        engine.dispose()


def test_the_migrated_schema_is_the_one_in_the_code(database_url: str) -> None:
    """What ``alembic check`` asks: a new migration would have nothing to do."""
    engine = create_database_engine(database_url)
    with engine.connect() as connection:
        options = {"compare_server_default": True, "include_object": compared}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_constraints_and_partial_indices_are_those_in_the_code(
    database_url: str, tmp_path: Path
) -> None:
    """The parts that Alembic does not compare: CHECKs, index predicates, deferred references."""
    migrated, fresh = (
        create_database_engine(database_url),
        _made_from_tables(database_url, tmp_path),
    )
    for name in METADATA.tables:
        assert _hidden_parts(migrated, None, name) == _hidden_parts(*fresh, name)
    migrated.dispose()
    fresh[0].dispose()


def _made_from_tables(url: str, folder: Path) -> tuple[sa.Engine, str | None]:
    """A place where the tables were made from the code, without migrations."""
    if url.startswith("sqlite"):
        engine = create_database_engine(f"sqlite:///{folder}/from-tables.db")
        METADATA.create_all(engine)
        return engine, None
    engine = create_database_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA from_tables")
        connection.exec_driver_sql("SET LOCAL search_path = from_tables")
        METADATA.create_all(connection, checkfirst=False)
    return engine, "from_tables"


def _hidden_parts(engine: sa.Engine, place: str | None, table: str) -> object:
    inspector = sa.inspect(engine)
    checks = inspector.get_check_constraints(table, schema=place)
    references = inspector.get_foreign_keys(table, schema=place)
    indices = inspector.get_indexes(table, schema=place)
    return (
        sorted((check["name"], check["sqltext"]) for check in checks),
        sorted((reference["name"], str(reference["options"])) for reference in references),
        sorted(
            (
                index["name"],
                index["column_names"],
                {key: str(value) for key, value in index["dialect_options"].items()},
            )
            for index in indices
        ),
    )


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


def test_an_upgrade_keeps_the_rows(database_url: str) -> None:
    """An upgrade of a database that is in use changes nothing that it holds."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    job = accepted(unit_of_work)
    migrate.upgrade(database_url)
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.jobs.get(job.id) == job
    engine.dispose()


def _accepted_before(engine: sa.Engine) -> Job:
    """A job as a former release accepted it: without the columns that it did not know."""
    film = a_film()
    rows = {
        "studies": {**asdict(film.study), "priority": film.study.priority.value},
        "instances": asdict(film.instance),
        "jobs": row_of(film.job),
    }
    with engine.begin() as connection:
        for name, row in rows.items():
            known = {column["name"] for column in sa.inspect(connection).get_columns(name)}
            values = {column: value for column, value in row.items() if column in known}
            connection.execute(sa.insert(METADATA.tables[name]).values(values))
    return film.job


FIRST_PANELS = [
    {
        "panel": "pneumonia",
        "model": "pneumonia",
        "version": "0.1.0",
        "findings": [
            {
                "label": "covid19",
                "display": "COVID-19",
                "probability": 0.7,
                "operating_point": 0.5,
                "positive": True,
                "abnormal": True,
                "weak": True,
                "code": {"scheme": "SCT", "value": "840539006", "meaning": "COVID-19"},
            }
        ],
    }
]
"""What the release with schema 0001 wrote into ``results.panels``."""


def test_a_result_of_the_first_release_is_read_as_it_was_meant(empty_url: str) -> None:
    """Without gate, boxes and structures; every label had a heatmap then."""
    migrate.upgrade(empty_url, "0001")
    engine = create_database_engine(empty_url)
    unit_of_work = SqlUnitOfWork(engine)
    job = _accepted_before(engine)
    results = sa.Table("results", sa.MetaData(), autoload_with=engine)
    with engine.begin() as connection:
        connection.execute(
            results.insert().values(
                job_id=job.id.hex if engine.dialect.name == "sqlite" else job.id,
                model_set="ms-1",
                panels=FIRST_PANELS,
                rows=10,
                columns=20,
                inverted=False,
                created_at=NOW.replace(tzinfo=None) if engine.dialect.name == "sqlite" else NOW,
            )
        )
    migrate.upgrade(empty_url)
    with unit_of_work.begin(write=False) as transaction:
        analysis = transaction.results.get(job.id)
        assert transaction.results.gate(job.id) is None
    engine.dispose()
    assert analysis is not None
    assert (analysis.gate, analysis.structures) == (None, ())
    (finding,) = analysis.panels[0].findings
    assert (finding.label, finding.heatmap, finding.boxes) == ("covid19", True, ())
    assert finding.code is not None


def test_the_way_back_to_the_first_release_keeps_its_results(database_url: str) -> None:
    """What the gate said is lost, and nothing else."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    analysis = an_analysis(accepted(unit_of_work))
    with unit_of_work.begin() as transaction:
        transaction.results.add(analysis)
    migrate.downgrade(database_url, "0001")
    migrate.upgrade(database_url)
    with unit_of_work.begin(write=False) as transaction:
        back = transaction.results.get(analysis.job_id)
    engine.dispose()
    assert back == replace(analysis, heatmaps=(), gate=None, structures=())


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
