"""Films that every checkout can make, for comparing two runtimes.

No probability of theirs means anything. Shapes with known grey levels reach dark, bright, smooth,
noisy and empty inputs, where two runtimes would differ if they did; phantom chests are like what a
network was made for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.imaging.phantom import phantom_film
from hilum.imaging.preprocessing import PREPROCESSING

if TYPE_CHECKING:
    from numpy.typing import NDArray


_CHESTS: Final = 4
_CHEST_SIDE: Final = 256


def golden_chests(rows: int, columns: int, preprocessing: str) -> NDArray[np.uint8]:
    """Phantom chests as the input of a network, uint8 [4, rows, columns, 1].

    Half precision changes what a network says of them by less than what it says of the films below.

    Args:
        rows: Of the input.
        columns: Of the input.
        preprocessing: Id in :data:`hilum.imaging.preprocessing.PREPROCESSING`.
    """
    prepare = PREPROCESSING[preprocessing]
    films = (phantom_film(_CHEST_SIDE, _CHEST_SIDE, seed) for seed in range(_CHESTS))
    return np.stack([prepare(film, rows, columns) for film in films])


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
