"""PNG and JPEG films, decoded with Pillow."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

from hilum.domain.errors import (
    ColourFilm,
    FileTooLarge,
    MultiFrameFilm,
    Rejected,
    TooManyPixels,
    TruncatedFilm,
    UnreadableFilm,
    WorkingMemoryExceeded,
)
from hilum.imaging.budget import NotPlain
from hilum.imaging.colour import grey_of_bands, row_bands
from hilum.imaging.deep_png import deep_png_grey, is_deep_colour, render_deep
from hilum.imaging.film import Film, FilmHeader, FilmLimits
from hilum.imaging.jpeg_header import scans_at
from hilum.imaging.metadata_cost import png_exif
from hilum.imaging.raster_cost import check_raster_cost
from hilum.imaging.sniff import check_limits, check_smallest_side, inspect

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Text that Pillow may inflate, in bytes. By default it is 64 MiB.
PngImagePlugin.MAX_TEXT_MEMORY = 8 * 1024 * 1024

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_END_OF_IMAGE: Final = b"\xff\xd9"
_PILLOW_FORMATS: Final = {"image/png": "PNG", "image/jpeg": "JPEG"}


def decode_raster(data: bytes, limits: FilmLimits, *, plain_pixels: int | None = None) -> Film:
    """Decode a PNG or JPEG film.

    8 bits are presentation values as they stand. 16-bit PNG, grey or in colour, is read like a
    DICOM film without a window: stretched between robust percentiles, unless every sample is an
    8-bit value written twice (the PNG standard's way up from 8 bits), which is undone exactly.
    EXIF orientation is applied. Transparency is laid over black. A palette or RGB is accepted
    where it is grey.

    Args:
        data: The whole file.
        limits: Checked on the header, before pixels are decoded.
        plain_pixels: Most pixels of a grey image of 16 bits that costs as much, or None.

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
        NotPlain: It costs more than ``plain_pixels``.
    """
    if len(data) > limits.max_bytes:
        raise FileTooLarge(
            f"The file has {len(data)} bytes; the limit is {limits.max_bytes} bytes."
        )
    header = inspect(data, len(data))
    check_limits(header, len(data), limits)
    check_smallest_side(header)
    cost = check_raster_cost(data, header)
    if header.media_type == "image/jpeg" and data.find(_END_OF_IMAGE, scans_at(data)) < 0:
        raise TruncatedFilm("The file ends before its pixels do.")
    if plain_pixels is not None and cost > plain_pixels:
        raise NotPlain(large=True)
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


def _reason(error: Exception, header: FilmHeader) -> Rejected:
    text = str(error).lower()
    if "text chunks" in text or "decompressed data too large" in text:
        return WorkingMemoryExceeded("The text in the PNG file is larger than can be read.")
    if "truncated" in text or isinstance(error, EOFError):
        return TruncatedFilm("The file ends before its pixels do.")
    return UnreadableFilm(f"The {_PILLOW_FORMATS[header.media_type]} file cannot be decoded.")


def _deep_pixels(data: bytes, header: FilmHeader) -> NDArray[np.uint8]:
    """16 bits with colour or transparency, which Pillow would cut to 8."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        _check(image, header)
    exif = Image.Exif()  # the file's own would decode its pixels first
    with suppress(Exception):
        exif.load(png_exif(data))
    return _turned(render_deep(deep_png_grey(data, header)), _orientation(exif))


def _check(image: Image.Image, header: FilmHeader) -> None:
    if image.size != (header.columns, header.rows):
        raise UnreadableFilm("The file gives two different sizes for its picture.")
    if header.media_type == "image/png" and getattr(image, "n_frames", 1) > 1:
        raise MultiFrameFilm("An animated PNG; a film has one frame.")


def _pixels(image: Image.Image, header: FilmHeader) -> NDArray[np.uint8]:
    _check(image, header)
    image.load()
    orientation = None
    with suppress(Exception):
        orientation = _orientation(image.getexif())
    if image.mode == "I;16":
        return _turned(render_deep(_deep_samples(image)), orientation)
    return _turned(_grey(image), orientation)


def _orientation(exif: Image.Exif) -> int | None:
    """A damaged EXIF block says nothing about orientation, and nothing about the pixels."""
    with suppress(Exception):
        value: int | None = exif.get(ExifTags.Base.Orientation)
        return value
    return None


def _turned(shown: NDArray[np.uint8], orientation: int | None) -> NDArray[np.uint8]:
    turn = _TURNS.get(orientation or 0)
    if turn is None:
        return shown
    return np.asarray(Image.fromarray(shown).transpose(turn), dtype=np.uint8)


def _deep_samples(image: Image.Image) -> NDArray[np.uint16]:
    """Samples of mode I;16, band by band: Pillow copies twice what numpy asks for."""
    samples = np.empty((image.height, image.width), dtype=np.uint16)
    for top, bottom in row_bands(samples.shape):
        samples[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return samples


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    transparent = "transparency" in image.info
    if image.mode == "L" and not transparent:
        return np.asarray(image, dtype=np.uint8)
    if image.mode == "CMYK":
        raise ColourFilm("A CMYK picture, made for print; a radiograph is grey.")
    if image.mode not in {"L", "RGB", "P", "LA", "PA", "RGBA"}:
        raise UnreadableFilm(f"Pixels of kind {image.mode} have no shades of grey to read.")

    def band(top: int, bottom: int) -> Image.Image:
        part = image.crop((0, top, image.width, bottom))
        return part if part.mode == "RGB" and not transparent else _over_black(part)

    return grey_of_bands((image.height, image.width), band)


def _over_black(image: Image.Image) -> Image.Image:
    samples = image.convert("RGBA")
    if samples.getchannel("A").getextrema() == (255, 255):
        return samples.convert("RGB")
    black = Image.new("RGBA", samples.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, samples).convert("RGB")
