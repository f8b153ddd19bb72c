"""What containers used over a time, out of counters that were read again and again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.cluster.counters import Counters

WINDOW_S = 5.0
"""A peak of the CPU is a mean over at least so long, or over a shorter life spread over it."""
_MIB = 2**20


@dataclass(slots=True)
class _Container:
    """One container, from its first reading to its last.

    Attributes:
        name: In its pod; containers that follow one another share it.
        spent: Moment and CPU seconds of each reading.
        periods: Of the first and of the last reading.
        throttled: Likewise.
        peak: Largest working set, bytes.
    """

    name: str
    spent: list[tuple[float, float]]
    periods: tuple[int, int]
    throttled: tuple[int, int]
    peak: int = 0

    def keep(self, at: float, now: Counters) -> None:
        self.spent.append((at, now.cpu_seconds))
        self.periods = (self.periods[0], now.periods)
        self.throttled = (self.throttled[0], now.throttled)
        self.peak = max(self.peak, now.working_set)

    @property
    def cpu_seconds(self) -> float:
        return self.spent[-1][1] - self.spent[0][1]


@dataclass(slots=True)
class Account:
    """Adds up, container for container.

    One that is there at the first reading counts from then on; a later one counts whole, from its
    start. What a container spends after its last reading is lost, so read often.
    """

    _moments: list[float] = field(default_factory=list)
    _containers: dict[str, _Container] = field(default_factory=dict)

    def keep(self, at: float, read: Mapping[str, Counters]) -> None:
        """Takes a reading.

        Args:
            at: Its moment, in seconds of any clock.
            read: Id -> counters of every container that runs.
        """
        for identifier, now in read.items():
            if identifier not in self._containers:
                self._containers[identifier] = self._opened(at, now)
            self._containers[identifier].keep(at, now)
        self._moments.append(at)

    @property
    def lasted(self) -> float:
        """Seconds from the first reading to the last."""
        return self._moments[-1] - self._moments[0]

    def table(self) -> dict[str, dict[str, Any]]:
        """Container's name -> what all that bore it used.

        The CPU is that of all of them; the peaks (memory in MiB, cores over ``WINDOW_S``) are the
        highest of any one, since a request is one container's. ``throttled_percent`` is of the
        scheduler's periods in which one with a CPU limit ran.
        """
        named: dict[str, list[_Container]] = defaultdict(list)
        for container in self._containers.values():
            named[container.name].append(container)
        return {name: self._row(containers) for name, containers in sorted(named.items())}

    def _opened(self, at: float, now: Counters) -> _Container:
        if not self._moments:
            held = (now.periods, now.periods), (now.throttled, now.throttled)
            return _Container(now.container, [(at, now.cpu_seconds)], *held)
        return _Container(now.container, [(self._moments[-1], 0.0)], (0, 0), (0, 0))

    def _row(self, containers: Sequence[_Container]) -> dict[str, Any]:
        spent = sum(one.cpu_seconds for one in containers)
        periods = sum(one.periods[1] - one.periods[0] for one in containers)
        throttled = sum(one.throttled[1] - one.throttled[0] for one in containers)
        return {
            "containers": len(containers),
            "peak_mib": round(max(one.peak for one in containers) / _MIB),
            "cpu_seconds": round(spent, 2),
            "mean_cores": round(spent / self.lasted, 4),
            "peak_cores": round(max(peak_cores(one.spent) for one in containers), 3),
            "throttled_percent": round(100 * throttled / periods, 1) if periods else 0.0,
        }


def peak_cores(spent: Sequence[tuple[float, float]]) -> float:
    """The most cores over ``WINDOW_S``.

    Args:
        spent: Moment and CPU seconds until then, the earliest first.
    """
    highest, first = 0.0, 0
    for last, (at, seconds) in enumerate(spent):
        # The shortest span that is no shorter than the window.
        while first < last and at - spent[first + 1][0] >= WINDOW_S:
            first += 1
        span = max(at - spent[first][0], WINDOW_S)
        highest = max(highest, (seconds - spent[first][1]) / span)
    return highest
