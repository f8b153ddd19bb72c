"""Fair order between flows: the bound of start-time fair queueing, over any history."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilum.domain.job import Priority
from hilum.domain.work_flow import WorkFlow, virtual_time

SITES = ("north", "south", "west")
WEIGHTS = {"north": 1.0, "south": 2.0, "west": 0.5}
PAUSED = object()

arrivals = st.tuples(st.sampled_from(["arrive"]), st.sampled_from(SITES), st.integers(1, 6))
others = st.tuples(st.sampled_from(["serve", "pause", "resume"]), st.sampled_from(SITES))
histories = st.lists(st.one_of(arrivals, others, st.tuples(st.just("serve"))), max_size=120)


class Queue:
    """One priority of one kind of work, with a single slot."""

    def __init__(self, *, with_virtual_time: bool = True) -> None:
        self.flows = {
            site: WorkFlow("analysis", Priority.ROUTINE, site, weight=WEIGHTS[site])
            for site in SITES
        }
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


def worst_gap(queue: Queue, history) -> float:
    """Largest difference of served / weight between two sites over a time in which both wait.

    In units of the bound ``1 / w1 + 1 / w2``.
    """
    worst = 0.0
    since: dict[frozenset[str], Counter[str]] = {}
    for event, *about in history:
        served = None
        if event == "serve":
            served = queue.serve()
        else:
            getattr(queue, event)(*about)
        pairs = {
            frozenset((one, other))
            for one in queue.backlogged | {served}
            for other in queue.backlogged
            if one and one != other
        }
        since = {pair: since.get(pair, Counter()) for pair in pairs}
        for pair, counts in since.items():
            if served in pair:
                counts[served] += 1
            one, other = pair
            gap = abs(counts[one] / WEIGHTS[one] - counts[other] / WEIGHTS[other])
            worst = max(worst, gap / (1 / WEIGHTS[one] + 1 / WEIGHTS[other]))
        # Who was served to the last item waits no more, so that the time of the pair is over.
        since = {pair: counts for pair, counts in since.items() if pair <= queue.backlogged}
    return worst


@settings(max_examples=400)
@given(histories)
def test_service_divided_by_weight_stays_within_the_bound(history):
    """Whatever arrives, is paused and is resumed: at most 1/w1 + 1/w2 between two that wait."""
    assert worst_gap(Queue(), history) <= 1 + 1e-9


def test_without_virtual_time_the_bound_is_broken():
    """Control: a site that was idle then runs before all that others have waiting."""
    history = [("arrive", "north", 60), *[("serve",)] * 40, ("arrive", "south", 20)]
    history += [("serve",)] * 20
    assert worst_gap(Queue(with_virtual_time=False), history) > 1
    assert worst_gap(Queue(), history) <= 1


def test_five_items_behind_a_hundred_and_fifty_are_every_second_one():
    """A small site does not wait for a large one."""
    queue = Queue()
    queue.flows = {site: replace(flow, weight=1.0) for site, flow in queue.flows.items()}
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
