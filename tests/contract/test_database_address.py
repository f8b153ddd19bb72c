"""A real PostgreSQL told by the parameters of its address."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from tests.contract.samples import accepted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

pytestmark = pytest.mark.real

DEFAULTS = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "2min",
    "TimeZone": "UTC",
    "application_name": "hilum",
    "search_path": '"$user", public',
}
OWN = (
    "application_name=mine&connect_timeout=7&keepalives_idle=99"
    "&options=-c%20statement_timeout%3D5000%20-c%20search_path%3Dpublic%20-c%20timezone%3DAsia/Tokyo"
)


@contextmanager
def transaction(url: str, **timeouts: float) -> Iterator[Connection]:
    engine = create_database_engine(url, pool_size=1, **timeouts)  # type: ignore[arg-type]
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def settings(url: str, **timeouts: float) -> dict[str, str]:
    with transaction(url, **timeouts) as connection:
        return {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in DEFAULTS}


def test_a_transaction_has_the_defaults(postgresql_url: str) -> None:
    """Without parameters in the address the timeouts are those of this release."""
    assert settings(postgresql_url) == DEFAULTS


def test_parameters_of_the_address_replace_the_defaults(postgresql_url: str) -> None:
    """Settings in ``options`` and parameters of libpq are those of the address, others stay."""
    assert settings(f"{postgresql_url}?{OWN}") == {
        **DEFAULTS,
        "statement_timeout": "5s",
        "TimeZone": "Asia/Tokyo",
        "application_name": "mine",
        "search_path": "public",
    }
    with transaction(f"{postgresql_url}?{OWN}") as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        given = driver.info.get_parameters()
        assert (given["connect_timeout"], given["keepalives_idle"]) == ("7", "99")
        assert driver.prepare_threshold is None


def test_a_timeout_that_the_caller_needs_replaces_the_address_s(postgresql_url: str) -> None:
    """A migration or a backup has its own, whatever the address says."""
    found = settings(f"{postgresql_url}?{OWN}", statement_timeout_s=0, lock_timeout_s=1.5)
    assert (found["statement_timeout"], found["lock_timeout"]) == ("0", "1500ms")


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_spelling_connects(postgresql_url: str, scheme: str) -> None:
    """A job is written and read, and its times are UTC in any time zone of the server."""
    address = f"{scheme}{postgresql_url.removeprefix('postgresql')}?{OWN}"
    engine = create_database_engine(address)
    unit_of_work = SqlUnitOfWork(engine)
    job = accepted(unit_of_work)
    with unit_of_work.begin(write=False) as reading:
        found = reading.jobs.get(job.id)
    assert found == job
    assert found is not None
    assert found.created_at.utcoffset() == job.created_at.utcoffset()
    engine.dispose()


def test_statements_outside_of_a_transaction_can_be_had(postgresql_url: str) -> None:
    """``AUTOCOMMIT`` begins none, and the connection begins transactions again afterwards."""
    engine = create_database_engine(postgresql_url, pool_size=1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE INDEX CONCURRENTLY ix_alone ON jobs (site)")
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "10s"
    engine.dispose()
