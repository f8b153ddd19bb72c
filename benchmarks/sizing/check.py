"""Hold the simulation against the real stack of this machine, at small scale."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import numpy as np
import psycopg

from benchmarks.films import distinct_films
from benchmarks.fresh_stack import fresh_stack
from benchmarks.load import form
from benchmarks.results import Results
from benchmarks.sizing.platform import ALL, Platform, Slice
from benchmarks.sizing.simulation import Simulation
from benchmarks.table import machine
from benchmarks.throughput import full_load, low_load
from hilum.domain.job import Priority

if TYPE_CHECKING:
    from hilum_stack.real import RealStack

_WORKERS: Final = 2
_THREADS: Final = 2
_SENDERS: Final = 4
_STAT_SHARE: Final = 0.2
_TIMES: Final = """
    SELECT priority, extract(epoch FROM created_at)::float8,
           extract(epoch FROM started_at)::float8, extract(epoch FROM finished_at)::float8
    FROM jobs WHERE created_at >= to_timestamp(%s) AND state = 'completed'
"""


def check(films: int, load: float, seed: int = 1) -> dict[str, Any]:
    """Measure the capacity with one load, predict the waits under another, and measure them.

    First a burst tells the films a second that the machine reads. Then films come at random, a part
    of them urgent, at ``load`` times that rate; a load above 1 makes a queue, in which urgency
    shows. The simulation is given the capacity and the moments of the second run's acceptances.

    Args:
        films: Of each of the two runs.
        load: Arrivals as a share of the capacity.
        seed: Of the arrivals.
    """
    with fresh_stack(_WORKERS, {"HILUM_WORKER_MAX_SLOTS": str(_THREADS)}) as stack:
        results = Results(stack.env["HILUM_DATABASE_URL"])
        low_load(stack, results, 20)
        capacity, _, _ = full_load(stack, results, films, 8)
        begun = time.time()
        _send(stack, films, capacity * load, seed)
        results.wait_until_settled()
        rows = _times(stack, begun)
    slots = _WORKERS * _THREADS
    platform = Platform(
        slices=(Slice("all", ALL, pods=_WORKERS, slots=_THREADS),),
        film_s=slots / capacity,
        film_cv=0.6,
        triton_nodes=1,
        # Part of the measured capacity already: the machine's cores are the limit.
        triton_per_second=1e6,
    )
    start = min(created for _, created, _, _ in rows)
    arrivals = sorted((created - start, Priority(priority)) for priority, created, _, _ in rows)
    record = Simulation(platform, seed).run(arrivals, arrivals[-1][0] + 3600)
    measured = {
        priority: [started - created for kind, created, started, _ in rows if kind == priority]
        for priority in (Priority.STAT, Priority.ROUTINE)
    }
    return {
        "machine": machine(),
        "films": len(rows),
        "load": load,
        "capacity_films_per_second": round(capacity, 1),
        "waits_s": {
            priority.value: {
                "measured": _mean_and_cuts(measured[priority]),
                "simulated": _mean_and_cuts(record.waits[priority]),
            }
            for priority in measured
        },
    }


def _mean_and_cuts(seconds: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(seconds, (50, 95))
    return {
        "mean": round(float(np.mean(seconds)), 3),
        "p50": round(float(p50), 3),
        "p95": round(float(p95), 3),
    }


def _send(stack: RealStack, films: int, rate: float, seed: int) -> None:
    """Upload at random moments, from a few connections; a late one is sent at once."""
    draw = np.random.default_rng(seed)
    moments = np.cumsum(draw.exponential(1 / rate, films))
    urgent = draw.random(films) < _STAT_SHARE
    bodies = [form(film) for film in distinct_films(films)]
    begun = time.monotonic() + 0.5
    failures: list[BaseException] = []

    def send(own: int) -> None:
        try:
            parts = urlsplit(stack.url)
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80)
            for index in range(own, films, _SENDERS):
                time.sleep(max(0.0, begun + float(moments[index]) - time.monotonic()))
                _upload(connection, stack.api_key, bodies[index], stat=bool(urgent[index]))
        except BaseException as error:  # noqa: BLE001 - raised by the main thread
            failures.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(_SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _upload(connection: http.client.HTTPConnection, key: str, body: bytes, *, stat: bool) -> None:
    boundary = body.split(b"\r\n", 1)[0][2:]
    priority = Priority.STAT if stat else Priority.ROUTINE
    field = (
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="priority"\r\n\r\n'
        + priority.value.encode() + b"\r\n"
    )  # fmt: skip
    connection.request(
        "POST",
        "/v1/studies",
        body=field + body,
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": f"multipart/form-data; boundary={boundary.decode()}",
        },
    )
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != http.client.ACCEPTED:
        raise RuntimeError(f"{answer.status}: {json.loads(content)}")


def _times(stack: RealStack, since: float) -> list[tuple[str, float, float, float]]:
    with psycopg.connect(stack.env["HILUM_DATABASE_URL"]) as connection:
        rows = connection.execute(_TIMES, (since,))
        return [(str(row[0]), *map(float, row[1:])) for row in rows]  # type: ignore[misc]
