"""What a fit learns from, as one digest: the same recipe on other films is another run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet


def films_digest(films: FilmSet, told: Sequence[NDArray[Any]]) -> str:
    """SHA-256 over names, sources, labels and pixels of films, and what is told of them.

    Args:
        films: N films.
        told: Their targets, arrays of N rows.
    """
    digest = hashlib.sha256()
    for film in films.films:
        digest.update(repr((film.file, film.source, film.label)).encode())
    for array in (films.inputs, *told):
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
