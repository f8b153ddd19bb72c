"""The schema that migrations make is the one that ``tables`` says, on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hilum.adapters.postgres.comparison import compared
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.tables import METADATA

if TYPE_CHECKING:
    from pathlib import Path


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
    # Indices that are built concurrently cannot be part of a transaction.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE SCHEMA from_tables")
        connection.exec_driver_sql("SET search_path = from_tables")
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
