"""What a queue does all day stays a few steps into an index, whatever has ended and whatever waits.

The times, with a million ended jobs, are in docs/performance.md (``benchmarks.deep_queue``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.repositories.kinds import KINDS
from hilum.domain.job import ANALYSIS, Priority
from tests.contract.deep_queue import assert_heads_alone, fill, plan, scans_of_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Engine

SITES = 10


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """20,000 ended jobs and 3,000 that wait."""
    engine = create_database_engine(database_url)
    fill(engine, ended=20_000, waiting=3_000, sites=SITES)
    yield engine
    engine.dispose()


def test_a_claim_reads_the_first_job_of_each_flow(engine: Engine) -> None:
    """One step into the partial index a flow, and one lock."""
    assert_heads_alone(engine, SITES)


@pytest.mark.real
def test_dead_entries_are_vacuumed_long_before_a_fifth_is_dead(postgresql_url: str) -> None:
    """Claims step over those at the head of the partial index."""
    with psycopg.connect(postgresql_url) as connection:
        query = "SELECT reloptions FROM pg_class WHERE oid = 'jobs'::regclass"
        (options,) = connection.execute(query).fetchone() or ([],)
    assert set(options) == {
        "autovacuum_vacuum_scale_factor=0.02",
        "autovacuum_vacuum_threshold=1000",
    }


@pytest.mark.real
def test_reconciliation_reads_what_it_looks_for(postgresql_url: str) -> None:
    """Not what waits: the clock is no reason to look at each job."""
    engine = create_database_engine(postgresql_url)
    fill(engine, ended=20_000, waiting=3_000, sites=SITES)
    work, flows = KINDS[ANALYSIS.kind]
    century = {"of_priority": "batch", "minus_age_s": -3e9, "at_most": 64}
    asked = [
        plan(engine, flows.aged, **century),
        plan(engine, flows.untagged, at_most=500),
        plan(engine, work.expired, at_most=500),
        *(plan(engine, work.claimable, wanted_priority=p, at_most=64) for p in Priority),
    ]
    engine.dispose()
    for found in asked:
        for node in scans_of_jobs(found):
            assert node["Actual Rows"] <= 64, found
            assert node.get("Rows Removed by Filter", 0) == 0, found
