"""Films with something taken away, to see what a network's answer rests on.

What is covered gets the mean grey level of its own film, which the standardisation turns into zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

BORDER: Final = 0.08
"""Share of the side that is covered along every edge."""
CORNER: Final = (0.15, 0.3)
"""Height and width of a covered corner, as shares of the sides: where markers and names stand."""


def cover(films: NDArray[np.uint8], covered: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Grey out a part.

    Args:
        films: uint8 [N, H, W, 1].
        covered: bool [H, W], or [N, H, W] for each film its own.
    """
    grey = films.mean(axis=(1, 2, 3), keepdims=True).round().astype(np.uint8)
    return np.where(np.broadcast_to(covered, films.shape[:3])[..., np.newaxis], grey, films)


def border_covered(films: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the outer frame."""
    height, width = films.shape[1:3]
    covered = np.ones((height, width), dtype=bool)
    top, left = round(height * BORDER), round(width * BORDER)
    covered[top : height - top, left : width - left] = False
    return cover(films, covered)


def corners_covered(films: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the four corners, where text is burnt in."""
    height, width = films.shape[1:3]
    tall, wide = round(height * CORNER[0]), round(width * CORNER[1])
    covered = np.zeros((height, width), dtype=bool)
    for rows in (slice(tall), slice(height - tall, None)):
        for columns in (slice(wide), slice(width - wide, None)):
            covered[rows, columns] = True
    return cover(films, covered)


def equalised(films: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every film with a flat histogram: what a site's exposure and processing set is gone."""
    out = np.empty_like(films)
    for place, film in enumerate(films):
        counts = np.bincount(film.ravel(), minlength=256)
        ranks = (np.cumsum(counts) - counts / 2) / film.size
        out[place] = np.round(255 * ranks).astype(np.uint8)[film]
    return out


def coarse(films: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Down to half the side and back: fine texture, JPEG blocks and sharpening are gone."""
    height, width = films.shape[1:3]
    out = np.empty_like(films)
    for place, film in enumerate(films):
        small = Image.fromarray(film[..., 0]).resize(
            (width // 2, height // 2), Image.Resampling.BOX
        )
        out[place, ..., 0] = np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))
    return out


CHANGES: Final[dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]]] = {
    "border_covered": border_covered,
    "corners_covered": corners_covered,
    "histogram_equalised": equalised,
    "half_resolution": coarse,
}
"""Changes that every film can undergo, by name."""
