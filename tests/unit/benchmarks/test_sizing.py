"""The capacity model and the simulation of a national load."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.sizing.capacity import Site, size
from benchmarks.sizing.costs import COSTS, Costs
from benchmarks.sizing.demand import DAY_S, Demand
from benchmarks.sizing.platform import ALL, Autoscaling, Outage, Platform, Slice
from benchmarks.sizing.pods import PODS, mebibytes, millicores
from benchmarks.sizing.report import CHECKED, DOCUMENT, FIGURES, load_figures, with_tables
from benchmarks.sizing.scenarios import scenarios
from benchmarks.sizing.simulation import Simulation
from hilum.domain.job import Priority

PLENTY_PER_SECOND = 1e6


def platform(*slices: Slice, film_s: float = 1.0, film_cv: float = 1.0) -> Platform:
    return Platform(
        slices=slices,
        film_s=film_s,
        film_cv=film_cv,
        triton_nodes=1,
        triton_per_second=PLENTY_PER_SECOND,
    )


def poisson(rate: float, films: int, seed: int = 7) -> list[tuple[float, Priority]]:
    moments = np.cumsum(np.random.default_rng(seed).exponential(1 / rate, films))
    return [(float(at), Priority.ROUTINE) for at in moments]


@pytest.mark.parametrize("utilisation", [0.5, 0.8])
def test_one_worker_waits_as_queueing_theory_says(utilisation):
    """The mean wait of an M/G/1 queue is that of Pollaczek and Khinchine."""
    cv = 0.6
    record = Simulation(platform(Slice("all", ALL, pods=1, slots=1), film_cv=cv), seed=3).run(
        poisson(utilisation, 30_000), until_s=130_000
    )
    expected = utilisation / (1 - utilisation) * (1 + cv**2) / 2
    assert np.mean(record.waits[Priority.ROUTINE]) == pytest.approx(expected, rel=0.08)


def test_several_workers_wait_as_erlang_says():
    """The mean wait of an M/M/c queue is Erlang's C; a log-normal of variation 1 comes close."""
    slots, load = 4, 3.2
    record = Simulation(platform(Slice("all", ALL, pods=1, slots=slots)), seed=3).run(
        poisson(load, 30_000), until_s=130_000
    )
    busy = load**slots / math.factorial(slots) * slots / (slots - load)
    waits = busy / (sum(load**k / math.factorial(k) for k in range(slots)) + busy)
    expected = waits / (slots - load)
    assert np.mean(record.waits[Priority.ROUTINE]) == pytest.approx(expected, rel=0.15)


def test_every_film_is_read_once_whatever_is_lost():
    """Films that fail with a lost node are tried again, and each ends once."""
    films = poisson(20, 5_000)
    small = replace(
        platform(Slice("all", ALL, pods=2, slots=4, autoscaling=Autoscaling(most=10)), film_s=0.1),
        triton_nodes=2,
        triton_per_second=15.0,
        outages=(Outage(at_s=60, for_s=120),),
    )
    record = Simulation(small).run(films, until_s=1e5)
    assert len(record.turnaround[Priority.ROUTINE]) == len(films)
    assert len(record.waits[Priority.ROUTINE]) == len(films)
    assert record.retries > 0
    assert min(nodes for *_, nodes in record.samples) == 1
    assert record.samples[-1][-1] == 2


def test_urgent_films_overtake_a_backlog():
    """With one slice for all, an urgent film waits for one slot at most, not for the backlog."""
    backlog = [(0.0, Priority.BATCH)] * 1_000
    urgent = [(100.0 + 50 * n, Priority.STAT) for n in range(10)]
    record = Simulation(platform(Slice("all", ALL, pods=1, slots=2), film_cv=0.3)).run(
        sorted(backlog + urgent), until_s=1e5
    )
    assert max(record.waits[Priority.STAT]) < 5
    assert max(record.waits[Priority.BATCH]) > 100


def test_a_slice_leaves_other_queues_alone():
    """Workers of the urgent slice do not help with routine films."""
    record = Simulation(platform(Slice("stat", (Priority.STAT,), pods=5))).run(
        [(0.0, Priority.ROUTINE), (0.0, Priority.STAT)], until_s=1e4
    )
    assert len(record.waits[Priority.STAT]) == 1
    assert record.waits[Priority.ROUTINE] == []


def test_pods_come_with_work_and_go_without():
    """A queue brings pods up to the most, by the growth that is allowed; quiet takes them away."""
    rules = Autoscaling(most=12, jobs_per_pod=10, poll_s=30, patience_s=60)
    part = Slice("all", ALL, pods=1, slots=1, autoscaling=rules)
    record = Simulation(platform(part)).run([(0.0, Priority.ROUTINE)] * 3_000, until_s=3_600)
    pods = [count["all"] for _, _, count, _ in record.samples]
    assert pods[0] == 1
    assert pods[1] <= 1 + 2 * 4
    assert max(pods) == 12
    assert pods[-1] == 1
    assert len(record.turnaround[Priority.ROUTINE]) == 3_000


def test_a_day_has_its_films_and_its_peak():
    """The arrivals of many days are as many as wanted, most of them in the busiest hour."""
    demand = Demand(films_a_year=250_000, stat_share=0.1)
    films = list(demand.arrivals(days=20, seed=1))
    assert len(films) == pytest.approx(20_000, rel=0.03)
    assert [at for at, _ in films] == sorted(at for at, _ in films)
    urgent = sum(priority is Priority.STAT for _, priority in films)
    assert urgent / len(films) == pytest.approx(0.1, rel=0.1)
    hours = np.histogram([at % DAY_S for at, _ in films], bins=24, range=(0, DAY_S))[0]
    assert hours.max() / 20 / 3600 == pytest.approx(demand.peak_per_second, rel=0.1)


def test_capacity_grows_with_the_load_and_keeps_a_spare_gpu():
    """Twice the films are twice the cores; a GPU more than the load needs stays to be lost."""
    costs = Costs({}, 1, 1e6, 1e6, 1e4, dict.fromkeys(_PROCESSES, 10.0), {}, 1.0)
    site = Site(film_bytes=1e6, films_per_gpu=100)
    one, two = (size(Demand(films), costs, site) for films in (1e6, 2e6))
    assert two.worker_cores == pytest.approx(2 * one.worker_cores)
    assert two.ingress_mbit == pytest.approx(2 * one.ingress_mbit)
    assert size(Demand(1), costs, site).gpus == 2
    assert one.triton_cores is None
    assert size(Demand(1e6), costs, Site(film_bytes=1e6)).triton_cores > 0


_PROCESSES = ("worker", "triton", "gateway", "postgres", "minio", "redis")


def test_the_document_has_the_tables_of_the_committed_figures():
    """docs/sizing.md says what the figures beside the code say."""
    for path in (COSTS, FIGURES, CHECKED, PODS):
        assert path.is_file(), f"{path.name} is missing"
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == with_tables(text, Costs.load(), *load_figures())


def test_the_committed_scenarios_are_those_of_the_code():
    """Somebody who adds a scenario also runs it."""
    figures, _ = load_figures()
    assert [figure["name"] for figure in figures] == [one.name for one in scenarios(Costs.load())]
    assert all(figure["films"] == figure["read"] for figure in figures)


def test_memory_is_read_as_kubernetes_writes_it():
    """A quantity that would be misread is an error, not a wrong row."""
    assert mebibytes("2Gi") == 2048
    assert mebibytes("192Mi") == 192
    with pytest.raises(ValueError, match="1G"):
        mebibytes("1G")


def test_cpu_is_read_as_kubernetes_writes_it():
    """Cores and thousandths are told apart; a fraction that YAML would change is an error."""
    assert millicores("2") == 2000
    assert millicores("250m") == 250
    with pytest.raises(ValueError, match=r"0\.5"):
        millicores("0.5")


def test_requests_cover_what_was_measured():
    """A request holds the peak of memory, the mean of CPU, and the CPU of five films a second."""
    containers = json.loads(PODS.read_text(encoding="utf-8"))["containers"]
    for name, one in containers.items():
        assert one["peak_mib"] <= one["request_mib"], name
        assert one["cpu_mean_m"] <= one["cpu_request_m"], name
    for process, cpu_ms in Costs.load().cpu_ms.items():
        if (name := _CONTAINERS.get(process, process)) in containers:
            assert FILMS_PER_SECOND * cpu_ms <= containers[name]["cpu_request_m"], name


FILMS_PER_SECOND = 5
_CONTAINERS = {"postgres": "postgresql"}
