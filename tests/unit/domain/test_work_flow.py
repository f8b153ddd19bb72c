"""Fair order between flows: the bound of start-time fair queueing, over any history."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings

from hilum.domain.job import Priority
from hilum.domain.work_flow import WorkFlow, virtual_time
from tests.fairness import LATE, SITES, histories, worst_gap

PAUSED = object()


class Queue:
    """One priority of one kind of work, with a single slot."""

    def __init__(self, *, with_virtual_time: bool = True) -> None:
        self.flows = {site: WorkFlow("analysis", Priority.ROUTINE, site) for site in SITES}
        self.waiting: dict[str, list[float]] = {site: [] for site in SITES}
        self.with_virtual_time = with_virtual_time

    @property
    def backlogged(self) -> set[str]:
        """Flows that wait and are not paused."""
        return {
            site
            for site, tags in self.waiting.items()
            if tags and self.flows[site].paused_until is None
        }

    def now(self) -> float:
        """The virtual time."""
        if not self.with_virtual_time:
            return 0.0
        return virtual_time(
            [self.waiting[s][0] + self.flows[s].tag_offset for s in self.backlogged],
            [flow.last_tag + flow.tag_offset for flow in self.flows.values()],
        )

    def arrive(self, site: str, number: int) -> None:
        """Queue items of a site."""
        tags, self.flows[site] = self.flows[site].enqueue(number, self.now())
        self.waiting[site] += tags

    def weigh(self, site: str, weight: float) -> None:
        """Set the weight of a site."""
        self.flows[site] = self.flows[site].with_weight(weight)

    def pause(self, site: str) -> None:
        """Stop a site."""
        self.flows[site] = replace(self.flows[site], paused_until=PAUSED)

    def resume(self, site: str) -> None:
        """Let a site go on."""
        if self.flows[site].paused_until is not None:
            first = self.waiting[site][0] if self.waiting[site] else None
            self.flows[site] = self.flows[site].resume(first, self.now())

    def serve(self) -> str | None:
        """Run the item that is next; its site."""
        if not self.backlogged:
            return None
        site = min(
            self.backlogged, key=lambda s: (self.waiting[s][0] + self.flows[s].tag_offset, s)
        )
        self.waiting[site].pop(0)
        return site


@settings(max_examples=200)
@given(histories(most=120))
def test_service_divided_by_weight_stays_within_the_bound(history):
    """Whatever arrives, is paused, resumed or weighs: at most 1/w1 + 1/w2 between two that wait."""
    assert worst_gap(Queue(), history) <= 1 + 1e-9


def test_without_virtual_time_the_bound_is_broken():
    """Control: a site that was idle then runs before all that others have waiting."""
    assert worst_gap(Queue(with_virtual_time=False), LATE) > 1
    assert worst_gap(Queue(), LATE) <= 1 + 1e-9


def test_tags_that_begin_anew_under_another_weight_break_the_bound(monkeypatch):
    """Control: the last tag is a time, so that a change of the weight does not scale it."""

    def scaled(flow: WorkFlow, weight: float) -> WorkFlow:
        return replace(flow, weight=weight, last_tag=flow.last_tag * flow.weight / weight)

    history = [("arrive", "north", 40), ("arrive", "south", 10), ("serve", 10)]
    history += [("weigh", "south", 0.1), ("arrive", "south", 10), ("serve", 40)]
    assert worst_gap(Queue(), history) <= 1 + 1e-9
    monkeypatch.setattr(WorkFlow, "with_weight", scaled)
    assert worst_gap(Queue(), history) > 1


def test_five_items_behind_a_hundred_and_fifty_are_every_second_one():
    """A small site does not wait for a large one."""
    queue = Queue()
    queue.arrive("north", 150)
    queue.arrive("south", 5)
    served = [queue.serve() for _ in range(12)]
    places = [place for place, site in enumerate(served) if site == "south"]
    assert len(places) == 5
    assert {later - earlier for earlier, later in pairwise(places)} == {2}


@pytest.mark.parametrize("weight", [0.5, 1.0, 3.0])
def test_tags_of_one_flow_rise_by_the_inverse_of_its_weight(weight):
    """Each item costs its flow 1 / weight."""
    flow = WorkFlow("analysis", Priority.STAT, "north", weight=weight, last_tag=4.0)
    tags, after = flow.enqueue(3, virtual_time=10.0)
    assert tags == [10 + place / weight for place in (1, 2, 3)]
    assert after.last_tag == tags[-1]
    assert flow.enqueue(0, virtual_time=10.0) == ([], flow)


def test_a_paused_flow_ignores_the_virtual_time_and_gets_no_credit_when_it_resumes():
    """Its items keep their order behind each other, and begin at the present."""
    paused = WorkFlow(
        "analysis", Priority.STAT, "north", last_tag=2.0, paused_until=PAUSED, pause_reason="x"
    )
    tags, after = paused.enqueue(2, virtual_time=50.0)
    assert tags == [3.0, 4.0]
    resumed = after.resume(tags[0], virtual_time=50.0)
    assert (resumed.tag_offset, resumed.paused_until, resumed.pause_reason) == (47.0, None, "")
    assert after.resume(None, virtual_time=50.0).tag_offset == 0
