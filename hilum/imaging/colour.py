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
_NEUTRAL: Final = 2
_LUMA: Final = (0.299, 0.587, 0.114)


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
    _refuse_colour(image)
    return image.convert("L")


def _refuse_colour(image: Image.Image) -> None:
    share = off_tint_share(image)
    if share > LARGEST_OFF_TINT:
        raise ColourFilm(
            f"{share:.0%} of the picture is in colour; a radiograph may have "
            f"{LARGEST_OFF_TINT:.0%} (marks, letters)."
        )


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


def grey_of_array(samples: NDArray[np.uint8], *, ybr: bool = False) -> NDArray[np.uint8]:
    """Return the luminance of decoded pixels that are a radiograph.

    Args:
        samples: uint8 [H, W, 3].
        ybr: Whether they are luminance and two chrominances, full range (PS3.3 C.7.6.3.1.2).

    Returns:
        uint8 [H, W].

    Raises:
        ColourFilm: As ``grey_of``.
    """
    alone = plain_grey(samples, bits=8)
    if alone is not None:
        return np.ascontiguousarray(alone, dtype=np.uint8)
    image = Image.fromarray(np.ascontiguousarray(samples), "YCbCr" if ybr else "RGB")
    return np.asarray(grey_of(image.convert("RGB")), dtype=np.uint8)


def plain_grey(
    samples: NDArray[np.unsignedinteger], *, bits: int
) -> NDArray[np.unsignedinteger] | None:
    """Find the sample that is the whole picture, whatever the samples are said to be.

    Args:
        samples: [H, W, 3].
        bits: Bits of a sample.

    Returns:
        [H, W]: the first sample, where all three are alike (grey as RGB), or where the other two
        stay at the middle (grey as luminance and chrominances). Else None.
    """
    first, second, third = (samples[..., index] for index in range(3))
    if np.array_equal(first, second) and np.array_equal(first, third):
        return first
    middle = 1 << (bits - 1)
    if all(_stays_near(one, middle) for one in (second, third)):
        return first
    return None


def _stays_near(samples: NDArray[np.unsignedinteger], middle: int) -> bool:
    low, high = middle - _NEUTRAL, middle + _NEUTRAL
    # A look at one row spares most pictures the rest.
    return all(
        low <= int(part.min()) and int(part.max()) <= high for part in (samples[:1], samples)
    )


def deep_grey(
    samples: NDArray[np.uint16], *, bits: int = 16, ybr: bool = False
) -> NDArray[np.uint16]:
    """Do as ``grey_of_array`` for samples of more than 8 bits, and keep their depth.

    Args:
        samples: uint16 [H, W, 3].
        bits: Bits of a sample.
        ybr: Whether they are luminance and two chrominances, full range.

    Returns:
        uint16 [H, W].

    Raises:
        ColourFilm: As ``grey_of``.
    """
    alone = plain_grey(samples, bits=bits)
    if alone is not None:
        return np.ascontiguousarray(alone, dtype=np.uint16)
    # Chroma is judged at the depth that is in use: 12-bit samples may stand in 16 bits.
    used = bits if ybr else max(8, int(samples.max()).bit_length())
    top: NDArray[np.uint8] = (samples >> (used - 8)).astype(np.uint8)
    _refuse_colour(Image.fromarray(top, "YCbCr" if ybr else "RGB").convert("RGB"))
    if ybr:
        return np.ascontiguousarray(samples[..., 0])
    luma = np.zeros(samples.shape[:2], dtype=np.float32)
    for index, weight in enumerate(_LUMA):
        luma += np.float32(weight) * samples[..., index]
    return np.rint(luma).astype(np.uint16)
