"""Colour that is really grey, and colour that is not.

Films reach the web through screenshots and camera phones: stored as RGB, often with a tint, often
with a coloured arrow on them. In the public films at hand, 25 of 10,253 carry a mean chroma that
a plain threshold would refuse, and all of them are radiographs. What tells a film from a
photograph is not how much colour there is: on a tinted film one brightness has one colour. So the
test here looks for brightnesses that come in more than one colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageChops

from hilum.domain.errors import ColourFilm

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_OFF_TINT: Final = 0.10
"""Share of pixels that may have a colour of their own: arrows, letters, a logo."""

_CHROMA_TOLERANCE: Final = 12.0
_BRIGHTNESS_STEPS: Final = 16
_LOOKED_AT: Final = 256


def grey_of(image: Image.Image) -> Image.Image:
    """Luminance of an RGB picture that is a radiograph.

    Args:
        image: Mode ``RGB``.

    Returns:
        Mode ``L``: ITU-R BT.601 luma; the common value where all three samples are alike.

    Raises:
        ColourFilm: More than ``LARGEST_OFF_TINT`` of the picture has real colour.
    """
    red, green, blue = image.split()
    if not (
        ImageChops.difference(red, green).getbbox() or ImageChops.difference(red, blue).getbbox()
    ):
        return red
    share = off_tint_share(image)
    if share > LARGEST_OFF_TINT:
        raise ColourFilm(
            f"{share:.0%} of the picture is in colour; a radiograph may have "
            f"{LARGEST_OFF_TINT:.0%} (marks, letters)."
        )
    return image.convert("L")


def off_tint_share(image: Image.Image) -> float:
    """Share of pixels whose chroma differs from what their brightness mostly has.

    Args:
        image: Mode ``RGB``, any size; looked at in 256 x 256 cells at most, which also averages
            JPEG's chroma noise away.

    Returns:
        0.0 (grey, or one tint throughout) to 1.0.
    """
    step = max(1, -(-max(image.size) // _LOOKED_AT))
    small = np.asarray(image.reduce(step).convert("YCbCr"), dtype=np.int16).reshape(-1, 3)
    level = small[:, 0] * _BRIGHTNESS_STEPS // 256
    chroma = small[:, 1:].astype(np.float32)
    off = 0
    for value in range(_BRIGHTNESS_STEPS):
        these = chroma[level == value]
        if these.size:
            distance = np.abs(these - np.median(these, axis=0)).max(axis=1)
            off += int(np.count_nonzero(distance > _CHROMA_TOLERANCE))
    return off / level.size


def grey_of_array(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``grey_of`` for pixels that are already decoded.

    Args:
        rgb: uint8 [H, W, 3].

    Returns:
        uint8 [H, W].

    Raises:
        ColourFilm: As ``grey_of``.
    """
    return np.asarray(grey_of(Image.fromarray(np.ascontiguousarray(rgb))), dtype=np.uint8)
