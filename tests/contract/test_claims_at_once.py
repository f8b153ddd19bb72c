"""Many claimers on a real PostgreSQL: each job once, in order, one row locked by each claim."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.repositories.jobs import JOB_STATEMENTS
from hilum.adapters.postgres.tables import JOBS
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.job import Priority
from tests.contract.samples import LEASE, NOW, a_film, claim, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Engine

    from hilum.domain.job import Job

pytestmark = pytest.mark.real

CLAIMERS = 8
SITES = 10


@pytest.fixture
def engine(postgresql_url: str) -> Iterator[Engine]:
    engine = create_database_engine(postgresql_url, pool_size=CLAIMERS + 2)
    yield engine
    engine.dispose()


def queue_jobs(unit_of_work: SqlUnitOfWork, number: int) -> None:
    """Queue jobs of many sites and of every priority."""
    chance = random.Random(4)  # noqa: S311 - a seed
    films = [
        a_film(
            site=f"site-{chance.randrange(SITES)}",
            priority=chance.choice(list(Priority)),
            created_at=NOW + seconds(place / 1000),
        )
        for place in range(number)
    ]
    with unit_of_work.begin() as transaction:
        transaction.jobs.add_new(transaction.work_flows.tagged([film.job for film in films]))
        for film in films:
            transaction.submissions.add_instances(film.submission, [film.instance])


def test_eight_claimers_take_each_job_once(engine: Engine) -> None:
    """None twice, none left, whoever is faster."""
    unit_of_work = SqlUnitOfWork(engine)
    queue_jobs(unit_of_work, 300)

    def work(claimer: int) -> list[Job]:
        return list(iter(lambda: claim(unit_of_work, f"worker-{claimer}"), None))

    with ThreadPoolExecutor(CLAIMERS) as pool:
        claimed = [job for share in pool.map(work, range(CLAIMERS)) for job in share]
    assert len(claimed) == 300
    assert set(Counter(job.id for job in claimed).values()) == {1}


def test_claims_that_overlap_keep_the_order_but_for_their_number(engine: Engine) -> None:
    """Eight at a time: no priority is overtaken while its jobs are unlocked, tags by eight."""
    unit_of_work = SqlUnitOfWork(engine)
    queue_jobs(unit_of_work, 300)
    claimed: list[Job] = []
    while True:
        with ExitStack() as open_claims:
            some = [
                open_claims.enter_context(unit_of_work.begin()).jobs.claim(
                    list(Priority), f"worker-{claimer}", LEASE
                )
                for claimer in range(CLAIMERS)
            ]
        claimed += [job for job in some if job is not None]
        if None in some:
            break
    assert len(claimed) == 300
    urgency = [list(Priority).index(job.priority) for job in claimed]
    assert urgency == sorted(urgency)
    for priority in Priority:
        tags = [job.fair_tag for job in claimed if job.priority is priority]
        assert max(max(tags[: place + 1]) - tag for place, tag in enumerate(tags)) <= CLAIMERS


def test_a_claim_locks_one_row_and_others_pass_it_over(engine: Engine) -> None:
    """While a claim is not committed, every other queued job can be locked, and none waits."""
    unit_of_work = SqlUnitOfWork(engine)
    queue_jobs(unit_of_work, 30)
    free = sa.select(JOBS.c.id).where(JOBS.c.state == "queued").with_for_update(skip_locked=True)
    with unit_of_work.begin() as holder:
        first = holder.jobs.claim(list(Priority), "worker-1", LEASE)
        with engine.begin() as beside:
            assert len(beside.execute(free).all()) == 29
        second = claim(unit_of_work, "worker-2")
    assert first is not None
    assert second is not None
    assert first.id != second.id


def test_a_flow_whose_jobs_are_all_locked_is_passed_over(engine: Engine) -> None:
    """Its only job is being claimed, so the next site's job is taken."""
    unit_of_work = SqlUnitOfWork(engine)
    films = [a_film(site="north"), a_film(site="south", created_at=NOW + seconds(1))]
    with unit_of_work.begin() as transaction:
        transaction.jobs.add_new(transaction.work_flows.tagged([film.job for film in films]))
        for film in films:
            transaction.submissions.add_instances(film.submission, [film.instance])
    with unit_of_work.begin() as holder:
        first = holder.jobs.claim(list(Priority), "worker-1", LEASE)
        second = claim(unit_of_work, "worker-2")
        third = claim(unit_of_work, "worker-3")
    assert first is not None
    assert second is not None
    assert {first.site, second.site} == {"north", "south"}
    assert third is None


def test_the_plan_of_a_claim_reads_no_job_but_heads(engine: Engine) -> None:
    """Behind years of ended jobs and a deep queue, jobs are found by the partial index alone."""
    unit_of_work = SqlUnitOfWork(engine)
    queue_jobs(unit_of_work, 1500)
    with engine.begin() as connection:
        connection.execute(
            sa.update(JOBS).where(JOBS.c.created_at < NOW + seconds(1)).values(state="completed")
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE jobs")
        connection.exec_driver_sql("ANALYZE work_flows")
    statement = JOB_STATEMENTS.claim["postgresql"]._statement  # noqa: SLF001 - as it is run
    values = {f"served_{priority.value}": priority.value for priority in Priority}
    with engine.begin() as connection:
        compiled = statement.compile(engine, compile_kwargs={"literal_binds": False})
        parameters = {**compiled.params, **values, "owner": "worker-1", "lease_s": 15.0}
        bound = [parameters[name] for name in compiled.positiontup or ()]
        plan = "\n".join(
            row[0]
            for row in connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {compiled}", tuple(bound))
        )
    assert "Seq Scan on jobs" not in plan, plan
    assert plan.count("ix_jobs_claim") >= 2, plan
    assert "LockRows" in plan, plan
