"""PNG with 16 bits per sample and more than one sample per pixel, at its full depth.

Pillow keeps the upper byte of such samples alone, so 12-bit values in 16 bits end as 16 shades.
Here it decodes the same bytes under another name, twice where it has to, and both bytes are kept.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum.imaging.colour import deep_grey
from hilum.imaging.grey import GreyTransform, StoredBits, render

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.imaging.film import FilmHeader

_DEEP: Final = 16
_IHDR_END: Final = 33
_GREY_ALPHA: Final = 2
_OPAQUE: Final = 65_535
_REPLICATION: Final = 257
_RGBA_OF_EIGHT_BITS: Final = b"\x08\x06"


def is_deep_colour(header: FilmHeader) -> bool:
    """Whether a file has 16 bits per sample and colour or transparency."""
    return header.media_type == "image/png" and header.bits == _DEEP and (header.samples or 1) > 1


def deep_png_grey(data: bytes, header: FilmHeader) -> NDArray[np.uint16]:
    """Decode a 16-bit PNG with 2, 3 or 4 samples per pixel.

    Args:
        data: The file.
        header: What it says of itself, checked.

    Returns:
        uint16 [H, W]: luminance, with transparency laid over black.

    Raises:
        ColourFilm: The picture has real colour.
    """
    if header.samples == _GREY_ALPHA:
        grey, alpha = _grey_and_alpha(data)
        return _over_black(grey, alpha)
    kind = "RGB" if header.samples == 3 else "RGBA"  # noqa: PLR2004 - red, green, blue
    high, low = _decoded(data, f"{kind};16B"), _decoded(data, f"{kind};16L")
    channels = [_channel(high, low, index) for index in range(len(kind))]
    if len(channels) > 3:  # noqa: PLR2004 - as above
        alpha = channels.pop()
        channels = [_over_black(channel, alpha) for channel in channels]
    red, green, blue = channels
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red
    return deep_grey(np.stack(channels, axis=-1))


def render_deep(samples: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Show 16-bit samples that bring no window.

    Args:
        samples: uint16 [H, W].

    Returns:
        uint8 [H, W]: stretched between robust percentiles, unless every sample is an 8-bit value
        written twice, which is undone exactly.
    """
    high: NDArray[np.uint8] = (samples >> 8).astype(np.uint8)
    if np.array_equal(samples, high * np.uint16(_REPLICATION)):
        return high
    return render(samples, GreyTransform(StoredBits(allocated=16, stored=16)))


def _decoded(data: bytes, raw_mode: str) -> Image.Image:
    """Decode with a raw mode that picks the upper (16B) or the lower byte (16L) of samples."""
    image = Image.open(io.BytesIO(data), formats=["PNG"])
    image.tile = [image.tile[0]._replace(args=raw_mode)]
    image.load()
    return image


def _channel(high: Image.Image, low: Image.Image, index: int) -> NDArray[np.uint16]:
    samples = np.asarray(high.getchannel(index)).astype(np.uint16)
    samples <<= 8
    samples |= np.asarray(low.getchannel(index))
    return samples


def _grey_and_alpha(data: bytes) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Decode as RGBA of 8 bits: as many bytes per pixel, filtered alike (W3C PNG section 9.2)."""
    body = b"IHDR" + data[16:24] + _RGBA_OF_EIGHT_BITS + data[26:29]
    named = data[:12] + body + struct.pack(">I", zlib.crc32(body)) + data[_IHDR_END:]
    with Image.open(io.BytesIO(named), formats=["PNG"]) as image:
        image.load()
        pairs = np.asarray(image, dtype=np.uint8).view(">u2")
    return pairs[..., 0].astype(np.uint16), pairs[..., 1].astype(np.uint16)


def _over_black(samples: NDArray[np.uint16], alpha: NDArray[np.uint16]) -> NDArray[np.uint16]:
    if int(alpha.min()) == _OPAQUE:
        return samples
    share = alpha.astype(np.float32) / np.float32(_OPAQUE)
    return np.rint(samples * share).astype(np.uint16)
