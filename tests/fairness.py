"""The bound of fair queueing, over any history of a queue that several sites share."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from hypothesis import strategies as st

from hilum.domain.site import LEAST_WEIGHT, MOST_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable

SITES: Final = ("north", "south", "west")
_NUMBERS = st.integers(1, 6)
_EVENTS = st.one_of(
    st.tuples(st.just("arrive"), st.sampled_from(SITES), _NUMBERS),
    st.tuples(st.just("serve"), _NUMBERS),
    st.tuples(st.just("weigh"), st.sampled_from(SITES), st.floats(LEAST_WEIGHT, MOST_WEIGHT)),
    st.tuples(st.sampled_from(["pause", "resume"]), st.sampled_from(SITES)),
)
LATE: Final = [
    ("weigh", "south", 3.0),
    ("arrive", "north", 60),
    ("serve", 40),
    ("arrive", "south", 20),
    ("serve", 20),
]
"""A site that was idle comes when another was served for long."""


def histories(most: int) -> st.SearchStrategy[list[Any]]:
    """Arrivals, services, weights, pauses and resumes in any order, at most so many."""
    return st.lists(_EVENTS, max_size=most)


class Queue(Protocol):
    """What the history happens to. Every weight is 1 at the beginning."""

    def arrive(self, site: str, number: int) -> None: ...
    def weigh(self, site: str, weight: float) -> None: ...
    def pause(self, site: str) -> None: ...
    def resume(self, site: str) -> None: ...
    def serve(self) -> str | None: ...


@dataclass
class _Pair:
    """Two sites that both wait: what was served of each, and the largest item."""

    served: dict[str, float]
    largest: dict[str, float] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """The difference, in units of its bound."""
        one, other = self.served.values()
        return abs(one - other) / sum(self.largest.values())


@dataclass
class _Sites:
    """What waits at each site, each item as 1 / weight of the weight under which it was queued."""

    waiting: dict[str, deque[float]] = field(default_factory=lambda: {s: deque() for s in SITES})
    weights: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SITES, 1.0))
    paused: set[str] = field(default_factory=set)
    pairs: dict[tuple[str, str], _Pair] = field(default_factory=dict)

    @property
    def backlogged(self) -> list[str]:
        return [site for site in SITES if self.waiting[site] and site not in self.paused]

    def happened(self, event: str, *about: Any) -> None:
        """Note an event that serves nobody."""
        site = about[0]
        if event == "arrive":
            self.waiting[site] += [1 / self.weights[site]] * about[1]
        elif event == "weigh":
            self.weights[site] = about[1]
        elif event == "pause":
            self.paused.add(site)
        else:
            self.paused.discard(site)
        self._pair_up()

    def served(self, site: str) -> float:
        """Note a service; the largest gap of a pair that the site belongs to."""
        cost = self.waiting[site].popleft()
        own = [pair for sites, pair in self.pairs.items() if site in sites]
        for pair in own:
            pair.served[site] += cost
        worst = max((pair.gap for pair in own), default=0.0)
        self._pair_up()
        return worst

    def _pair_up(self) -> None:
        """Begin the time of pairs that both wait now, and end that of the others."""
        waits = self.backlogged
        now = [(one, other) for one in waits for other in waits if one < other]
        self.pairs = {p: self.pairs.get(p) or _Pair(dict.fromkeys(p, 0.0)) for p in now}
        for pair in self.pairs.values():
            for site in pair.served:
                largest = pair.largest.get(site, 0.0)
                pair.largest[site] = max(largest, self.waiting[site][0])


def worst_gap(queue: Queue, history: Iterable[Any]) -> float:
    """Largest difference of what was served of two sites over a time in which both wait.

    An item counts as 1 / weight. In units of the bound: the largest item of one and of the other,
    which is ``1 / w1 + 1 / w2`` while no weight changes.
    """
    sites, worst = _Sites(), 0.0
    for event, *about in history:
        if event != "serve":
            getattr(queue, event)(*about)
            sites.happened(event, *about)
            continue
        for _ in range(about[0]):
            site = queue.serve()
            assert (site is None) == (not sites.backlogged), "an idle slot while somebody waits"
            if site is not None:
                worst = max(worst, sites.served(site))
    return worst
