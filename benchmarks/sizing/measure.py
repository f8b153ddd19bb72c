"""Measure the costs of a film on the real stack of this machine."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import psycopg

from benchmarks.films import distinct_films
from benchmarks.fresh_stack import fresh_stack
from benchmarks.results import Results
from benchmarks.sizing.costs import Costs
from benchmarks.table import machine
from benchmarks.throughput import full_load, low_load

if TYPE_CHECKING:
    from hilum_stack.real import RealStack

_WARM_UP: Final = 20
_CONNECTIONS: Final = 8
_THREADS: Final = 4


def measure(films: int, workers: int) -> Costs:
    """Send films to a fresh stack as fast as it takes them, and account for everything.

    Args:
        films: How many.
        workers: How many worker processes.
    """
    mean_bytes = sum(len(film.content) for film in distinct_films(films)) / films
    with fresh_stack(workers, {"HILUM_WORKER_MAX_SLOTS": str(_THREADS)}) as stack:
        results = Results(stack.env["HILUM_DATABASE_URL"])
        low_load(stack, results, _WARM_UP)
        before = _database_bytes(stack), _object_bytes(stack)
        rate, _, accounts = full_load(stack, results, films, _CONNECTIONS)
        after = _database_bytes(stack), _object_bytes(stack)
    cpu_ms: dict[str, float] = defaultdict(float)
    peak_mib: dict[str, float] = defaultdict(float)
    for name, account in accounts.items():
        kind = re.sub(r"[- ]\d+$", "", name)
        cpu_ms[kind] += account["cpu_ms_per_film"]
        peak_mib[kind] = max(peak_mib[kind], account["peak_mib"])
    return Costs(
        machine=machine(),
        films=films,
        film_bytes=mean_bytes,
        database_bytes=(after[0] - before[0]) / films,
        stored_bytes=(after[1] - before[1]) / films,
        cpu_ms={name: round(value, 2) for name, value in cpu_ms.items()},
        peak_mib={name: round(value, 1) for name, value in peak_mib.items()},
        films_per_second=rate,
    )


def _database_bytes(stack: RealStack) -> int:
    with psycopg.connect(stack.env["HILUM_DATABASE_URL"]) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    if row is None:
        raise RuntimeError("PostgreSQL does not know its size")
    return int(row[0])


def _object_bytes(stack: RealStack) -> int:
    """Bytes on the disk of the object store, its own metadata included."""
    folder = stack.minio.folder / "data"
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
