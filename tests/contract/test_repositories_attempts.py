"""What attempts and workers promise on every database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from hilum.domain.attempt import Attempt, Worker
from hilum.domain.work import AttemptOutcome
from tests.contract.samples import NOW, seconds

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork

ATTEMPT = Attempt(
    work_id=UUID(int=1),
    kind="analysis",
    owner="w1",
    release="0.3.0",
    server_id="triton-a",
    started_at=NOW,
    outcome=AttemptOutcome.FAILED,
    code="inference_unavailable",
    timings_ms={"infer": 1.5},
    trace_id="0af7651916cd43dd8448eb211c80319c",
)
WORKER = Worker(
    name="w1",
    host="h",
    release="0.3.0",
    queues=("hilum.analysis.stat", "hilum.operations"),
    slots=4,
    busy=3,
    last_claim_at=NOW,
    clock_offset_ms=-0.25,
    breakers={"inference": "open"},
    draining=True,
)


def test_attempts_are_numbered_in_the_order_of_their_ends(unit_of_work: UnitOfWork) -> None:
    """From 1 on for each item and kind. Every field comes back."""
    item, other = uuid4(), uuid4()
    first = replace(ATTEMPT, work_id=item)
    second = Attempt(
        work_id=item,
        kind="analysis",
        owner="w2",
        release="0.3.0",
        started_at=NOW + seconds(5),
        outcome=AttemptOutcome.DONE,
    )
    for attempt in (first, second, replace(second, work_id=other), replace(first, kind="delivery")):
        with unit_of_work.begin() as transaction:
            transaction.attempts.add(attempt)
    with unit_of_work.begin(write=False) as transaction:
        found = transaction.attempts.of("analysis", item)
        assert [one.number for one in transaction.attempts.of("analysis", other)] == [1]
        assert [one.number for one in transaction.attempts.of("delivery", item)] == [1]
    assert all(one.ended_at is not None for one in found)
    assert [replace(one, ended_at=None) for one in found] == [
        replace(first, number=1),
        replace(second, number=2),
    ]


def test_old_attempts_are_removed_in_steps(unit_of_work: UnitOfWork) -> None:
    """Each step looks at some and says where the next one begins. What is young stays."""
    items = sorted(uuid4() for _ in range(5))
    twice = items[1]
    with unit_of_work.begin() as transaction:
        for item in (*items, twice):
            transaction.attempts.add(replace(ATTEMPT, work_id=item))

    def left() -> list[int]:
        with unit_of_work.begin(write=False) as transaction:
            return [len(transaction.attempts.of("analysis", item)) for item in items]

    with unit_of_work.begin() as transaction:
        assert transaction.attempts.remove_old(seconds(3600), None, 9) is None
    assert left() == [1, 2, 1, 1, 1]
    place = None
    for remaining in ([0, 0, 1, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]):
        with unit_of_work.begin() as transaction:
            place = transaction.attempts.remove_old(seconds(-3600), place, 2)
        assert left() == remaining
    assert place is None


def test_a_beat_replaces_what_a_worker_said_before(unit_of_work: UnitOfWork) -> None:
    """Each worker has one row, with the moment of the beat by the database's clock."""
    with unit_of_work.begin() as transaction:
        transaction.workers.beat(WORKER)
        transaction.workers.beat(replace(WORKER, name="w0"))
    with unit_of_work.begin() as transaction:
        moment = transaction.workers.beat(replace(WORKER, busy=0, breakers={}))
    with unit_of_work.begin(write=False) as transaction:
        workers = transaction.workers.all()
    assert [worker.name for worker in workers] == ["w0", "w1"]
    assert workers[1] == replace(WORKER, busy=0, breakers={}, last_beat_at=moment)


def test_a_silent_worker_is_forgotten(unit_of_work: UnitOfWork) -> None:
    """And not one that has just beaten."""
    with unit_of_work.begin() as transaction:
        transaction.workers.beat(WORKER)
    with unit_of_work.begin() as transaction:
        assert transaction.workers.forget(seconds(3600)) == 0
        assert transaction.workers.forget(seconds(-3600)) == 1
        assert transaction.workers.all() == []
