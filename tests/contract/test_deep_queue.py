"""What a queue does all day stays a few steps into an index, whatever has ended and whatever waits.

The times, with a million ended jobs, are in docs/performance.md (``benchmarks.deep_queue``).
"""

from __future__ import annotations

from hilum.adapters.postgres.engine import create_database_engine
from tests.contract.deep_queue import assert_heads_alone, fill

SITES = 10


def test_a_claim_reads_the_first_job_of_each_flow(database_url: str) -> None:
    """20,000 ended jobs and 3,000 that wait: one step into the partial index a flow, one lock."""
    engine = create_database_engine(database_url)
    fill(engine, ended=20_000, waiting=3_000, sites=SITES)
    assert_heads_alone(engine, SITES)
    engine.dispose()
