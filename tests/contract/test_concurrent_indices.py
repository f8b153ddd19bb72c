"""Indices on a busy table of a real PostgreSQL: writers go on, and a broken build is repaired."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from hilum.adapters.postgres import migrate
from hilum.domain.errors import DatabaseUnavailable
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real

_ACCEPT = (
    "WITH study AS (INSERT INTO studies (id, site, priority, submitted_by, received_at)"
    " VALUES (gen_random_uuid(), 'north', 'routine', 'key-1', now()) RETURNING id),"
    " instance AS (INSERT INTO instances (id, study_id, filename, media_type, size_bytes, sha256,"
    " object_key) SELECT gen_random_uuid(), id, 'a', 'image/png', 1, 'ab', 'films/a' FROM study"
    " RETURNING id, study_id)"
    " INSERT INTO jobs (id, study_id, instance_id, site, filename, state, priority, model_set,"
    " idempotency_key, attempts, losses, timings_ms, created_at, updated_at)"
    " SELECT gen_random_uuid(), study_id, id, 'north', 'a', 'queued', 'routine', 'ms',"
    " gen_random_uuid()::text, 0, 0, '{}', now(), now() FROM instance"
)
_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_jobs_claim')"
_BUILDS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'"
)


@pytest.fixture
def writer(postgresql_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A writer on a database without the index, as after the steps of an upgrade."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("DROP INDEX ix_jobs_claim")
        connection.execute("SET lock_timeout = '1s'")
        yield connection


def valid(connection: psycopg.Connection[Any]) -> bool | None:
    """Whether the index is valid; None where there is none."""
    row = connection.execute(_VALID).fetchone()
    return row[0] if row else None


def test_writers_go_on_while_an_index_is_built(
    postgresql_url: str, writer: psycopg.Connection[Any]
) -> None:
    """The build waits for a transaction that is older, and nobody waits for the build."""
    with psycopg.connect(postgresql_url) as older, ThreadPoolExecutor(1) as pool:
        older.execute(_ACCEPT)
        upgrade = pool.submit(migrate.upgrade, postgresql_url)
        wait_for(lambda: writer.execute(_BUILDS).fetchone() == (1,), "the build waits")
        for _ in range(20):
            writer.execute(_ACCEPT)
        assert not upgrade.done()
        older.commit()
        upgrade.result()
    assert valid(writer) is True


def test_an_upgrade_waits_for_a_build_of_another(
    postgresql_url: str, writer: psycopg.Connection[Any]
) -> None:
    """Two at once do not hold each other up, and the index is built once."""
    with psycopg.connect(postgresql_url) as older, ThreadPoolExecutor(2) as pool:
        older.execute(_ACCEPT)
        first = pool.submit(migrate.upgrade, postgresql_url)
        wait_for(lambda: writer.execute(_BUILDS).fetchone() == (1,), "the build waits")
        second = pool.submit(migrate.upgrade, postgresql_url)
        older.commit()
        first.result()
        second.result()
    assert valid(writer) is True


def test_an_interrupted_build_is_repaired(
    postgresql_url: str, writer: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves an invalid index, and the next upgrade replaces that."""
    with psycopg.connect(postgresql_url) as older:
        older.execute(_ACCEPT)
        monkeypatch.setattr(migrate, "_BUILD_LOCK_TIMEOUT_S", 0.2)
        with pytest.raises(DatabaseUnavailable):
            migrate.upgrade(postgresql_url)
        assert valid(writer) is False
    monkeypatch.undo()
    migrate.upgrade(postgresql_url)
    assert valid(writer) is True
