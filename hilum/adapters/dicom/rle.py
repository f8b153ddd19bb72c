"""RLE Lossless (PS3.5 annex G), decoded within the space that the picture needs."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum.domain.errors import TruncatedFilm, UnreadableFilm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.adapters.dicom.image_pixel import ImagePixel

_HEADER: Final = 64


def decode_rle(frame: bytes, pixel: ImagePixel) -> NDArray[np.unsignedinteger]:
    """Decode one frame.

    Args:
        frame: The frame's fragments, joined.
        pixel: Description of the picture.

    Returns:
        uint8 or uint16 [H, W] for one sample per pixel, [H, W, 3] for three: patterns as stored.

    Raises:
        TruncatedFilm: A segment holds fewer bytes than the picture has pixels.
        UnreadableFilm: The RLE header does not fit the picture.
    """
    width = pixel.allocated // 8
    wanted = width * pixel.samples
    if len(frame) < _HEADER:
        raise TruncatedFilm("The RLE frame ends inside its header.")
    count, *offsets = struct.unpack_from("<16L", frame)
    starts = offsets[:wanted]
    if count != wanted or starts != sorted(starts) or starts[0] < _HEADER:
        raise UnreadableFilm(f"The RLE frame has {count} segments; the picture needs {wanted}.")
    ends = [*starts[1:], len(frame)]
    size = pixel.rows * pixel.columns
    # Segments run from the most significant byte of the first sample down (G.2).
    planes = np.empty((pixel.samples, size, width), dtype=np.uint8)
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        segment = _unpack_bits(frame[start:end], size)
        planes[index // width, :, width - 1 - index % width] = np.asarray(segment)[0]
    samples: NDArray[np.unsignedinteger] = planes.view(f"<u{width}").reshape(
        pixel.samples, pixel.rows, pixel.columns
    )
    if pixel.samples == 1:
        return samples.reshape(pixel.rows, pixel.columns)
    return np.ascontiguousarray(samples.transpose(1, 2, 0))


def _unpack_bits(segment: bytes, size: int) -> Image.Image:
    """Decode one segment (G.3.2), as an image of one line that stops after ``size`` bytes.

    Pillow's decoder of TIFF's PackBits reads the same. In Python, a segment of 30 MB that does
    nothing takes seconds.
    """
    try:
        return Image.frombytes("L", (size, 1), segment, "packbits", "L")
    except ValueError as error:
        raise TruncatedFilm("An RLE segment ends before the picture does.") from error
