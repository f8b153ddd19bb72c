"""PNG of 16 bits with colour or transparency, at its full depth."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from hilum.domain.errors import ColourFilm, Rejected
from hilum.imaging.film import FilmLimits
from hilum.imaging.raster import decode_raster
from tests.unit.imaging.pictures import chunk, colour_photograph, png, waves

GREY = waves().astype(np.uint16)
DEEP = GREY * 16
COLOUR_TYPES = {2: 4, 3: 2, 4: 6}


def deep_png(samples, *, extra=b"", filtered=0):
    """A 16-bit PNG of 2, 3 or 4 samples per pixel; no library here writes one."""
    rows, columns, count = samples.shape
    lines = samples.astype(">u2").view(np.uint8).reshape(rows, -1)
    if filtered == 1:  # Sub: the difference to the pixel on the left
        left = np.pad(lines, ((0, 0), (2 * count, 0)))[:, : lines.shape[1]]
        lines = lines - left
    elif filtered == 2:  # Up: the difference to the line above
        lines = lines - np.vstack([np.zeros_like(lines[:1]), lines[:-1]])
    body = b"".join(bytes([filtered]) + line.tobytes() for line in lines)
    ihdr = struct.pack(">IIBBBBB", columns, rows, 16, COLOUR_TYPES[count], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", ihdr)
        + extra
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )


def layers(grey, count, alpha=65535):
    """Grey as RGB, grey and alpha, or RGBA."""
    filled = np.full_like(grey, alpha)
    return np.stack(
        {2: [grey, filled], 3: [grey] * 3, 4: [grey, grey, grey, filled]}[count], axis=-1
    )


def pixels_of(data):
    return decode_raster(data, FilmLimits()).pixels


@pytest.mark.parametrize("filtered", [0, 1, 2])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_12_bit_values_keep_their_depth(count, filtered):
    """Every layout of 16 bits shows the same film as plain 16-bit grey."""
    plain = pixels_of(png(DEEP))
    assert np.array_equal(pixels_of(deep_png(layers(DEEP, count), filtered=filtered)), plain)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_samples_that_were_8_bits_are_undone_exactly(count):
    """Samples that are an 8-bit value written twice give that value back."""
    assert np.array_equal(pixels_of(deep_png(layers(GREY * 257, count))), GREY)


@pytest.mark.parametrize("count", [2, 4])
def test_transparency_is_laid_over_black(count):
    """Half transparent samples are half as bright, and transparent ones black."""
    samples = layers(GREY * 257, count)
    samples[:40, :, -1] = 0
    shown = pixels_of(deep_png(samples))
    assert not shown[:40].any()
    assert np.array_equal(shown[40:] > 128, GREY[40:] > 128)


def test_a_tint_is_accepted_and_a_photograph_is_not():
    """Luminance keeps the order of greys, and real colour is refused."""
    tinted = np.rint(layers(DEEP, 3) * [1.0, 0.9, 0.8]).astype(np.uint16)
    shown = pixels_of(deep_png(tinted))
    assert np.corrcoef(shown.ravel(), DEEP.ravel())[0, 1] > 0.99
    with pytest.raises(ColourFilm, match="in colour"):
        pixels_of(deep_png(colour_photograph().astype(np.uint16) * 16))


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_orientation_is_applied(orientation, count):
    """An eXIf chunk rotates the film, as it does at 8 bits."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    extra = chunk(b"eXIf", exif.tobytes()[6:])
    plain = pixels_of(deep_png(layers(DEEP, count)))
    turned = pixels_of(deep_png(layers(DEEP, count), extra=extra))
    assert np.array_equal(turned, np.rot90(plain, {1: 0, 3: 2, 6: -1, 8: 1}[orientation]))


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_file_is_refused(share, count):
    """A file that ends early is refused with a reason."""
    data = deep_png(layers(DEEP, count))
    with pytest.raises(Rejected):
        pixels_of(data[: int(len(data) * share)])
