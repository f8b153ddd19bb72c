"""What sites promise on every database: a row with the first use, and one weight for all flows."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from hilum.adapters.postgres import execution
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.job import ANALYSIS
from hilum.domain.operation import OPERATION, Operation, OperationState
from hilum.domain.principal import ALL_SITES
from hilum.domain.site import Site
from hilum.domain.work import Priority
from tests.contract.samples import NOW, a_film

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Job

THREADS = 6


def jobs_of(*sites: str, priority: Priority = Priority.ROUTINE) -> list[Job]:
    """Jobs that are not stored: their flows are what matters."""
    return [a_film(site=site, priority=priority).job for site in sites]


def tagged(unit_of_work: UnitOfWork, jobs: Sequence[Job]) -> list[float]:
    """The tags that jobs get."""
    with unit_of_work.begin() as transaction:
        return sorted(job.fair_tag for job in transaction.work_flows.tagged(jobs))


def sites(unit_of_work: UnitOfWork) -> list[Site]:
    with unit_of_work.begin(write=False) as transaction:
        return list(transaction.sites.all())


def weights(unit_of_work: UnitOfWork) -> dict[str, set[float]]:
    """The weights of the flows of each site, of every kind and priority."""
    found: dict[str, set[float]] = {}
    with unit_of_work.begin(write=False) as transaction:
        for kind in (ANALYSIS.kind, OPERATION.kind):
            for flow in transaction.flows(kind).all():
                found.setdefault(flow.flow, set()).add(flow.weight)
    return found


def an_operation(site: str) -> Operation:
    return Operation(
        id=uuid4(),
        site=site,
        state=OperationState.QUEUED,
        priority=Priority.BATCH,
        created_at=NOW,
        updated_at=NOW,
        does="count",
        principal="system:test",
        purpose="a test",
    )


def test_a_site_has_a_row_from_its_first_flow_on(unit_of_work: UnitOfWork) -> None:
    """Of any kind of work, with the weight 1. An operation at every site names no site."""
    assert sites(unit_of_work) == []
    tagged(unit_of_work, jobs_of("south", "north", "south"))
    with unit_of_work.begin() as transaction:
        transaction.flows(OPERATION.kind).tagged([an_operation("west"), an_operation(ALL_SITES)])
    assert sites(unit_of_work) == [Site("north"), Site("south"), Site("west")]
    assert set().union(*weights(unit_of_work).values()) == {1.0}


def test_a_weight_reaches_flows_that_are_there_and_those_to_come(unit_of_work: UnitOfWork) -> None:
    """Of every kind. What waits keeps its tag, and the next items cost 1 / weight."""
    assert tagged(unit_of_work, jobs_of("north", "north", "south")) == [1, 1, 2]
    with unit_of_work.begin() as transaction:
        transaction.sites.set_weight("north", 4.0)
        transaction.sites.set_weight("west", 0.5)
    assert sites(unit_of_work) == [Site("north", 4.0), Site("south"), Site("west", 0.5)]
    assert tagged(unit_of_work, jobs_of("north", "north")) == [2.25, 2.5]
    assert tagged(unit_of_work, jobs_of("north", priority=Priority.STAT)) == [0.25]
    with unit_of_work.begin() as transaction:
        transaction.flows(OPERATION.kind).tagged([an_operation("north"), an_operation("west")])
    assert weights(unit_of_work) == {"north": {4.0}, "south": {1.0}, "west": {0.5}}


def test_a_weight_that_is_rolled_back_changes_nothing(unit_of_work: UnitOfWork) -> None:
    """Neither the site nor its flows."""
    tagged(unit_of_work, jobs_of("north"))
    with suppress(LookupError), unit_of_work.begin() as transaction:
        transaction.sites.set_weight("north", 4.0)
        raise LookupError
    assert sites(unit_of_work) == [Site("north")]
    assert weights(unit_of_work) == {"north": {1.0}}


def test_a_site_that_is_known_costs_no_statement(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The progress of its flows, its lock and its last tag, as before sites had rows."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    tagged(unit_of_work, jobs_of("north"))
    asked: list[str] = []
    run = execution.run

    def noted(connection: Connection, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return run(connection, sql, values)

    def executed(*about: Any) -> None:
        asked.append(about[2])

    with unit_of_work.begin() as transaction:
        monkeypatch.setattr(execution, "run", noted)
        sa.event.listen(engine, "before_cursor_execute", executed)
        transaction.work_flows.tagged(jobs_of("north", "north"))
        monkeypatch.undo()
    assert [sql.split()[0] for sql in asked] == ["SELECT", "SELECT", "UPDATE"]
    engine.dispose()


@pytest.fixture
def on_postgresql(postgresql_url: str) -> Iterator[UnitOfWork]:
    engine = create_database_engine(postgresql_url, pool_size=THREADS)
    yield SqlUnitOfWork(engine)
    engine.dispose()


@pytest.mark.real
def test_a_flow_that_is_being_made_gets_the_weight_too(on_postgresql: UnitOfWork) -> None:
    """It was made under the former weight, and is committed after the weight was set."""
    tagged(on_postgresql, jobs_of("north", priority=Priority.STAT))

    def set_weight() -> None:
        with on_postgresql.begin() as transaction:
            transaction.sites.set_weight("north", 4.0)

    with ThreadPoolExecutor(1) as pool:
        with on_postgresql.begin() as transaction:
            transaction.work_flows.tagged(jobs_of("north"))
            setting = pool.submit(set_weight)
            assert wait([setting], timeout=0.3).not_done == {setting}
        setting.result()
    assert weights(on_postgresql) == {"north": {4.0}}


@pytest.mark.real
def test_weights_are_set_while_others_submit(on_postgresql: UnitOfWork) -> None:
    """First uses of the same sites at once, in any order: all end, and each flow has its weight."""
    names = [f"site-{number}" for number in range(12)]

    def work(thread: int) -> None:
        chance = random.Random(thread)  # noqa: S311 - a seed
        for _ in range(25):
            if thread == 0:
                with on_postgresql.begin() as transaction:
                    transaction.sites.set_weight(chance.choice(names), chance.uniform(0.1, 100))
                continue
            some = [
                replace(job, priority=chance.choice(list(Priority)))
                for job in jobs_of(*chance.sample(names, 4))
            ]
            tagged(on_postgresql, some)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    told = {site.id: {site.weight} for site in sites(on_postgresql)}
    assert len(told) == len(names)
    assert weights(on_postgresql) == told
