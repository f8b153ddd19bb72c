"""PNG with 16 bits per sample and more than one sample per pixel, at its full depth."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum.imaging.colour import LUMA, cells, reduction, refuse_colour, row_bands, stays_near
from hilum.imaging.deep_png_bands import decoded_bands
from hilum.imaging.grey import GreyTransform, StoredBits, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from hilum.imaging.film import FilmHeader

_DEEP: Final = 16
_OPAQUE: Final = 65_535
_MIDDLE: Final = 32_768


def is_deep_colour(header: FilmHeader) -> bool:
    """Whether a file has 16 bits per sample and colour or transparency."""
    return header.media_type == "image/png" and header.bits == _DEEP and (header.samples or 1) > 1


def deep_png_grey(data: bytes, header: FilmHeader) -> NDArray[np.uint16]:
    """Decode a 16-bit PNG with 2, 3 or 4 samples per pixel, band by band.

    Args:
        data: The file.
        header: What it says of itself, checked.

    Returns:
        uint16 [H, W]: luminance, with transparency laid over black.

    Raises:
        ColourFilm: The picture has real colour.
        TruncatedFilm: The file ends before its pixels do.
    """
    shape, count = (header.rows or 0, header.columns or 0), header.samples or 1
    bands = partial(decoded_bands, data, shape, count, multiple=reduction(shape))
    grey = np.empty(shape, dtype=np.uint16)
    plain = neutral = True
    largest = 0
    for top, channels in bands():
        shown = _over_black(channels)
        grey[top : top + len(shown[0])] = shown[0]
        plain = plain and all(np.array_equal(shown[0], other) for other in shown[1:])
        neutral = neutral and all(stays_near(other, _MIDDLE) for other in shown[1:])
        largest = max(largest, *(int(channel.max()) for channel in shown))
    if not (plain or neutral):
        _luminance(bands, max(8, largest.bit_length()) - 8, reduction(shape), grey)
    return grey


def _luminance(
    bands: Callable[[], Iterator[tuple[int, list[NDArray[np.uint16]]]]],
    shift: int,
    step: int,
    grey: NDArray[np.uint16],
) -> None:
    """Write the luminance of colours, and refuse real colour, judged at the depth in use."""
    looked_at = []
    for top, channels in bands():
        shown = _over_black(channels)
        eight = np.stack([(channel >> shift).astype(np.uint8) for channel in shown], axis=-1)
        looked_at.append(cells(Image.fromarray(eight, "RGB"), step))
        luma = np.zeros(shown[0].shape, dtype=np.float32)
        for weight, channel in zip(LUMA, shown, strict=True):
            luma += np.float32(weight) * channel
        grey[top : top + len(luma)] = np.rint(luma).astype(np.uint16)
    refuse_colour(np.vstack(looked_at))


def render_deep(samples: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Show 16-bit samples that bring no window.

    Args:
        samples: uint16 [H, W].

    Returns:
        uint8 [H, W]: stretched between robust percentiles, unless every sample is an 8-bit value
        written twice, which is undone exactly.
    """
    shape = (samples.shape[0], samples.shape[1])
    if all(_written_twice(samples[top:bottom]) for top, bottom in row_bands(shape)):
        return (samples & 0xFF).astype(np.uint8)
    return render(samples, GreyTransform(StoredBits(allocated=16, stored=16)))


def _written_twice(samples: NDArray[np.uint16]) -> bool:
    return np.array_equal(samples >> 8, samples & 0xFF)


def _over_black(channels: list[NDArray[np.uint16]]) -> list[NDArray[np.uint16]]:
    """Lay grey and alpha, or colours and alpha, over black."""
    if len(channels) % 2:
        return channels
    *colours, alpha = channels
    if int(alpha.min()) == _OPAQUE:
        return colours
    share = alpha.astype(np.float32) / np.float32(_OPAQUE)
    return [np.rint(colour * share).astype(np.uint16) for colour in colours]
