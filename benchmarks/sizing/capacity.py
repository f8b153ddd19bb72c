"""The capacity model: from a load to cores, memory, storage and bandwidth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.sizing.demand import WORKING_DAYS

if TYPE_CHECKING:
    from benchmarks.sizing.costs import Costs
    from benchmarks.sizing.demand import Demand

MEGABYTE: Final = 1e6


@dataclass(frozen=True, slots=True)
class Site:
    """What differs between hospitals.

    Attributes:
        film_bytes: Mean size of a film as it is sent. A full-size DICOM radiograph of 2,500 x 3,000
            pixels and 16 bits has 15 MB uncompressed, about a third of that losslessly compressed.
        decode_factor: CPU of a worker for one of these films, as a multiple of the measured films'.
        utilisation: Share of the cores that may be busy in the peak hour; what is left takes
            bursts, a lost node and the database's checkpoints.
        films_per_gpu: Films a second of one GPU; None where Triton runs on CPUs. Not
            measured: no GPU was at hand.
    """

    film_bytes: float
    decode_factor: float = 1.0
    utilisation: float = 0.6
    films_per_gpu: float | None = None


@dataclass(frozen=True, slots=True)
class Sizing:
    """What a load needs.

    Attributes:
        peak_per_second: Films a second in the busiest hour.
        worker_cores: Of the workers, likewise the next.
        triton_cores: None where GPUs serve.
        gateway_cores: Of the gateway.
        database_cores: Of PostgreSQL.
        store_cores: Of MinIO; none of ours where the store is external.
        gpus: At least one more than the load needs, so that one may be lost.
        worker_pods: With four threads each.
        films_gb_a_year: Object store, before its own redundancy.
        database_gb_a_year: PostgreSQL with indices, before write-ahead log and replicas.
        ingress_mbit: Network into the gateway in the busiest hour.
        internal_mbit: Between gateway, store and workers in the same hour.
    """

    peak_per_second: float
    worker_cores: float
    triton_cores: float | None
    gateway_cores: float
    database_cores: float
    store_cores: float
    gpus: int
    worker_pods: int
    films_gb_a_year: float
    database_gb_a_year: float
    ingress_mbit: float
    internal_mbit: float


def size(demand: Demand, costs: Costs, site: Site) -> Sizing:
    """The capacity for the busiest hour of a working day."""
    peak = demand.peak_per_second

    def cores(process: str, factor: float = 1.0) -> float:
        return peak * costs.cpu_ms[process] * factor / 1000 / site.utilisation

    worker = cores("worker", site.decode_factor)
    upload = peak * site.film_bytes * 8 / MEGABYTE
    gpu = site.films_per_gpu
    return Sizing(
        peak_per_second=peak,
        worker_cores=worker,
        triton_cores=None if gpu else cores("triton"),
        gateway_cores=cores("gateway"),
        database_cores=cores("postgres"),
        store_cores=cores("minio"),
        gpus=math.ceil(peak / gpu / site.utilisation) + 1 if gpu else 0,
        worker_pods=max(2, math.ceil(worker)),
        films_gb_a_year=demand.films_a_day * WORKING_DAYS * site.film_bytes / 1e9,
        database_gb_a_year=demand.films_a_day * WORKING_DAYS * costs.database_bytes / 1e9,
        ingress_mbit=upload,
        # In from the gateway, out to a worker.
        internal_mbit=2 * upload,
    )
