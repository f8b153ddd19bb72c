"""What one film costs in each network, and how far that is from what the machine could do.

Run as ``python -m benchmarks.inference``. Every network of a model repository, and all of them one
after the other, at batches of 1, 8 and 32, in ONNX Runtime with one thread. The limits are measured
in the same run: a bare float32 matrix product (the arithmetic of a network cannot be faster) and a
bare copy (what it reads and writes cannot). Writes ``benchmarks/out/inference.json``.
"""

from __future__ import annotations

import os

# Read once, when numpy is loaded: the bare matrix product is to use one core, as the networks do.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from rich.console import Console
from rich.table import Table

from benchmarks.graph_cost import graph_cost
from benchmarks.table import machine
from hilum.imaging.golden_films import golden_films
from hilum.serving.installed import read_installed

if TYPE_CHECKING:
    from collections.abc import Callable

OUT = Path(__file__).resolve().parent / "out"
ROOT = Path(__file__).resolve().parents[1]
BATCHES = (1, 8, 32)
_REPEATS = 5
_SIDE = 1024
_COPIED_MB = 64


def measure(repository: Path, films: int, provider: str) -> dict[str, Any]:
    """Cost of every network of a repository.

    Args:
        repository: A model repository.
        films: Each figure is the median of five runs over about so many films.
        provider: Execution provider of ONNX Runtime.
    """
    models: dict[str, dict[str, Any]] = {}
    for model in read_installed(repository):
        manifest = model.newest
        path = model.folder / manifest.onnx
        cost = graph_cost(path)
        models[manifest.name] = {
            "version": manifest.version,
            "megabytes": path.stat().st_size / 1e6,
            "weights": cost.weights,
            "million_multiply_adds": cost.multiply_adds / 1e6,
            "megabytes_moved": cost.bytes_moved / 1e6,
            "batches": _batches(path, manifest.film_input.shape[0], films, provider),
        }
    limits = {"gflops": _matrix_product_gflops(), "copy_gb_per_second": _copy_rate()}
    for figures in models.values():
        figures["limit_ms"] = {
            "matrix product": 2 * figures["million_multiply_adds"] / limits["gflops"],
            "copy": figures["megabytes_moved"] / limits["copy_gb_per_second"],
        }
    return {
        "machine": machine(),
        "onnxruntime": onnxruntime.__version__,
        "provider": provider,
        "threads": 1,
        "limits": limits,
        "models": models,
        "all": _all(models),
    }


def _batches(path: Path, size: int, films: int, provider: str) -> dict[str, dict[str, float]]:
    """CPU and wall time of one film, in milliseconds, by batch."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=[provider])
    golden = golden_films(size)
    name = session.get_inputs()[0].name
    figures = {}
    for batch in BATCHES:
        feed = {name: golden[np.arange(batch) % len(golden)]}
        runs = max(1, films // batch)

        def run(feed: dict[str, Any] = feed, runs: int = runs) -> None:
            for _ in range(runs):
                session.run(None, feed)

        session.run(None, feed)
        cpu, wall = _timed(run)
        figures[str(batch)] = {
            "cpu_ms": 1000 * cpu / (runs * batch),
            "wall_ms": 1000 * wall / (runs * batch),
            "films_per_second": runs * batch / wall,
        }
    return figures


def _timed(run: Callable[[], object]) -> tuple[float, float]:
    """Median CPU and wall seconds of some runs."""
    cpu, wall = [], []
    for _ in range(_REPEATS):
        started_cpu, started = time.process_time(), time.perf_counter()
        run()
        cpu.append(time.process_time() - started_cpu)
        wall.append(time.perf_counter() - started)
    return statistics.median(cpu), statistics.median(wall)


def _matrix_product_gflops() -> float:
    """Of a square float32 product in one thread; a multiplication and an addition are two."""
    left = np.random.default_rng(0).random((_SIDE, _SIDE), np.float32)
    result = np.empty_like(left)
    cpu, _ = _timed(lambda: np.matmul(left, left, out=result))
    return 2 * _SIDE**3 / cpu / 1e9


def _copy_rate() -> float:
    """Gigabytes a second that a copy reads and writes together, beyond the caches."""
    source = np.ones(_COPIED_MB * 250_000, np.float32)
    target = np.empty_like(source)
    cpu, _ = _timed(lambda: np.copyto(target, source))
    return 2 * source.nbytes / cpu / 1e9


def _all(models: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One film through every network."""
    rows = list(models.values())
    cpu = {str(b): sum(row["batches"][str(b)]["cpu_ms"] for row in rows) for b in BATCHES}
    return {
        "megabytes": sum(row["megabytes"] for row in rows),
        "cpu_ms": cpu,
        "limit_ms": {
            kind: sum(row["limit_ms"][kind] for row in rows) for kind in ("matrix product", "copy")
        },
    }


def show(report: dict[str, Any]) -> None:
    """Print the report."""
    console = Console(width=110)
    console.print(report["machine"])
    limits = report["limits"]
    console.print(
        f"one thread of {report['provider']}; a bare matrix product does "
        f"{limits['gflops']:.0f} GFLOP/s, a bare copy moves {limits['copy_gb_per_second']:.1f} GB/s"
    )
    table = Table("CPU ms a film", "MB", "M mult-adds", *(f"batch {b}" for b in BATCHES))
    for kind in ("matrix product", "copy"):
        table.add_column(f"{kind} limit")
    for name, figures in report["models"].items():
        table.add_row(
            f"{name} {figures['version']}",
            f"{figures['megabytes']:.1f}",
            f"{figures['million_multiply_adds']:.0f}",
            *(f"{figures['batches'][str(b)]['cpu_ms']:.1f}" for b in BATCHES),
            *(f"{limit:.1f}" for limit in figures["limit_ms"].values()),
        )
    everything = report["all"]
    table.add_row(
        "all",
        f"{everything['megabytes']:.1f}",
        f"{sum(m['million_multiply_adds'] for m in report['models'].values()):.0f}",
        *(f"{everything['cpu_ms'][str(b)]:.1f}" for b in BATCHES),
        *(f"{limit:.1f}" for limit in everything["limit_ms"].values()),
    )
    console.print(table)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=ROOT / "model_repository")
    parser.add_argument("--films", type=int, default=64)
    parser.add_argument(
        "--provider", default="CPUExecutionProvider", choices=onnxruntime.get_available_providers()
    )
    options = parser.parse_args()
    report = measure(options.models, options.films, options.provider)
    OUT.mkdir(exist_ok=True)
    text = json.dumps(report, indent=2) + "\n"
    (OUT / "inference.json").write_text(text, encoding="utf-8")
    show(report)


if __name__ == "__main__":
    main()
