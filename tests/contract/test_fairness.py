"""The bound of fair queueing on every database, with weights that the repository sets."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings

from hilum.adapters.postgres.repositories import work_flows
from hilum.domain.job import JobEvent, Priority
from tests.contract.samples import LEASE, a_film, seconds
from tests.fairness import LATE, histories, worst_gap
from tests.fakes import work_flows as fake_flows

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork

ON_EACH_DATABASE = pytest.mark.parametrize(
    "unit_of_work",
    ["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.real)],
    indirect=True,
)


class RolledBackError(Exception):
    """Ends a transaction that leaves nothing behind."""


@dataclass
class Queue:
    """One priority in one transaction. An item is a job of the same image as all the others."""

    transaction: Transaction

    def __post_init__(self) -> None:
        self.film = a_film()
        self.transaction.submissions.add_instances(self.film.submission, [self.film.instance])

    def arrive(self, site: str, number: int) -> None:
        jobs = [
            replace(self.film.job, id=uuid4(), site=site, idempotency_key=uuid4().hex)
            for _ in range(number)
        ]
        self.transaction.jobs.add_new(self.transaction.work_flows.tagged(jobs))

    def weigh(self, site: str, weight: float) -> None:
        self.transaction.sites.set_weight(site, weight)

    def pause(self, site: str) -> None:
        self.transaction.work_flows.pause(Priority.ROUTINE, site, seconds(3600), "a test")

    def resume(self, site: str) -> None:
        self.transaction.work_flows.resume(Priority.ROUTINE, site)

    def serve(self) -> str | None:
        job = self.transaction.jobs.claim([Priority.ROUTINE], "worker-1", LEASE)
        if job is None:
            return None
        self.transaction.jobs.finish(job, JobEvent.COMPLETE)
        return job.site


def gap(unit_of_work: UnitOfWork, history: list[Any]) -> float:
    """The largest difference between two sites, in units of its bound. Nothing stays."""
    worst = 0.0
    with suppress(RolledBackError), unit_of_work.begin() as transaction:
        worst = worst_gap(Queue(transaction), history)
        raise RolledBackError
    return worst


@ON_EACH_DATABASE
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(history=LATE)
@given(history=histories(most=25))
def test_service_divided_by_weight_stays_within_the_bound(
    unit_of_work: UnitOfWork, history: list[Any]
) -> None:
    """Whatever arrives, is paused, resumed or weighs: at most 1/w1 + 1/w2 between two that wait."""
    assert gap(unit_of_work, history) <= 1 + 1e-9


@ON_EACH_DATABASE
def test_without_virtual_time_the_bound_is_broken(
    unit_of_work: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: an example of the test above fails."""
    for module in (work_flows, fake_flows):
        monkeypatch.setattr(module, "virtual_time", lambda *_: 0.0)
    assert gap(unit_of_work, LATE) > 1.5


@ON_EACH_DATABASE
def test_a_weight_that_no_flow_takes_breaks_the_bound(
    unit_of_work: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: where a site's weight does not reach its flows, an example fails."""
    monkeypatch.setattr(work_flows.WorkFlow, "with_weight", lambda flow, _: flow)
    history = [("arrive", "south", 1), ("weigh", "south", 9.0), ("arrive", "south", 20)]
    assert gap(unit_of_work, [*history, ("arrive", "north", 20), ("serve", 30)]) > 1.5
