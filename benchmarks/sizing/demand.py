"""Who sends films, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.domain.job import Priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DAY_S: Final = 86_400
WORKING_DAYS: Final = 250
"""Days of a year on which a screening programme takes films."""

# Share of a working day's films by hour: our assumption of a programme whose sites open at eight,
# with a dip at noon and some emergency work at night. Normalised where it is used.
_BY_HOUR: Final = (
    *(1, 1, 1, 1, 1, 2, 4, 20),
    *(80, 110, 115, 105, 70, 85, 105, 100),
    *(80, 45, 20, 10, 6, 4, 2, 1),
)


@dataclass(frozen=True, slots=True)
class Demand:
    """A national programme's films.

    Attributes:
        films_a_year: All of them, on :data:`WORKING_DAYS` days.
        stat_share: Share of films that are urgent; the others are routine.
        backlog: Films of a PACS that are sent as ``batch``.
        backlog_at_s: When the backlog's upload begins, seconds after the first midnight.
        backlog_per_second: How fast it is uploaded.
    """

    films_a_year: float
    stat_share: float = 0.05
    backlog: int = 0
    backlog_at_s: float = 9 * 3600
    backlog_per_second: float = 60.0

    @property
    def films_a_day(self) -> float:
        """Films of a working day."""
        return self.films_a_year / WORKING_DAYS

    @property
    def peak_per_second(self) -> float:
        """Films a second in the busiest hour, the backlog aside."""
        return self.films_a_day * max(_BY_HOUR) / sum(_BY_HOUR) / 3600

    def by_hour(self) -> Mapping[int, float]:
        """Films of each hour of a working day."""
        return {
            hour: self.films_a_day * weight / sum(_BY_HOUR) for hour, weight in enumerate(_BY_HOUR)
        }

    def arrivals(self, days: int, seed: int) -> Iterator[tuple[float, Priority]]:
        """Films of so many working days, in the order of arrival.

        A Poisson process whose rate changes by the hour; the backlog comes evenly spaced.

        Yields:
            Seconds after the first midnight, and priority.
        """
        draw = np.random.default_rng(seed)
        moments = [
            np.sort(draw.uniform(0, 3600, draw.poisson(films))) + day * DAY_S + hour * 3600
            for day in range(days)
            for hour, films in self.by_hour().items()
        ]
        own = np.concatenate(moments)
        urgent = draw.random(own.size) < self.stat_share
        late = self.backlog_at_s + np.arange(self.backlog) / self.backlog_per_second
        at = np.concatenate([own, late])
        rank = np.concatenate([np.where(urgent, 0, 1), np.full(self.backlog, 2)])
        priorities = (Priority.STAT, Priority.ROUTINE, Priority.BATCH)
        for index in np.argsort(at, kind="stable"):
            yield float(at[index]), priorities[int(rank[index])]
