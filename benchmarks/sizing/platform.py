"""A platform to simulate: worker slices, Triton, autoscaling, and what breaks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hilum.domain.job import Priority

ALL = (Priority.STAT, Priority.ROUTINE, Priority.BATCH)


@dataclass(frozen=True, slots=True)
class Autoscaling:
    """How KEDA and the autoscaler that it feeds behave; the chart's values.

    Attributes:
        most: Most pods.
        jobs_per_pod: Pending and running jobs that one pod is wanted for.
        poll_s: Pause between two decisions of the autoscaler.
        most_growth: Pods may grow by this factor in one step (and by four at least).
        patience_s: How long fewer are wanted before fewer are kept.
        start_s: From the wish for a pod to its first film.
    """

    most: int
    jobs_per_pod: int = 40
    poll_s: float = 15.0
    most_growth: float = 2.0
    patience_s: float = 300.0
    start_s: float = 20.0

    def wanted(self, jobs: int, now: int, least: int) -> int:
        """Pods for this many jobs in hand."""
        wish = min(self.most, max(least, math.ceil(jobs / self.jobs_per_pod)))
        return min(wish, max(math.floor(now * self.most_growth), now + 4))


@dataclass(frozen=True, slots=True)
class Slice:
    """Workers that consume some of the queues, most urgent first.

    Attributes:
        name: Of the Deployment.
        queues: What they take.
        pods: Pods at the start, and the fewest.
        slots: Films at once in one pod.
        autoscaling: None keeps the number.
    """

    name: str
    queues: tuple[Priority, ...]
    pods: int
    slots: int = 4
    autoscaling: Autoscaling | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """A GPU node is lost: its Triton serves nothing, films on it are tried again.

    Attributes:
        at_s: When.
        for_s: Until another one serves.
        nodes: How many.
    """

    at_s: float
    for_s: float
    nodes: int = 1


@dataclass(frozen=True, slots=True)
class Platform:
    """What is simulated.

    Attributes:
        slices: Worker Deployments.
        film_s: Mean time of a film on a worker's slot, inference aside, seconds.
        film_cv: Coefficient of variation of it (log-normal).
        triton_nodes: Nodes that serve inference.
        triton_per_second: Films a second of one node.
        triton_parallel: Requests that one node works on at once.
        retry_s: Pause before a film is tried again whose inference failed.
        outages: What breaks.
    """

    slices: tuple[Slice, ...]
    film_s: float
    film_cv: float
    triton_nodes: int
    triton_per_second: float
    triton_parallel: int = 4
    retry_s: float = 1.0
    outages: tuple[Outage, ...] = field(default=())
