"""Is this frontal chest film a negative of itself?

A file can lie about its polarity: a MONOCHROME1 tag on MONOCHROME2 pixels, a film photographed
from a negative, a web picture inverted for effect. Such a film is displayed as it says of itself,
and a model that has learnt from white bones reads nonsense off it. What gives it away is coarse:
lungs darker than the middle, belly bright, corners dark.

The measure is a correlation with the mean frontal film of public collections at 8 x 8 cells, left
and right averaged. It is odd by construction: the negative of a film has exactly minus its score.
On 10,253 public films (30 of them lateral) two score below ``INVERTED_BELOW``, and both are
negatives by eye; the lowest upright one has -0.110. Of those films inverted on purpose, 99.6% of
the frontal ones fall below it. Collections were not held out one by one from the mean film for
these figures; when they were (all pixels looked at, not a sample), 16 of the 10,223 frontal films
had the wrong sign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

INVERTED_BELOW: Final = -0.2
"""Polarity under which a film is taken for a negative."""

_CELLS: Final = 8
_SAMPLES: Final = 128
"""Pixels of the shorter side that are looked at: 16 x 16 in each cell tell its mean well enough."""
# Left half of the mean film: standardised grey x 100, rows from the top, columns from the edge to
# the midline. Seven collections weigh alike, whatever their size.
_LEFT_HALF: Final = (
    (-128, -95, -57, 27),
    (-25, 6, -32, 16),
    (-14, 4, -72, 24),
    (-35, -9, -58, 61),
    (-57, -14, -12, 94),
    (-75, -4, 37, 111),
    (-92, 28, 83, 119),
    (-96, 52, 99, 115),
)


def _mean_film() -> NDArray[np.float64]:
    """Mean film as a unit vector without a constant part: float64 [64]."""
    left = np.array(_LEFT_HALF, dtype=np.float64)
    whole = np.hstack([left, left[:, ::-1]]).ravel()
    whole -= whole.mean()
    return whole / np.linalg.norm(whole)


_MEAN_FILM: Final = _mean_film()


def polarity(pixels: NDArray[np.uint8]) -> float:
    """How much a film looks like a frontal chest film, and not like its negative.

    Args:
        pixels: uint8 [H, W], presentation values.

    Returns:
        -1.0 (a negative) to 1.0 (upright); near 0 for what is no frontal chest film, and 0.0 for
        a picture of one grey.
    """
    step = max(1, min(pixels.shape) // _SAMPLES)
    sampled = np.ascontiguousarray(pixels[::step, ::step])
    small = Image.fromarray(sampled).resize((_CELLS, _CELLS), Image.Resampling.BOX)
    cells = np.asarray(small, dtype=np.float64).ravel()
    cells -= cells.mean()
    length = float(np.linalg.norm(cells))
    return float(_MEAN_FILM @ cells) / length if length > 0.0 else 0.0


def looks_inverted(pixels: NDArray[np.uint8]) -> bool:
    """Whether a film is most likely shown as its own negative.

    Args:
        pixels: uint8 [H, W], presentation values.

    Returns:
        True where the polarity is below ``INVERTED_BELOW``.
    """
    return polarity(pixels) < INVERTED_BELOW


def negative(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The film with black and white exchanged.

    Args:
        pixels: uint8 [H, W].
    """
    return np.subtract(255, pixels, dtype=np.uint8)
