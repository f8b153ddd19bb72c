"""Films that every checkout can make, for comparing two runtimes: shapes with known grey levels.

They are no chests and no probability of theirs means anything; they reach dark, bright, smooth,
noisy and empty inputs, where two runtimes would differ if they did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def golden_films(size: int) -> NDArray[np.uint8]:
    """The films, uint8 [8, size, size, 1]."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[0:size, 0:size] / (size - 1)
    lungs = sum(
        np.exp(-(((columns - x) / 0.14) ** 2 + ((rows - 0.45) / 0.28) ** 2)) for x in (0.3, 0.7)
    )
    ribs = 18 * np.cos(rows * 60)
    chest = 200 - 150 * lungs + ribs
    films = [
        np.zeros((size, size)),
        np.full((size, size), 255.0),
        255 * rows,
        255 * columns,
        generator.integers(0, 256, (size, size)).astype(float),
        chest,
        chest + generator.normal(0, 12, (size, size)),
        255 - chest,
    ]
    return np.stack([np.clip(film, 0, 255).astype(np.uint8) for film in films])[..., np.newaxis]
