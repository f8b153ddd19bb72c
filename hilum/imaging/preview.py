"""The small picture of a film that a browser shows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum.imaging.png_writer import encode_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.imaging.film import Film

PREVIEW_LONG_SIDE: Final = 1024


def preview_pixels(
    pixels: NDArray[np.uint8], long_side: int = PREVIEW_LONG_SIDE
) -> NDArray[np.uint8]:
    """Shrink a film for the screen: box filter, aspect kept, never enlarged.

    Args:
        pixels: uint8 [H, W].
        long_side: Pixels of the longer side of the result, at most.

    Returns:
        uint8 [h, w].
    """
    rows, columns = pixels.shape
    scale = long_side / max(rows, columns)
    if scale >= 1.0:
        return pixels
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BOX)
    return np.asarray(small, dtype=np.uint8)


def render_preview(film: Film, long_side: int = PREVIEW_LONG_SIDE) -> bytes:
    """The preview of a film as a file.

    Args:
        film: The film.
        long_side: Pixels of the longer side, at most.

    Returns:
        A PNG file: 8-bit grey.
    """
    return encode_png(preview_pixels(film.pixels, long_side))


def decode_preview(png: bytes) -> NDArray[np.uint8]:
    """Read back a preview that this program wrote.

    Args:
        png: A file from ``render_preview``.

    Returns:
        uint8 [h, w].
    """
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return np.asarray(image.convert("L"), dtype=np.uint8)
