"""A national programme: seven million films a year, and what may happen to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.sizing.demand import DAY_S, Demand
from benchmarks.sizing.platform import ALL, Autoscaling, Outage, Platform, Slice
from benchmarks.sizing.simulation import Simulation
from hilum.domain.job import Priority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.sizing.costs import Costs
    from benchmarks.sizing.simulation import Record

FILMS_A_YEAR: Final = 7_000_000
BACKLOG: Final = 200_000
FILMS_PER_GPU: Final = 50.0
"""Films a second of one GPU with all networks: a floor, no measurement, for no GPU was at hand.
It is about what one core of a CPU does."""

CORE_HOUR: Final = 0.04
GPU_HOUR: Final = 1.0
"""Example prices of a core and of a GPU for an hour, in any currency. Put your own in."""

_DECODE_FACTOR: Final = 4.0
_SLOTS: Final = 4
_DAYS: Final = 3
_NODE_LOST_AT: Final = 9.25 * 3600
_NODE_BACK_AFTER: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load on a platform.

    Attributes:
        name: Short.
        demand: Who sends films.
        platform: What reads them.
    """

    name: str
    demand: Demand
    platform: Platform


def scenarios(costs: Costs) -> Sequence[Scenario]:
    """The national load: as it is, with a backlog, with a node lost, and without autoscaling."""
    usual = Demand(FILMS_A_YEAR)
    flood = replace(usual, backlog=BACKLOG)
    platform = national_platform(costs)
    lost = replace(platform, outages=(Outage(_NODE_LOST_AT, _NODE_BACK_AFTER),))
    fixed = replace(platform, slices=tuple(replace(s, autoscaling=None) for s in platform.slices))
    return (
        Scenario("usual days", usual, platform),
        Scenario("a backlog of 200,000", flood, platform),
        Scenario("the backlog, and a GPU node lost", flood, lost),
        Scenario("the backlog without autoscaling", flood, fixed),
    )


def national_platform(costs: Costs) -> Platform:
    """Two GPU nodes, a slice for urgent films alone, and one for everything that grows.

    A pod has one core and four slots, so a film takes four times its CPU time on a busy pod. Films
    are large DICOM files, which cost a multiple of the measured ones to decode.
    """
    film_s = costs.cpu_ms["worker"] * _DECODE_FACTOR * _SLOTS / 1000
    return Platform(
        slices=(
            Slice("stat", (Priority.STAT,), pods=1),
            Slice("all", ALL, pods=2, autoscaling=Autoscaling(most=40)),
        ),
        film_s=film_s,
        film_cv=0.6,
        triton_nodes=2,
        triton_per_second=FILMS_PER_GPU,
    )


def run(scenario: Scenario, seed: int = 1) -> dict[str, Any]:
    """Simulate three working days and sum up."""
    arrivals = list(scenario.demand.arrivals(_DAYS, seed))
    record = Simulation(scenario.platform, seed).run(arrivals, _DAYS * DAY_S)
    return {
        "name": scenario.name,
        "films": len(arrivals),
        "read": sum(map(len, record.turnaround.values())),
        "retries": record.retries,
        "waits_s": {p.value: _cuts(record.waits[p]) for p in Priority if record.waits[p]},
        "turnaround_s": {
            p.value: _cuts(record.turnaround[p]) for p in Priority if record.turnaround[p]
        },
        "most_pods": max(sum(pods.values()) for _, _, pods, _ in record.samples),
        "backlog_gone_after_h": _gone_after(record, scenario.demand),
        "cost": _cost(record),
        "samples": [
            {
                "hour": round(at / 3600, 3),
                "waiting": {p.value: number for p, number in waiting.items()},
                "pods": sum(pods.values()),
                "nodes": nodes,
            }
            for at, waiting, pods, nodes in record.samples[::5]
        ],
    }


def _cuts(seconds: Sequence[float]) -> dict[str, float]:
    cuts = np.percentile(seconds, (50, 95, 99, 100))
    names = ("p50", "p95", "p99", "most")
    return {name: round(float(cut), 2) for name, cut in zip(names, cuts, strict=True)}


def _gone_after(record: Record, demand: Demand) -> float | None:
    if not demand.backlog:
        return None
    waiting = [at for at, queued, _, _ in record.samples if queued[Priority.BATCH]]
    return round((max(waiting) - demand.backlog_at_s) / 3600, 2) if waiting else 0.0


def _cost(record: Record) -> dict[str, float]:
    cores = sum(record.pod_seconds.values()) / 3600
    nodes = record.node_seconds / 3600
    return {
        "worker_core_hours": round(cores, 1),
        "gpu_hours": round(nodes, 1),
        "example_price": round(cores * CORE_HOUR + nodes * GPU_HOUR, 2),
    }
