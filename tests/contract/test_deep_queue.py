"""What a queue does all day stays a few steps into an index, whatever has ended and whatever waits.

The times, with a million ended jobs, are in docs/performance.md (``benchmarks.deep_queue``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.repositories.kinds import KINDS
from hilum.adapters.postgres.tables import WORK_FLOWS
from hilum.domain.job import ANALYSIS, Priority
from tests.contract.deep_queue import assert_heads_alone, fill, plan, scans_of_jobs
from tests.contract.samples import FAR

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


def test_what_waits_in_a_paused_flow_is_not_read(engine: Engine) -> None:
    """Claimable jobs are counted flow by flow, up to the bound, and no job for nothing."""
    with engine.begin() as connection:
        first = WORK_FLOWS.c.flow.in_([f"site-{site}" for site in range(SITES - 1)])
        connection.execute(sa.update(WORK_FLOWS).where(first).values(paused_until=FAR))
    work, _ = KINDS[ANALYSIS.kind]
    query = work.claimable[engine.dialect.name]
    for priority in Priority:
        found = plan(engine, query, wanted_priority=priority.value, at_most=64)
        if engine.dialect.name == "sqlite":
            (step,) = [step for step in found.splitlines() if "jobs" in step]
            assert "ix_jobs_claim (priority=? AND site=?)" in step
            continue
        for node in scans_of_jobs(found):
            assert node["Actual Rows"] * node["Actual Loops"] <= 64, found
            assert node.get("Rows Removed by Filter", 0) == 0, found


@pytest.mark.real
def test_reconciliation_reads_what_it_looks_for(postgresql_url: str) -> None:
    """Not what waits: the clock is no reason to look at each job."""
    engine = create_database_engine(postgresql_url)
    fill(engine, ended=20_000, waiting=3_000, sites=SITES)
    work, flows = KINDS[ANALYSIS.kind]
    claimable = work.claimable["postgresql"]
    century = {"of_priority": "batch", "minus_age_s": -3e9, "at_most": 64}
    asked = [
        plan(engine, flows.aged, **century),
        plan(engine, flows.untagged, at_most=500),
        plan(engine, work.expired, at_most=500),
        *(plan(engine, claimable, wanted_priority=p, at_most=64) for p in Priority),
    ]
    engine.dispose()
    for found in asked:
        for node in scans_of_jobs(found):
            assert node["Actual Rows"] <= 64, found
            assert node.get("Rows Removed by Filter", 0) == 0, found
