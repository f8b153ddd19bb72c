"""Every event in every state, on every database: what the table has happens, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.repositories.deliveries import SqlDeliveryRepository
from hilum.adapters.postgres.repositories.jobs import SqlJobRepository
from hilum.adapters.postgres.repositories.operations import SqlOperationRepository
from hilum.adapters.postgres.repositories.work_flows import (
    FlowStatements,
    SqlWorkFlowRepository,
)
from hilum.domain.delivery import DELIVERY, Delivery
from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.job import ANALYSIS
from hilum.domain.operation import OPERATION, Operation
from hilum.domain.work import AttemptOutcome, LifeCycle, Priority, Reason, WorkEvent
from tests.contract.samples import LEASE, NOW, a_film
from tests.fakes.unit_of_work import InMemoryUnitOfWork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from hilum.application.ports.unit_of_work import UnitOfWork

WHY = Reason("why", "because")
LIVES: dict[str, LifeCycle[Any]] = {life.kind: life for life in (ANALYSIS, DELIVERY, OPERATION)}
# An item in the state `received` is never stored: it is queued in the transaction that accepts it.
CASES = [
    (kind, state, event)
    for kind, life in LIVES.items()
    for state in type(life.source(WorkEvent.CLAIM))
    if state.value != "received"
    for event in WorkEvent
]


def an_item(kind: str, state: Any) -> Any:
    """An item that is in a state, and that a worker holds where it runs."""
    fields: dict[str, Any] = {
        "id": uuid4(),
        "site": "north",
        "state": state,
        "priority": Priority.ROUTINE,
        "created_at": NOW,
        "updated_at": NOW,
    }
    if state.value == "running":
        fields |= {"lease_owner": "w1", "lease_expires_at": NOW, "started_at": NOW, "attempts": 1}
    if kind == DELIVERY.kind:
        return Delivery(**fields, destination_id="north/pacs", job_id=uuid4(), queued_at=NOW)
    if kind == OPERATION.kind:
        return Operation(**fields, does="count", principal="user:u", purpose="a test")
    return a_film(**fields).job


def happen(work: Any, item: Any, event: WorkEvent) -> Any:
    """Let an event happen to an item, by the method that brings it about."""
    if event is WorkEvent.CLAIM:
        claimed = work.claim(list(Priority), "w2", LEASE)
        return item.life.after(item.state, event) and claimed
    if event is WorkEvent.RELEASE:
        return work.release(item, AttemptOutcome.FAILED, reason=WHY)
    if event in {WorkEvent.COMPLETE, WorkEvent.REJECT, WorkEvent.DELIVER, WorkEvent.PARK}:
        return work.finish(item, event, reason=WHY)
    return work.change(item, event, WHY)


class Held:
    """A repository of a kind in a transaction that is rolled back, and what is stored in it."""

    def __init__(self, work: Any, flows: Any) -> None:
        self.work = work
        self.flows = flows

    def store(self, item: Any) -> None:
        self.work.add([item])
        # Makes the flow, and takes no item's tag.
        self.flows.resume(item.priority, item.flow)


@pytest.fixture
def in_database(database_url: str) -> Iterator[Connection]:
    engine = create_database_engine(database_url)
    with engine.connect() as connection:
        # Of a job alone the instance and the study do not matter here.
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        yield connection
        connection.rollback()
    engine.dispose()


def _held(connection: Connection, kind: str) -> Held:
    work: Any = {
        ANALYSIS.kind: lambda: SqlJobRepository(connection),
        OPERATION.kind: lambda: SqlOperationRepository(connection),
        DELIVERY.kind: lambda: SqlDeliveryRepository(connection),
    }[kind]()
    table = work._statements.work  # noqa: SLF001 - as it is run
    return Held(work, SqlWorkFlowRepository(connection, FlowStatements(table)))


def _check(held: Held, kind: str, state: Any, event: WorkEvent) -> None:
    item = an_item(kind, state)
    held.store(item)
    life = LIVES[kind]
    if (state, event) in life.transitions:
        changed = happen(held.work, item, event)
        assert changed is not None
        assert changed.id == item.id
        assert changed.state is life.transitions[state, event]
        assert held.work.get(item.id) == changed
        return
    with pytest.raises(TransitionNotAllowed):
        happen(held.work, item, event)
    assert held.work.get(item.id) == item
    # Nor for somebody who saw it in a state that the table has.
    for source in life.sources(event):
        seen = replace(item, state=source, lease_owner="w1", started_at=NOW)
        if event not in {WorkEvent.CLAIM, WorkEvent.ENQUEUE}:
            assert happen(held.work, seen, event) is None
    assert held.work.get(item.id) == item


@pytest.mark.parametrize("kind", LIVES)
def test_what_is_in_the_table_happens_and_nothing_else(in_database: Connection, kind: str) -> None:
    """For every state and event: the state after it, or an error and an unchanged row."""
    for of, state, event in CASES:
        if of == kind:
            point = in_database.begin_nested()
            _check(_held(in_database, kind), kind, state, event)
            point.rollback()


@pytest.mark.parametrize("kind", LIVES)
def test_the_fakes_have_the_same_table(kind: str) -> None:
    """What tests of use cases run on promises the same."""
    for of, state, event in CASES:
        if of == kind:
            with InMemoryUnitOfWork().begin() as transaction:
                held = Held(transaction.work(kind), transaction.flows(kind))
                _check(held, kind, state, event)
                transaction.jobs._rows.jobs.clear()  # noqa: SLF001 - they have no instances


def test_every_pair_is_tried() -> None:
    """Six states a job, a delivery and an operation have besides the first, times the events."""
    assert len(CASES) == 3 * 6 * len(WorkEvent)
    assert sum((state, event) in LIVES[kind].transitions for kind, state, event in CASES) == 27


def test_an_event_leads_to_one_state() -> None:
    """Whatever the state before."""
    for life in LIVES.values():
        for event in WorkEvent:
            after = {life.after(state, event) for state in life.sources(event)}
            assert len(after) <= 1


def test_a_second_kind_keeps_its_own_flows(unit_of_work: UnitOfWork) -> None:
    """A pause of a site's operations stops no job of it, and the other way round."""
    operation = an_item(OPERATION.kind, OPERATION.source(WorkEvent.CLAIM))
    with unit_of_work.begin() as transaction:
        transaction.operations.add(transaction.flows(OPERATION.kind).tagged([operation]))
        transaction.work_flows.pause(Priority.ROUTINE, "north", LEASE, "a test")
        assert transaction.operations.claimable(Priority.ROUTINE, 9) == 1
        transaction.flows(OPERATION.kind).pause(Priority.ROUTINE, "north", LEASE, "a test")
        assert transaction.operations.claimable(Priority.ROUTINE, 9) == 0
        assert transaction.operations.claim(list(Priority), "w1", LEASE) is None
        transaction.flows(OPERATION.kind).resume(Priority.ROUTINE, "north")
        claimed = transaction.operations.claim(list(Priority), "w1", LEASE)
    assert claimed is not None
    assert claimed.id == operation.id
