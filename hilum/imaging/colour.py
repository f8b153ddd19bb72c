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
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

LARGEST_OFF_TINT: Final = 0.10
"""Share of pixels that may have a colour of their own: arrows, letters, a logo."""

_CHROMA_TOLERANCE: Final = 12.0
_BRIGHTNESS_STEPS: Final = 16
_LOOKED_AT: Final = 256
_NEUTRAL: Final = 2
_BAND_PIXELS: Final = 1_000_000

LUMA: Final = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luminance (ITU-R BT.601)."""


def row_bands(
    shape: tuple[int, int], multiple: int = 1, pixels: int = _BAND_PIXELS
) -> Iterator[tuple[int, int]]:
    """Divide an image into bands, so that a copy of one needs little memory.

    Args:
        shape: Rows and columns.
        multiple: Rows of a band are a multiple of it.
        pixels: Most pixels of a band of more rows than that.

    Yields:
        First row of a band and the row behind its last.
    """
    rows, columns = shape
    height = max(multiple, pixels // columns // multiple * multiple)
    for top in range(0, rows, height):
        yield top, min(top + height, rows)


def grey_of(image: Image.Image) -> NDArray[np.uint8]:
    """Luminance of an RGB picture that is a radiograph, as ``grey_of_bands``."""
    return grey_of_bands(
        (image.height, image.width), lambda top, bottom: image.crop((0, top, image.width, bottom))
    )


def grey_of_bands(
    shape: tuple[int, int], band: Callable[[int, int], Image.Image]
) -> NDArray[np.uint8]:
    """Luminance of an RGB picture that is a radiograph, made band by band.

    Args:
        shape: Rows and columns.
        band: Gives the rows from one to before another, mode ``RGB``. Asked twice for colours.

    Returns:
        uint8 [H, W]: ITU-R BT.601 luma; the common value where all three samples are alike.

    Raises:
        ColourFilm: More than ``LARGEST_OFF_TINT`` of the picture has real colour.
    """
    step = reduction(shape)
    grey = np.empty(shape, dtype=np.uint8)
    plain = True
    for top, bottom in row_bands(shape, step):
        part = band(top, bottom)
        plain = plain and _is_plain(part)
        grey[top:bottom] = np.asarray(part.convert("L"))
    if not plain:
        refuse_colour(
            np.vstack([cells(band(*rows), step) for rows in row_bands(shape, step)]),
        )
    return grey


def _is_plain(image: Image.Image) -> bool:
    red, green, blue = image.split()
    return not (
        ImageChops.difference(red, green).getbbox() or ImageChops.difference(red, blue).getbbox()
    )


def reduction(shape: tuple[int, int]) -> int:
    """Pixels of a side of the cells in which colour is looked at: 256 x 256 cells at most."""
    return max(1, -(-max(shape) // _LOOKED_AT))


def cells(image: Image.Image, step: int) -> NDArray[np.int16]:
    """Average an image in cells, which also averages JPEG's chroma noise away.

    Args:
        image: Mode ``RGB``.
        step: Pixels of a side of a cell.

    Returns:
        int16 [H / step, W / step, 3]: luminance and two chrominances.
    """
    return np.asarray(image.reduce(step).convert("YCbCr"), dtype=np.int16)


def refuse_colour(small: NDArray[np.int16]) -> None:
    """Refuse a picture with real colour.

    Args:
        small: Its cells, see :func:`cells`.

    Raises:
        ColourFilm: More than ``LARGEST_OFF_TINT`` of it has real colour.
    """
    share = _off_tint(small)
    if share > LARGEST_OFF_TINT:
        raise ColourFilm(
            f"{share:.0%} of the picture is in colour; a radiograph may have "
            f"{LARGEST_OFF_TINT:.0%} (marks, letters)."
        )


def off_tint_share(image: Image.Image) -> float:
    """Share of pixels whose chroma differs from what their brightness mostly has.

    Args:
        image: Mode ``RGB``, any size.

    Returns:
        0.0 (grey, or one tint throughout) to 1.0.
    """
    return _off_tint(cells(image, reduction(image.size)))


def _off_tint(small: NDArray[np.int16]) -> float:
    flat = small.reshape(-1, 3)
    level = flat[:, 0] * _BRIGHTNESS_STEPS // 256
    chroma = flat[:, 1:].astype(np.float32)
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

    def band(top: int, bottom: int) -> Image.Image:
        part = np.ascontiguousarray(samples[top:bottom])
        return Image.fromarray(part, "YCbCr" if ybr else "RGB").convert("RGB")

    return grey_of_bands((samples.shape[0], samples.shape[1]), band)


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
    if all(stays_near(one, middle) for one in (second, third)):
        return first
    return None


def stays_near(samples: NDArray[np.unsignedinteger], middle: int) -> bool:
    """Whether samples are chrominance without colour: never far from the middle."""
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
    whole = Image.fromarray(top, "YCbCr" if ybr else "RGB").convert("RGB")
    refuse_colour(cells(whole, reduction(whole.size)))
    if ybr:
        return np.ascontiguousarray(samples[..., 0])
    luma = np.zeros(samples.shape[:2], dtype=np.float32)
    for index, weight in enumerate(LUMA):
        luma += np.float32(weight) * samples[..., index]
    return np.rint(luma).astype(np.uint16)
