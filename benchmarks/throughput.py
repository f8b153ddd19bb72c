"""Throughput, latency, CPU and memory of the real stack, and the two ratios.

Run as ``make bench``, or ``python -m benchmarks.throughput --films 400 --workers 2``. Everything
runs on this machine's cores, the load generator included. Prints a table and writes
``benchmarks/out/throughput.json``.

The ratios are taken in one run: the bare loop before and after the stack's run (its mean counts),
the plain service after it, each alone on the machine.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.accounting import Accounting
from benchmarks.films import distinct_films
from benchmarks.fresh_stack import fresh_stack
from benchmarks.load import form, upload
from benchmarks.plain_baseline import plain_films_per_second
from benchmarks.results import Results
from benchmarks.table import machine, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum_stack.real import RealStack

OUT = Path(__file__).resolve().parent / "out"


def bare_films_per_second(number: int, processes: int) -> float:
    """Films per second of the bare loop, over about as long as the stack's run takes."""
    command = [sys.executable, "-m", "benchmarks.bare_loop", str(2 * number), str(processes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    value: float = json.loads(done.stdout.splitlines()[-1])["films_per_second"]
    return value


def low_load(stack: RealStack, results: Results, number: int) -> list[float]:
    """Seconds from the start of an upload to its committed result, one film at a time."""
    parts = urlsplit(stack.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80)
    seconds = []
    for film in distinct_films(number):
        begun = time.time()
        job_id = upload(connection, stack.api_key, form(film))
        seconds.append(results.wait_for(job_id).finished - begun)
    return seconds


def full_load(
    stack: RealStack, results: Results, number: int, connections: int
) -> tuple[float, list[float], dict[str, Any]]:
    """Upload as fast as answered; films per second, latencies, and the accounts by process."""
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "key"
        key_file.touch(mode=0o600)
        key_file.write_text(stack.api_key)
        command = [sys.executable, "-m", "benchmarks.load", stack.url, str(key_file)]
        with subprocess.Popen(
            [*command, str(number), str(connections)], stdout=subprocess.PIPE, text=True
        ) as load:
            pids = {**stack.processes, "load generator": load.pid}
            with Accounting(pids) as accounting:
                lines = [json.loads(line) for line in load.stdout or ()]
                results.wait_until_settled()
                # Not reaped yet: its own accounts can still be read.
            if load.wait() != 0:
                raise RuntimeError("the load generator failed")
    outcomes = results.outcomes([line["job_id"] for line in lines])
    ends = [outcomes[line["job_id"]] for line in lines]
    bad = [end.state for end in ends if end.state != "completed"]
    if bad or len(ends) != number:
        raise RuntimeError(f"{len(ends)} of {number} films ended, not completed: {bad}")
    latencies = [end.finished - line["begun"] for end, line in zip(ends, lines, strict=True)]
    span = max(end.finished for end in ends) - min(line["begun"] for line in lines)
    accounts = {
        name: {
            "cpu_ms_per_film": account.cpu_seconds * 1000 / number,
            "peak_mib": account.peak_bytes / 2**20,
        }
        for name, account in accounting.accounts.items()
    }
    return number / span, latencies, accounts


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {name: cuts[n - 1] * 1000 for name, n in (("p50", 50), ("p95", 95), ("p99", 99))}


def measure(films: int, workers: int, threads: int, connections: int) -> dict[str, Any]:
    """One run of everything."""
    cores = os.cpu_count() or 1
    before = [bare_films_per_second(films, 1), bare_films_per_second(films, cores)]
    with fresh_stack(workers, {"HILUM_WORKER_MAX_SLOTS": str(threads)}) as stack:
        results = Results(stack.env["HILUM_DATABASE_URL"])
        low_load(stack, results, 10)  # warm-up, thrown away
        low = low_load(stack, results, max(20, films // 10))
        rate, latencies, accounts = full_load(stack, results, films, connections)
    after = [bare_films_per_second(films, 1), bare_films_per_second(films, cores)]
    loop, limit = (statistics.mean(pair) for pair in zip(before, after, strict=True))
    plain = plain_films_per_second(max(10, films // 20))
    return {
        "machine": machine(),
        "films": films,
        "workers": workers,
        "threads": threads,
        "connections": connections,
        "films_per_second": rate,
        "latency_ms": {"low load": percentiles(low), "full load": percentiles(latencies)},
        "processes": accounts,
        "bare_loop_films_per_second": {"one process": loop, "a process a core": limit},
        "plain_service_films_per_second": plain,
        "ratio_over_bare_loop": {"one process": rate / loop, "a process a core": rate / limit},
        "ratio_over_plain_service": rate / plain if plain else None,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=4, help="of each worker")
    parser.add_argument("--connections", type=int, default=8)
    arguments = parser.parse_args()
    report = measure(arguments.films, arguments.workers, arguments.threads, arguments.connections)
    OUT.mkdir(exist_ok=True)
    (OUT / "throughput.json").write_text(json.dumps(report, indent=2) + "\n")
    show(report)


if __name__ == "__main__":
    main()
