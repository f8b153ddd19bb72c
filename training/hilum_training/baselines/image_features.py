"""Features of a film that need no network: small pixels, and which way its edges run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE: Final = 32
_CELLS: Final = 8
_BINS: Final = 9


def image_features(inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels of 32 x 32 and a histogram of oriented gradients.

    Args:
        inputs: uint8 [N, size, size, 1].

    Returns:
        float32 [N, F].
    """
    rows = [
        np.concatenate([small_pixels(film), oriented_gradients(film)]) for film in inputs[..., 0]
    ]
    return np.stack(rows).astype(np.float32)


def small_pixels(film: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Area means of 32 x 32 squares, zero mean and unit deviation over the film, float64 [1024]."""
    small = Image.fromarray(film).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.float64).ravel()
    return np.asarray((grey - grey.mean()) / (grey.std() + 1e-6))


def oriented_gradients(film: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Histogram of oriented gradients (Dalal and Triggs, CVPR 2005).

    Eight cells a side, nine unsigned orientations, blocks of 2 x 2 cells normalised to length 1.

    Args:
        film: uint8 [H, W].

    Returns:
        float64 [7 * 7 * 2 * 2 * 9].
    """
    down, across = np.gradient(film.astype(np.float64))
    angle = np.mod(np.arctan2(down, across), np.pi)
    # An angle of pi - epsilon may round up to the bin after the last.
    bins = np.minimum((angle / np.pi * _BINS).astype(int), _BINS - 1)
    rows = np.arange(film.shape[0]) * _CELLS // film.shape[0]
    columns = np.arange(film.shape[1]) * _CELLS // film.shape[1]
    cells = rows[:, np.newaxis] * _CELLS + columns
    counts = np.bincount(
        (cells * _BINS + bins).ravel(),
        weights=np.hypot(down, across).ravel(),
        minlength=_CELLS * _CELLS * _BINS,
    ).reshape(_CELLS, _CELLS, _BINS)
    blocks = np.stack([counts[:-1, :-1], counts[:-1, 1:], counts[1:, :-1], counts[1:, 1:]], axis=2)
    length = np.sqrt((blocks**2).sum(axis=(2, 3), keepdims=True))
    return np.asarray((blocks / (length + 1e-6)).ravel())
