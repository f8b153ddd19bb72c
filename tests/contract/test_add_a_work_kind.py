"""The guide that adds a kind of work, followed to the letter: its code is what runs here."""

from __future__ import annotations

import random
import re
import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from hilum.adapters.clock.clock import SystemClock
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.repositories.kinds import KINDS
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.application.operations.kinds import OPERATIONS
from hilum.application.operations.manage_operations import ManageOperations, WantedOperation
from hilum.application.operations.run_operation import RunOperation
from hilum.application.queue.dependencies import Dependencies
from hilum.application.queue.handler import Kind
from hilum.application.queue.leases import KeepLeases
from hilum.application.queue.messages import OTHER_QUEUES, queue_of
from hilum.application.queue.run_next import RunNext
from hilum.domain.attempt import Worker
from hilum.domain.operation import OPERATION, OperationState
from hilum.domain.principal import local_command
from hilum.domain.retry_policy import RetryPolicy
from hilum.domain.work import AttemptOutcome, Priority
from hilum_stack.paths import ROOT
from tests.contract.samples import NOW
from tests.fakes.task_queue import RecordingTaskQueue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hilum.application.ports.unit_of_work import UnitOfWork

GUIDE = ROOT / "docs" / "developers" / "add-a-work-kind.md"
BLOCK = re.compile(r"^( *)```python\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def followed() -> Iterator[dict[str, Any]]:
    """What the code of the guide defines, run from the top to the end."""
    names: dict[str, Any] = {"__name__": "guide"}
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    assert len(blocks) == 6
    for _, code in blocks:
        page = compile(textwrap.dedent(code), GUIDE.name, "exec", dont_inherit=True)
        exec(page, names)  # noqa: S102 - our own page
    yield names
    for registry in (OPERATIONS, KINDS, OTHER_QUEUES):
        del registry["noop"]  # type: ignore[attr-defined]


@pytest.fixture
def unit_of_work(database_url: str, followed: Mapping[str, Any]) -> Iterator[UnitOfWork]:
    """A database with the table of the guide."""
    engine = create_database_engine(database_url)
    followed["NOOPS"].create(engine)
    yield SqlUnitOfWork(engine)
    engine.dispose()


def a_worker(unit_of_work: UnitOfWork, kinds: Mapping[str, Kind]) -> RunNext:
    return RunNext(
        unit_of_work=unit_of_work,
        kinds=kinds,
        leases=KeepLeases(
            unit_of_work=unit_of_work,
            clock=SystemClock(),
            worker=Worker(name="w1", host="h", release="1.2.3", queues=(), slots=1),
            lease=timedelta(seconds=15),
            max_run=timedelta(seconds=60),
        ),
        dependencies=Dependencies({}, unit_of_work=unit_of_work, slots=1),
        chance=random.Random(1),  # noqa: S311 - a seed
    )


def test_a_kind_without_a_table_runs_in_chunks(
    unit_of_work: UnitOfWork, followed: Mapping[str, Any]
) -> None:
    """One class and one registration: it is started, makes progress, and ends."""
    assert isinstance(OPERATIONS["noop"], followed["Noop"])
    manage = ManageOperations(
        unit_of_work=unit_of_work,
        queue=RecordingTaskQueue(),
        kinds=OPERATIONS,
    )
    me = local_command("me")
    wanted = WantedOperation("noop", "a test", arguments={"items": "250"})
    operation = manage.start(wanted, me, "request")
    handler = RunOperation(unit_of_work=unit_of_work, kinds=OPERATIONS)
    worker = a_worker(unit_of_work, {OPERATION.kind: Kind(handler, RetryPolicy())})
    done = []
    while worker([], lambda *_: None):
        done.append(manage.get(operation.id, me).done)
    assert done == [100, 200, 250]
    assert manage.get(operation.id, me).state is OperationState.COMPLETED


def test_a_kind_with_a_table_is_claimed_run_and_finished(
    unit_of_work: UnitOfWork, followed: Mapping[str, Any]
) -> None:
    """One table, one handler, one registration: the queue does the rest."""
    states = followed["NoopState"]
    item = followed["NoopItem"](
        id=uuid4(),
        site="north",
        state=states.QUEUED,
        priority=Priority.ROUTINE,
        created_at=NOW,
        updated_at=NOW,
    )
    with unit_of_work.begin() as transaction:
        transaction.work("noop").add(transaction.flows("noop").tagged([item]))
    assert queue_of("noop", item.priority) == "hilum.noop"
    told: list[Any] = []
    worker = a_worker(unit_of_work, followed["kinds"])
    assert worker([], lambda _, left: told.append(left))
    assert not worker([], lambda *_: None)
    assert [left.state for left in told] == [states.COMPLETED]
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.work("noop").get(item.id) == told[0]
        (attempt,) = transaction.attempts.of("noop", item.id)
        event = transaction.audit.records()[-1].event
    assert attempt.outcome is AttemptOutcome.DONE
    assert {"nothing", "total", "wait"} == set(attempt.timings_ms)
    assert (event.action, event.object_id) == ("noop.completed", str(item.id))
