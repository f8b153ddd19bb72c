"""PNG and JPEG films, decoded with Pillow."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import ExifTags, Image, ImageOps

from hilum.domain.errors import (
    ColourFilm,
    FileTooLarge,
    MultiFrameFilm,
    Rejected,
    TooManyPixels,
    TruncatedFilm,
    UnreadableFilm,
)
from hilum.imaging.colour import grey_of
from hilum.imaging.deep_png import deep_png_grey, is_deep_colour, render_deep
from hilum.imaging.film import Film, FilmHeader, FilmLimits
from hilum.imaging.sniff import check_limits, check_smallest_side, inspect

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_SCAN_COUNT: Final = 256
"""Scans of a JPEG. A progressive encoder writes about ten; thousands are an attack on the CPU."""

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PILLOW_FORMATS: Final = {"image/png": "PNG", "image/jpeg": "JPEG"}


def decode_raster(data: bytes, limits: FilmLimits) -> Film:
    """Decode a PNG or JPEG film.

    8 bits are presentation values as they stand. 16-bit PNG, grey or in colour, is read like a
    DICOM film without a window: stretched between robust percentiles, unless every sample is an
    8-bit value written twice (the PNG standard's way up from 8 bits), which is undone exactly.
    EXIF orientation is applied. Transparency is laid over black. A palette or RGB is accepted
    where it is grey.

    Args:
        data: The whole file.
        limits: Checked on the header, before pixels are decoded.

    Returns:
        The film.

    Raises:
        UnsupportedFormat: Neither PNG nor JPEG.
        TruncatedFilm: The file ends before its pixels do.
        UnreadableFilm: It cannot be decoded, or is not a picture with shades (1 bit, CMYK).
        MultiFrameFilm: An animated PNG.
        ColourFilm: A photograph, not a radiograph.
        FilmTooSmall: A side under 64 pixels.
        LimitExceeded: A limit, named in the text.
    """
    if len(data) > limits.max_bytes:
        raise FileTooLarge(
            f"The file has {len(data)} bytes; the limit is {limits.max_bytes} bytes."
        )
    header = inspect(data, len(data))
    check_limits(header, len(data), limits)
    check_smallest_side(header)
    if header.media_type == "image/jpeg" and data.count(b"\xff\xda") > LARGEST_SCAN_COUNT:
        raise UnreadableFilm(f"The JPEG has more than {LARGEST_SCAN_COUNT} scans.")
    try:
        if is_deep_colour(header):
            return Film(_deep_pixels(data, header), header)
        with Image.open(io.BytesIO(data), formats=[_PILLOW_FORMATS[header.media_type]]) as image:
            return Film(_pixels(image, header), header)
    except (Rejected, MemoryError):  # no memory left is not the file's fault
        raise
    except Image.DecompressionBombError as error:
        raise TooManyPixels("The film has more pixels than the decoder allows.") from error
    except Exception as error:
        # Whatever a decoder raises on hostile bytes, the file is what is at fault.
        raise _reason(error, header) from error


def _reason(error: Exception, header: FilmHeader) -> UnreadableFilm:
    text = str(error).lower()
    if "truncated" in text or isinstance(error, EOFError):
        return TruncatedFilm("The file ends before its pixels do.")
    return UnreadableFilm(f"The {_PILLOW_FORMATS[header.media_type]} file cannot be decoded.")


def _deep_pixels(data: bytes, header: FilmHeader) -> NDArray[np.uint8]:
    """16 bits with colour or transparency, which Pillow would cut to 8."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        _check(image, header)
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    shown = render_deep(deep_png_grey(data, header))
    turn = _TURNS.get(orientation or 0)
    if turn is None:
        return shown
    return np.asarray(Image.fromarray(shown).transpose(turn), dtype=np.uint8)


def _check(image: Image.Image, header: FilmHeader) -> None:
    if image.size != (header.columns, header.rows):
        raise UnreadableFilm("The file gives two different sizes for its picture.")
    if header.media_type == "image/png" and getattr(image, "n_frames", 1) > 1:
        raise MultiFrameFilm("An animated PNG; a film has one frame.")


def _pixels(image: Image.Image, header: FilmHeader) -> NDArray[np.uint8]:
    _check(image, header)
    image.load()
    with suppress(Exception):
        # A damaged EXIF block says nothing about orientation, and nothing about the pixels.
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode == "I;16":
        return render_deep(np.asarray(image, dtype=np.uint16))
    return np.asarray(_to_grey(image), dtype=np.uint8)


def _to_grey(image: Image.Image) -> Image.Image:
    if image.mode == "L" and "transparency" not in image.info:
        return image
    if image.mode == "RGB" and "transparency" not in image.info:
        return grey_of(image)
    if image.mode == "CMYK":
        raise ColourFilm("A CMYK picture, made for print; a radiograph is grey.")
    if image.mode not in {"L", "RGB", "P", "LA", "PA", "RGBA"}:
        raise UnreadableFilm(f"Pixels of kind {image.mode} have no shades of grey to read.")
    return grey_of(_over_black(image.convert("RGBA")))


def _over_black(image: Image.Image) -> Image.Image:
    if image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    black = Image.new("RGBA", image.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, image).convert("RGB")
