"""What one film costs, as measured on the real stack, and where that is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

COSTS: Path = Path(__file__).with_name("costs.json")
"""What ``docs/sizing.md`` rests on; written by ``python -m benchmarks.sizing measure``."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of one film.

    Attributes:
        machine: Processor, cores, memory and interpreter of the measurement.
        films: How many films were measured.
        film_bytes: Mean size of an upload.
        stored_bytes: Growth of the object store a film.
        database_bytes: Growth of the database a film: rows, indices, heatmaps, audit.
        cpu_ms: CPU milliseconds a film by process; Triton's on the target ``cpu``.
        peak_mib: Largest proportional set size by process, MiB.
        films_per_second: What that machine read with everything on it.
    """

    machine: Mapping[str, Any]
    films: int
    film_bytes: float
    stored_bytes: float
    database_bytes: float
    cpu_ms: Mapping[str, float]
    peak_mib: Mapping[str, float]
    films_per_second: float

    @classmethod
    def load(cls, path: Path = COSTS) -> Self:
        """Read the committed figures."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def save(self, path: Path = COSTS) -> None:
        """Write them."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
