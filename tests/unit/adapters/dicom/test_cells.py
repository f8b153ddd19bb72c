"""Where a value sits in its cell, under compression, and padding that it cannot hold."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import uid

from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.recast import WINDOW, codestream_of, in_window, recast

ENCODERS = {
    "native": lambda p: films.film(p, bits=16),
    "big endian": lambda p: films.big_endian(p, bits=16),
    "rle": lambda p: films.compressed(uid.RLELossless, p, bits=16),
    "jpeg-ls": lambda p: films.compressed(uid.JPEGLSLossless, p, bits=16),
    "jpeg 2000": lambda p: films.jpeg_2000(uid.JPEG2000Lossless, p, bits=16),
    "jpeg lossless": lambda p: films.through_gdcm("JPEGLosslessProcess14_1", p, bits=16),
}
PIXELS = films.scene(bits=12)


@pytest.mark.parametrize("name", ENCODERS)
def test_overlay_bits_do_not_show_under_any_syntax(name, reader):
    """Bits above Bits Stored, here of a retired overlay, are no part of the value."""
    marked = PIXELS.copy()
    marked[20:60, 20:60] |= 0x4000
    data = recast(ENCODERS[name](marked), BitsStored=12, HighBit=11, **WINDOW)
    assert np.array_equal(reader.read(data).pixels, in_window(PIXELS))


@pytest.mark.parametrize("name", ENCODERS)
def test_values_to_the_left_of_their_cell_are_shifted_down(name, reader):
    """High Bit 15 over 12 bits puts the value into the upper bits, under any syntax."""
    data = recast(ENCODERS[name](PIXELS << 4), BitsStored=12, HighBit=15, **WINDOW)
    assert np.array_equal(reader.read(data).pixels, in_window(PIXELS))


@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize("name", ENCODERS)
def test_signed_values_in_a_wider_codestream(name, extended, reader):
    """12 signed bits in a 16-bit codestream are read with and without their sign extended."""
    cells = (PIXELS.astype(np.int32) - 2048) & (0xFFFF if extended else 0x0FFF)
    data = recast(
        ENCODERS[name](cells.astype(np.uint16)),
        BitsStored=12,
        HighBit=11,
        PixelRepresentation=1,
        RescaleIntercept=2048,
        RescaleSlope=1,
        **WINDOW,
    )
    assert np.array_equal(reader.read(data).pixels, in_window(PIXELS))


@pytest.mark.parametrize("syntax", [uid.JPEGLSLossless, uid.JPEG2000Lossless])
def test_a_narrower_codestream_narrows_the_cell(syntax, reader):
    """A codestream of 12 bits under Bits Stored 16 holds 12-bit values."""
    encode = films.jpeg_2000 if syntax == uid.JPEG2000Lossless else films.compressed
    data = recast(encode(syntax, PIXELS, bits=12), BitsStored=16, HighBit=15, **WINDOW)
    assert np.array_equal(reader.read(data).pixels, in_window(PIXELS))


@pytest.mark.parametrize("syntax", [uid.JPEGBaseline8Bit, uid.JPEGLSLossless, uid.JPEG2000Lossless])
def test_a_codestream_of_8_bits_in_cells_of_16(syntax, reader):
    """Bits Allocated 16 over a codestream of 8 bits shows the 8-bit film."""
    eight = films.scene(bits=8)
    coded = {
        uid.JPEGBaseline8Bit: lambda: films.jpeg_baseline(eight),
        uid.JPEGLSLossless: lambda: films.compressed(syntax, eight, bits=8),
        uid.JPEG2000Lossless: lambda: films.jpeg_2000(syntax, eight, bits=8),
    }[syntax]()
    ds = films.dataset(eight.astype(np.uint16), bits=8)
    data = films.encapsulated(ds, syntax, codestream_of(coded))
    assert np.abs(reader.read(data).pixels.astype(int) - eight).max() <= 1


@pytest.mark.parametrize("written", ["US", "SS"])
@pytest.mark.parametrize("value", [0xFFFF, 0xF830, 0x8000])
def test_padding_outside_the_stored_range_matches_no_value(value, written, reader):
    """A padding value that 12 bits cannot hold is not wrapped into saturated white or grey."""
    ds = films.dataset(PIXELS, bits=12, **WINDOW)
    number = value - 0x10000 if written == "SS" else value
    ds.add_new((0x0028, 0x0120), written, number)
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, in_window(PIXELS))


def test_whole_cells_of_a_padding_value_outside_the_range_are_padding(reader):
    """Cells that hold the value with all 16 bits are padding, and black."""
    padded = PIXELS.copy()
    padded[:10] = 0xF830
    ds = films.dataset(padded, bits=12, **WINDOW)
    ds.add_new((0x0028, 0x0120), "US", 0xF830)
    expected = in_window(PIXELS)
    expected[:10] = 0
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, expected)


def test_a_padding_range_ends_where_the_stored_range_ends(reader):
    """A range limit beyond the stored range pads the values of the range that exist."""
    ds = films.dataset(PIXELS, bits=12, **WINDOW)
    ds.add_new((0x0028, 0x0120), "US", 4000)
    ds.add_new((0x0028, 0x0121), "US", 65535)
    expected = in_window(PIXELS)
    expected[PIXELS >= 4000] = 0
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, expected)
