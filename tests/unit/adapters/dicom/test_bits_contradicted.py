"""Headers whose bits or samples the bytes contradict, and words that lie otherwise than stated."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from pydicom import dcmread, uid

from hilum.domain.errors import UnreadableFilm
from hilum.domain.image_note import ImageNote
from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.recast import (
    WINDOW,
    codestream_of,
    in_window,
    item,
    recast,
    with_value,
)
from tests.unit.adapters.dicom.test_cells import ENCODERS

PIXELS = films.scene(bits=12)
SHOWN = in_window(PIXELS)
GREY = films.scene(bits=8)
NOISE = np.random.default_rng(0).integers(0, 40, PIXELS.shape, dtype=np.uint16)


@pytest.mark.parametrize(
    "stated",
    [
        {"HighBit": 0},
        {"HighBit": 7},
        {"HighBit": 16},
        {"BitsStored": 16, "HighBit": 11},
        {"BitsStored": 0, "HighBit": 0},
        {"BitsStored": 17, "HighBit": 16},
        {"BitsStored": None},
        {"BitsAllocated": 12},
        {"BitsAllocated": 8},
    ],
    ids=str,
)
def test_bits_that_do_not_fit_are_those_of_a_value_to_the_right(stated, reader):
    """Bits Stored and High Bit that no cell can have give the value at the right of its cell."""
    data = films.film(PIXELS, bits=12, **stated, **WINDOW)
    assert np.array_equal(reader.read(data).pixels, SHOWN)


@pytest.mark.parametrize("kind", ["u1", "<u2"])
def test_8_bits_are_read_in_the_width_that_they_have(kind, reader):
    """Bytes under Bits Allocated 16 and words under 8 are read by their length."""
    ds = films.dataset(GREY, bits=8, BitsAllocated=16 if kind == "u1" else 8)
    data = with_value(ds, uid.ExplicitVRLittleEndian, GREY.astype(kind).tobytes(), undefined=False)
    assert np.array_equal(reader.read(data).pixels, GREY)


def test_samples_of_12_bits_that_are_packed(reader):
    """Bits Allocated 12 over two samples in three bytes gives the samples."""
    pairs = PIXELS.reshape(-1, 2)
    triples = np.stack(
        [pairs[:, 0], pairs[:, 0] >> 8 | (pairs[:, 1] & 15) << 4, pairs[:, 1] >> 4], axis=-1
    )
    value = (triples & 255).astype(np.uint8).tobytes()
    ds = films.dataset(PIXELS, bits=12, BitsAllocated=12, **WINDOW)
    data = with_value(ds, uid.ImplicitVRLittleEndian, value, undefined=False)
    assert np.array_equal(reader.read(data).pixels, SHOWN)


@pytest.mark.parametrize("kind", ["<u4", "<i4"])
def test_32_bits_allocated_over_values_of_16(kind, reader):
    """Cells of 32 bits are read where 16 bits hold their values, and refused with the values."""
    values = PIXELS.astype(np.int64) - (2048 if kind == "<i4" else 0)
    described = {
        "BitsAllocated": 32,
        "PixelRepresentation": int(kind == "<i4"),
        "RescaleIntercept": 2048 if kind == "<i4" else 0,
        "RescaleSlope": 1,
        **WINDOW,
    }
    for bits in (12, 32):
        ds = films.dataset(PIXELS, bits=bits, **described)
        ds.PixelData = values.astype(kind).tobytes()
        assert np.array_equal(reader.read(films.file_of(ds)).pixels, SHOWN)
    ds.PixelData = (values * 100_000).astype(kind).tobytes()
    with pytest.raises(UnreadableFilm, match="16 bits are read"):
        reader.read(films.file_of(ds))


def test_a_codestream_deeper_than_bits_allocated_is_read_at_its_depth(reader):
    """Bits Allocated 8 cannot be true of a codestream of 12 bits."""
    coded = codestream_of(films.jpeg_2000(uid.JPEG2000Lossless, PIXELS, bits=12))
    ds = films.dataset(GREY, bits=8, **WINDOW)
    data = films.encapsulated(ds, uid.JPEG2000Lossless, coded)
    assert np.array_equal(reader.read(data).pixels, SHOWN)


def test_a_padding_range_outside_the_stored_range_is_one_of_whole_cells(reader):
    """Cells that a range of impossible values holds with all their bits are padding."""
    padded = PIXELS.copy()
    padded[:10], padded[-1] = 0xF830, 4095
    ds = films.dataset(padded, bits=12, **WINDOW)
    ds.add_new((0x0028, 0x0120), "US", 60_000)
    ds.add_new((0x0028, 0x0121), "US", 65_535)
    expected = in_window(padded)
    expected[:10] = 0
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, expected)


LOSSY = {
    "jpeg 2000": lambda p: films.jpeg_2000(uid.JPEG2000, p, bits=16),
    "jpeg-ls": lambda p: films.compressed(uid.JPEGLSNearLossless, p, bits=16, jls_error=2),
}


@pytest.mark.parametrize("name", LOSSY)
@pytest.mark.parametrize("signed", [False, True])
def test_lossy_values_beyond_bits_stored_are_the_nearest_ones(signed, name, reader):
    """White that a lossy codestream of 16 bits makes a little whiter is not wrapped into black.

    A near-lossless JPEG-LS codestream is one under the lossless syntax, too.
    """
    beyond = PIXELS.astype(np.int32)
    beyond[10:20], beyond[30:40] = 4095 + 60, -60 if signed else 0
    cells = (beyond - 2048).astype(np.int16) if signed else beyond.astype(np.uint16)
    coded = codestream_of(LOSSY[name](cells))
    ds = films.dataset(
        cells, bits=12, RescaleSlope=1, RescaleIntercept=2048 if signed else 0, **WINDOW
    )
    syntax = uid.JPEG2000 if name == "jpeg 2000" else uid.JPEGLSLossless
    shown = reader.read(films.encapsulated(ds, syntax, coded)).pixels
    assert np.abs(shown.astype(int) - in_window(beyond.clip(0, 4095))).max() <= 1


def test_lossy_jpeg_of_16_bits_by_gdcm(reader):
    """GDCM's JPEG Extended of 12 bits shows no speckles in white and black areas."""
    rough = (PIXELS * 1.4 - 800 + NOISE * 4).clip(0, 4095).astype(np.uint16)
    data = recast(films.through_gdcm("JPEGExtendedProcess2_4", rough, bits=12), **WINDOW)
    assert np.abs(reader.read(data).pixels.astype(int) - in_window(rough)).max() <= 9


@pytest.mark.parametrize("name", ["native", "rle", "jpeg-ls", "jpeg lossless"])
def test_values_at_the_left_that_are_stated_at_the_right(name, reader):
    """GDCM states High Bit 11 of values that it leaves in the upper 12 bits of their words."""
    data = recast(ENCODERS[name](PIXELS << 4), BitsStored=12, HighBit=11, **WINDOW)
    assert np.array_equal(reader.read(data).pixels, SHOWN)


@pytest.mark.parametrize("signed", [False, True])
def test_coarse_values_at_the_right_stay_there(signed, reader):
    """Values of 12 bits without their lowest four have sign bits or an overlay above them."""
    coarse = PIXELS // 16 * 16
    cells = (coarse.astype(np.int32) - 2048).astype(np.int16) if signed else coarse.copy()
    if not signed:
        cells[20:60, 20:60] |= 0x4000
    ds = films.dataset(
        cells, bits=12, RescaleSlope=1, RescaleIntercept=2048 if signed else 0, **WINDOW
    )
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, in_window(coarse))


@pytest.mark.parametrize("name", ["native", "big endian", "rle", "jpeg-ls"])
def test_words_in_the_byte_order_of_another_machine(name, reader):
    """Words that a conversion left in the other byte order are exchanged, with a note."""
    values = PIXELS * 15 // 16 + NOISE
    data = recast(ENCODERS[name](values.byteswap()), BitsStored=12, HighBit=11, **WINDOW)
    film = reader.read(data)
    assert np.array_equal(film.pixels, in_window(values))
    assert film.notes == {ImageNote.TRANSFER_SYNTAX_CORRECTED}


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_noise_is_not_exchanged(bits, reader):
    """Noise is noise in either byte order, and stays as it is."""
    noise = np.random.default_rng(1).integers(0, 1 << bits, (96, 112)).astype(np.uint16)
    window = {"WindowCenter": 1 << bits - 1, "WindowWidth": 1 << bits}
    film = reader.read(films.film(noise, bits=bits, VOILUTFunction="LINEAR_EXACT", **window))
    assert np.array_equal(film.pixels, np.floor(noise / (1 << bits) * 255 + 0.5))
    assert film.notes == frozenset()


THREE = np.stack([GREY] * 3, axis=-1)
SAMPLES = {
    "3 samples, a grey label": (3, "MONOCHROME2", THREE),
    "1 sample, a colour label, 3 bytes": (1, "RGB", THREE),
    "1 sample, a colour label, 1 byte": (1, "RGB", GREY),
    "3 samples, a grey label, 1 byte": (3, "MONOCHROME2", GREY),
    "3 samples, 1 byte": (3, "RGB", GREY),
    "1 sample, 3 bytes": (1, "MONOCHROME2", THREE),
    "no number of samples": (None, "RGB", THREE),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_length_of_pixels_tells_their_samples(name, reader):
    """Samples per Pixel and Photometric Interpretation give way to the bytes that are there."""
    samples, label, pixels = SAMPLES[name]
    ds = films.dataset(GREY, bits=8, PhotometricInterpretation=label, SamplesPerPixel=samples)
    data = with_value(ds, uid.ExplicitVRLittleEndian, pixels.tobytes(), undefined=False)
    assert np.array_equal(reader.read(data).pixels, GREY)


CODED = {
    "jpeg": films.jpeg_baseline,
    "jpeg-ls": lambda p: films.compressed(uid.JPEGLSLossless, p, bits=8),
    "jpeg 2000": lambda p: films.jpeg_2000(uid.JPEG2000Lossless, p, bits=8),
    "jpeg lossless": lambda p: films.through_gdcm("JPEGLosslessProcess14_1", p, bits=8),
}


@pytest.mark.parametrize("name", CODED)
@pytest.mark.parametrize("stated", [1, 3])
def test_a_codestream_tells_its_samples(stated, name, reader):
    """A grey codestream under RGB and one in colour under MONOCHROME2 show the grey image."""
    data = CODED[name](GREY if stated == 3 else THREE)
    syntax = dcmread(io.BytesIO(data)).file_meta.TransferSyntaxUID
    ds = films.dataset(THREE if stated == 3 else GREY, bits=8)
    shown = reader.read(films.encapsulated(ds, syntax, codestream_of(data))).pixels
    assert np.abs(shown.astype(int) - GREY).max() <= (6 if name == "jpeg" else 0)


def test_five_components_are_named_in_the_refusal(reader):
    """A codestream of another number of components is refused with that number."""
    coded = bytearray(codestream_of(films.jpeg_2000(uid.JPEG2000Lossless, GREY, bits=8)))
    coded[40:42] = struct.pack(">H", 5)
    value = item(b"") + item(bytes(coded))
    with pytest.raises(UnreadableFilm, match="5 components"):
        reader.read(with_value(films.dataset(GREY, bits=8), uid.JPEG2000Lossless, value))
