"""Speed of one release beside another: images a second, latency and CPU time of each process.

    python -m benchmarks.releases before=../hilum-0.2.0 after=. --rounds 3 --images 200

Each argument is a name and a checkout. Their runs take turns, each on a real stack of its own, all
in this interpreter's environment. Prints the median of each figure and its ratio to the first
checkout, and writes ``benchmarks/out/releases.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

_ROOT: Final = Path(__file__).resolve().parents[1]
_SOURCES: Final = (".", "services/gateway", "services/worker", "services/cli", "stack")
_WORKERS: Final = 2
_THREADS: Final = 4
_CONNECTIONS: Final = 8
_WARM_UP: Final = 10


def measure(images: int) -> dict[str, float]:
    """Figures of the release whose modules this process finds."""
    # Its own modules: those of the checkout that is measured.
    from benchmarks.fresh_stack import fresh_stack  # noqa: PLC0415
    from benchmarks.results import Results  # noqa: PLC0415
    from benchmarks.throughput import full_load, low_load  # noqa: PLC0415

    with fresh_stack(_WORKERS, {"HILUM_WORKER_CONCURRENCY": str(_THREADS)}) as stack:
        results = Results(stack.env["HILUM_DATABASE_URL"])
        low_load(stack, results, _WARM_UP)
        low = low_load(stack, results, max(20, images // 10))
        rate, _, accounts = full_load(stack, results, images, _CONNECTIONS)
    spent = {name: account["cpu_ms_per_film"] for name, account in accounts.items()}
    peaks = {name: account["peak_mib"] for name, account in accounts.items()}
    return {
        "images/s": rate,
        "ms at low load, median": statistics.median(low) * 1000,
        "CPU ms an image, all processes": sum(spent.values()),
        **{f"CPU ms an image, {name}": value for name, value in spent.items()},
        **{f"peak MiB, {name}": value for name, value in peaks.items()},
    }


def run(checkout: str, images: int) -> dict[str, float]:
    """Measure a checkout in a process of its own."""
    folder = Path(checkout).resolve()
    path = os.pathsep.join(str(folder / source) for source in _SOURCES)
    images_of_all = {"HILUM_CXR_DIR": str(_ROOT.parent / "shared" / "cxr")}
    with tempfile.NamedTemporaryFile() as answer:
        subprocess.run(
            [sys.executable, __file__, "--child", answer.name, str(images)],
            env={**images_of_all, **os.environ, "PYTHONPATH": path},
            cwd=folder,
            check=True,
        )
        figures: dict[str, float] = json.loads(Path(answer.name).read_bytes())
        return figures


def show(runs: dict[str, list[dict[str, float]]]) -> None:
    """Print the medians, and their ratios to the first checkout's."""
    first, *others = runs
    table = Table("median", first)
    for name in others:
        table.add_column(name)
        table.add_column("ratio")
    for figure in runs[first][0]:
        middle = {
            name: statistics.median(done[figure] for done in runs[name])
            for name in runs
            if figure in runs[name][0]
        }
        row = [f"{middle[first]:.1f}"]
        for name in others:
            known = name in middle and middle[first]
            row.append(f"{middle[name]:.1f}" if name in middle else "")
            row.append(f"{middle[name] / middle[first]:.3f}" if known else "")
        table.add_row(figure, *row)
    Console(width=100).print(table)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", nargs="+", metavar="NAME=CHECKOUT")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=200)
    arguments = parser.parse_args()
    checkouts = dict(one.split("=", 1) for one in arguments.checkouts)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    for _ in range(arguments.rounds):
        for name, checkout in checkouts.items():
            runs[name].append(run(checkout, arguments.images))
    out = _ROOT / "benchmarks" / "out"
    out.mkdir(exist_ok=True)
    (out / "releases.json").write_text(json.dumps(runs, indent=2), encoding="utf-8")
    show(runs)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        Path(sys.argv[2]).write_text(json.dumps(measure(int(sys.argv[3]))), encoding="utf-8")
    else:
        main()
