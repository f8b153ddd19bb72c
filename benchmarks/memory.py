"""Worker memory over thousands of films: flat, or not.

Run as ``python -m benchmarks.memory --films 5000``. Uploads films to the real stack, notes the
workers' memory (proportional set size, MiB) about every 250 films, and reports the growth between
the first fifth (warm-up: pools, arenas and caches fill) and the last. Writes
``benchmarks/out/memory.json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.accounting import tree_bytes
from benchmarks.fresh_stack import fresh_stack
from benchmarks.results import Results
from benchmarks.table import machine

OUT = Path(__file__).resolve().parent / "out"
_EVERY = 250


def measure(films: int, workers: int, connections: int) -> dict[str, Any]:
    """Upload so many films; memory by process every 250 uploads."""
    with fresh_stack(workers) as stack:
        results = Results(stack.env["HILUM_DATABASE_URL"])
        watched = {
            name: pid
            for name, pid in stack.processes.items()
            if name.startswith(("worker", "gate"))
        }
        samples: list[dict[str, float]] = []
        command = [sys.executable, "-m", "benchmarks.load", stack.url, str(stack.api_key_path)]
        with subprocess.Popen(
            [*command, str(films), str(connections)], stdout=subprocess.PIPE, text=True
        ) as load:
            for number, _ in enumerate(load.stdout or (), start=1):
                if number % _EVERY == 0:
                    samples.append({name: tree_bytes(pid) / 2**20 for name, pid in watched.items()})
            if load.wait() != 0:
                raise RuntimeError("the load generator failed")
        results.wait_until_settled()
        samples.append({name: tree_bytes(pid) / 2**20 for name, pid in watched.items()})
    fifth = max(1, len(samples) // 5)
    growth = {
        name: statistics.mean(sample[name] for sample in samples[-fifth:])
        - statistics.mean(sample[name] for sample in samples[fifth : 2 * fifth])
        for name in watched
    }
    return {
        "machine": machine(),
        "films": films,
        "every": _EVERY,
        "mib": samples,
        "growth_mib_second_to_last_fifth": growth,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connections", type=int, default=4)
    arguments = parser.parse_args()
    report = measure(arguments.films, arguments.workers, arguments.connections)
    OUT.mkdir(exist_ok=True)
    (OUT / "memory.json").write_text(json.dumps(report, indent=2) + "\n")
    table = Table("after films", *report["mib"][0])
    for number, sample in enumerate(report["mib"], start=1):
        after = min(number * _EVERY, report["films"])
        table.add_row(str(after), *(f"{value:.0f}" for value in sample.values()))
    console = Console()
    console.print(table)
    console.print("growth, second to last fifth, MiB:", report["growth_mib_second_to_last_fifth"])


if __name__ == "__main__":
    main()
