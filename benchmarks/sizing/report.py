"""Tables and plots for ``docs/sizing.md``, from the committed figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.sizing.capacity import Site, size
from benchmarks.sizing.demand import Demand
from benchmarks.sizing.pods import PODS
from benchmarks.sizing.scenarios import FILMS_PER_GPU

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.sizing.costs import Costs

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = ROOT / "docs" / "sizing.md"
PICTURES: Final = ROOT / "docs" / "images"
FIGURES: Final = Path(__file__).with_name("scenarios.json")
CHECKED: Final = Path(__file__).with_name("check.json")

_LARGE: Final = Site(film_bytes=10e6, decode_factor=4.0)
_SHOWN_HOURS: Final = (7, 16)
_COLOURS: Final = {"stat": "#b3261e", "routine": "#1f5f99", "batch": "#7a7a7a"}
_LOADS: Final = (
    ("a hospital", 100_000),
    ("a region", 1_000_000),
    ("a nation", 7_000_000),
)


def write(costs: Costs, figures: Sequence[Mapping[str, Any]], checked: Mapping[str, Any]) -> None:
    """Put the tables between their marks in the document, and draw the pictures."""
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(with_tables(text, costs, figures, checked), encoding="utf-8")
    draw(figures, PICTURES / "national-load.svg")


def with_tables(
    text: str, costs: Costs, figures: Sequence[Mapping[str, Any]], checked: Mapping[str, Any]
) -> str:
    """The document with each table between ``<!-- NAME -->`` and ``<!-- /NAME -->`` anew.

    Raises:
        ValueError: A mark is missing.
    """
    tables = {
        "costs": _costs(costs),
        "capacity": _capacity(costs),
        "pods": _pods(json.loads(PODS.read_text(encoding="utf-8"))),
        "scenarios": _scenarios(figures),
        "check": _check(checked),
    }
    for name, lines in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        head, found, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"docs/sizing.md lacks {begin} or {end}")
        text = f"{head}{begin}\n" + "\n".join(lines) + f"\n{end}{tail}"
    return text


def _costs(costs: Costs) -> list[str]:
    rows = [
        f"| {name} | {costs.cpu_ms[name]:.1f} | {costs.peak_mib[name]:.0f} |"
        for name in sorted(costs.cpu_ms, key=lambda name: -costs.cpu_ms[name])
    ]
    total = sum(costs.cpu_ms.values())
    made = costs.machine
    return [
        (
            f"{costs.films} films of {costs.film_bytes / 1e6:.2f} MB on average, "
            f"{costs.films_per_second:.1f} films a second with everything on "
            f"{made['cores']} cores of an "
            f"{made['processor']}, {made['memory_gib']} GiB, Python {made['python']}."
        ),
        "",
        "| process | CPU ms a film | peak MiB |",
        "| --- | --- | --- |",
        *rows,
        f"| all | {total:.1f} | |",
        "",
        (
            f"A film leaves {costs.stored_bytes / 1e6:.2f} MB in the object store and "
            f"{costs.database_bytes / 1e3:.1f} kB in PostgreSQL."
        ),
    ]


def _capacity(costs: Costs) -> list[str]:
    lines = [
        (
            "| | films a year | peak films/s | worker cores | Triton on CPUs, cores | or GPUs | "
            "gateway cores | PostgreSQL cores | films TB a year | database GB a year | "
            "Mbit/s in, peak |"
        ),
        "| --- " * 11 + "|",
    ]
    for name, films in _LOADS:
        demand = Demand(films)
        on_cpus = size(demand, costs, _LARGE)
        on_gpus = size(demand, costs, replace(_LARGE, films_per_gpu=FILMS_PER_GPU))
        lines.append(
            f"| {name} | {films:,} | {on_cpus.peak_per_second:.2f} | {on_cpus.worker_cores:.2f} | "
            f"{on_cpus.triton_cores:.2f} | {on_gpus.gpus} | {on_cpus.gateway_cores:.2f} | "
            f"{on_cpus.database_cores:.2f} | {on_cpus.films_gb_a_year / 1000:.1f} | "
            f"{on_cpus.database_gb_a_year:.0f} | {on_cpus.ingress_mbit:.0f} |"
        )
    return lines


def _pods(pods: Mapping[str, Any]) -> list[str]:
    rate = pods["films"] / pods["seconds"]
    return [
        (
            f"{pods['films']} films in {pods['seconds']:.0f} s ({rate:.2f} a second) on the real "
            "node of the test cluster (`make cluster-e2e`), while each pod was deleted in turn and "
            "the workers were rolled twice; the kernel's own counters, read twice a second. CPU in "
            "thousandths of a core: the mean of that time with every start in it, and the highest "
            "over 5 s. Held back: of the scheduler's periods, those in which the limit stopped it. "
            "Requests and limits are what the profile asks for, `single-node-cpu`."
        ),
        "",
        (
            "| container | peak MiB | request | limit | CPU mean | CPU peak | request | limit | "
            "held back |"
        ),
        "| --- " * 9 + "|",
        *(
            f"| {name} | {one['peak_mib']} | {one['request_mib']} | {one['limit_mib']} | "
            f"{one['cpu_mean_m']}m | {one['cpu_peak_m']}m | {one['cpu_request_m']}m | "
            f"{one['cpu_limit_m']}m | {one['throttled_percent']:.1f} % |"
            for name, one in pods["containers"].items()
        ),
    ]


def _scenarios(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        (
            "| | stat p50 / p99 / most | routine p50 / p99 / most | batch p50 / most | "
            "backlog gone after | most pods | tried again | worker core-hours | GPU-hours |"
        ),
        "| --- " * 9 + "|",
    ]
    for figure in figures:
        waits = figure["waits_s"]
        batch = waits.get("batch")
        gone = figure["backlog_gone_after_h"]
        cells = (
            figure["name"],
            *(
                " / ".join(_span(waits[name][cut]) for cut in ("p50", "p99", "most"))
                for name in ("stat", "routine")
            ),
            f"{_span(batch['p50'])} / {_span(batch['most'])}" if batch else "",
            f"{gone:.1f} h" if gone is not None else "",
            str(figure["most_pods"]),
            str(figure["retries"]),
            f"{figure['cost']['worker_core_hours']:,.0f}",
            f"{figure['cost']['gpu_hours']:,.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _check(checked: Mapping[str, Any]) -> list[str]:
    lines = [
        (
            f"{checked['films']} films at {checked['load']} times the measured capacity of "
            f"{checked['capacity_films_per_second']} films a second, "
            f"{checked['machine']['cores']} cores of an {checked['machine']['processor']}."
        ),
        "",
        "| wait for a worker, s | mean | p50 | p95 |",
        "| --- | --- | --- | --- |",
    ]
    for priority, both in checked["waits_s"].items():
        for kind, cuts in both.items():
            cells = " | ".join(f"{cuts[cut]:.2f}" for cut in ("mean", "p50", "p95"))
            lines.append(f"| {priority}, {kind} | {cells} |")
    return lines


def _span(seconds: float) -> str:
    if seconds < 0.1:  # noqa: PLR2004 - what a reader calls at once
        return "0 s"
    if seconds < 120:  # noqa: PLR2004 - minutes read better above
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004


def draw(figures: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Queues by priority, and pods, around the backlog; one column a scenario."""
    mpl.rcParams["svg.hashsalt"] = "hilum"  # the same picture for the same figures
    figure = Figure(figsize=(4.2 * len(figures), 5.2), layout="constrained")
    samples = [sample for one in figures for sample in one["samples"]]
    most_waiting = max(max(sample["waiting"].values()) for sample in samples)
    most_pods = max(sample["pods"] for sample in samples)
    axes = figure.subplots(2, len(figures), sharex=True, sharey="row", squeeze=False)
    for column, one in enumerate(figures):
        queue, pods = axes[0][column], axes[1][column]
        hours = [sample["hour"] for sample in one["samples"]]
        for name, colour in _COLOURS.items():
            waiting = [sample["waiting"][name] for sample in one["samples"]]
            queue.plot(hours, waiting, color=colour, label=name)
        queue.set_yscale("symlog", linthresh=10)
        queue.set_ylim(0, 2 * most_waiting)
        # The rest of the three days is as quiet as the morning.
        queue.set_xlim(*_SHOWN_HOURS)
        queue.set_title(one["name"])
        queue.set_ylabel("films that wait")
        queue.legend(loc="upper right")
        pods.step(hours, [sample["pods"] for sample in one["samples"]], color="#3c3c3c")
        pods.set_ylabel("worker pods")
        pods.set_xlabel("hours after the first midnight")
        pods.set_ylim(0, 1.1 * most_pods)
    figure.savefig(path, metadata={"Date": None})


def load_figures() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The committed scenarios and check."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    return figures, json.loads(CHECKED.read_text(encoding="utf-8"))
