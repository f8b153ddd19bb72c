"""From attributes of a dataset to what is displayed."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from hilum.domain.errors import ColourFilm, UnreadableFilm
from tests.unit.adapters.dicom import films

WINDOW = {"WindowCenter": 2047.5, "WindowWidth": 4095, "VOILUTFunction": "LINEAR_EXACT"}


def in_window(values):
    """Values through ``WINDOW``."""
    return np.floor(np.clip(values / 4095.0, 0, 1) * 255 + 0.5).astype(np.uint8)


@pytest.fixture(scope="module")
def pixels():
    return films.scene(bits=12)


def test_eight_bits_without_a_window_are_shown_as_they_are(reader):
    """An 8-bit film without any VOI is taken as prepared for display."""
    pixels = films.scene(bits=8) // 2 + 40
    assert np.array_equal(reader.read(films.film(pixels, bits=8)).pixels, pixels)


def test_a_true_monochrome1_twin_gives_the_same_film(reader, pixels):
    """Inverted stored pixels with MONOCHROME1 are the same film, with and without a window."""
    inverted = (4095 - pixels).astype(np.uint16)
    plain = reader.read(films.film(pixels, bits=12))
    twin = reader.read(films.film(inverted, bits=12, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(twin.pixels, plain.pixels)
    # LINEAR's centre lies half a unit off, so its mirror image is 4095 + 1 - centre.
    one = reader.read(films.film(pixels, bits=12, WindowCenter=1500, WindowWidth=1001))
    other = reader.read(
        films.film(
            inverted,
            bits=12,
            PhotometricInterpretation="MONOCHROME1",
            WindowCenter=4096 - 1500,
            WindowWidth=1001,
        )
    )
    assert np.array_equal(one.pixels, other.pixels)


def test_a_relabelled_film_is_shown_inverted(reader, pixels):
    """The same stored pixels under MONOCHROME1 are the negative, as the file says."""
    plain = reader.read(films.film(pixels, bits=12, **WINDOW)).pixels
    relabelled = films.film(pixels, bits=12, PhotometricInterpretation="MONOCHROME1", **WINDOW)
    assert np.abs(reader.read(relabelled).pixels.astype(int) - (255 - plain.astype(int))).max() <= 1


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", True),
    ],
)
def test_presentation_lut_shape_never_inverts_twice(photometric, shape, inverted, reader):
    """INVERSE turns a film over once, whatever MONOCHROME1 already says."""
    pixels = films.scene(bits=8)
    film = films.film(
        pixels, bits=8, PhotometricInterpretation=photometric, PresentationLUTShape=shape
    )
    assert np.array_equal(reader.read(film).pixels, 255 - pixels if inverted else pixels)


def test_rescale_comes_before_the_window(reader, pixels):
    """The window is in modality units: slope and intercept shift it."""
    film = films.film(pixels, bits=12, RescaleSlope=2, RescaleIntercept=-1000, **WINDOW)
    expected = in_window(pixels.astype(np.float64) * 2 - 1000)
    assert np.array_equal(reader.read(film).pixels, expected)


def test_a_negative_slope_turns_the_film_over(reader):
    """A negative slope without a window maps the largest stored value to black."""
    eight = films.scene(bits=8)
    film = films.film(eight, bits=8, RescaleSlope=-1, RescaleIntercept=0)
    assert np.array_equal(reader.read(film).pixels, 255 - eight)


@pytest.mark.parametrize("slope", ["0", ""])
def test_a_slope_without_meaning_counts_as_one(slope, reader, pixels):
    """A slope of 0, or an empty one, would erase the picture and is taken as 1."""
    film = films.film(pixels, bits=12, RescaleSlope=slope, RescaleIntercept="", **WINDOW)
    assert np.array_equal(reader.read(film).pixels, in_window(pixels))


def lookup_table(entries, first, bits, keyword="US"):
    item = Dataset()
    item.add_new((0x0028, 0x3002), keyword, [len(entries) % 65536, first, bits])
    item.add_new((0x0028, 0x3006), "US", [int(entry) for entry in entries])
    return Sequence([item])


def test_a_voi_table_is_preferred_over_a_window(reader, pixels):
    """A VOI LUT Sequence decides, also where a window stands beside it."""
    entries = (np.arange(4096) ** 2 / 4095**2 * 1023).astype(int)
    film = films.film(pixels, bits=12, VOILUTSequence=lookup_table(entries, 0, 10), **WINDOW)
    expected = np.floor(entries[pixels] / 1023 * 255 + 0.5)
    assert np.array_equal(reader.read(film).pixels, expected)


def test_values_outside_a_voi_table_take_its_ends(reader, pixels):
    """Inputs below the first value mapped, or beyond the last entry, are clamped."""
    entries = np.linspace(0, 255, 1000).astype(int)
    film = films.film(pixels, bits=12, VOILUTSequence=lookup_table(entries, 1000, 8))
    expected = entries[np.clip(pixels.astype(int) - 1000, 0, 999)]
    assert np.array_equal(reader.read(film).pixels, expected)


def test_a_modality_table_takes_the_place_of_rescale(reader, pixels):
    """A Modality LUT Sequence maps stored values before the window."""
    entries = np.arange(4096)[::-1]
    film = films.film(pixels, bits=12, ModalityLUTSequence=lookup_table(entries, 0, 12), **WINDOW)
    assert np.array_equal(reader.read(film).pixels, in_window(4095 - pixels.astype(float)))


def test_a_table_shorter_than_it_says_is_refused(reader, pixels):
    """A look-up table whose data end early makes the film unreadable."""
    table = lookup_table(np.arange(100), 0, 12)
    table[0].LUTDescriptor = [4096, 0, 12]
    with pytest.raises(UnreadableFilm, match="shorter"):
        reader.read(films.film(pixels, bits=12, VOILUTSequence=table))


@pytest.mark.parametrize("rubbish", [0xF000, 0x8000, 0x5000])
def test_overlays_in_unused_bits_do_not_show(rubbish, reader, pixels):
    """Bits above Bits Stored may hold an old-style overlay; they are no part of the value."""
    dirty = pixels.copy()
    dirty[20:60, 20:60] |= rubbish
    clean = reader.read(films.film(pixels, bits=12, **WINDOW)).pixels
    assert np.array_equal(reader.read(films.film(dirty, bits=12, **WINDOW)).pixels, clean)


def test_a_high_bit_above_bits_stored(reader, pixels):
    """A value that sits in the upper bits of its word is shifted down."""
    shifted = (pixels << 4) | 0x000F
    film = films.film(shifted, bits=12, HighBit=15, **WINDOW)
    assert np.array_equal(reader.read(film).pixels, in_window(pixels))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_widen_the_window(photometric, reader, pixels):
    """Collimated padding is black, and leaves the stretch of the picture as it was."""
    inner = pixels // 4 + 1000
    padded = inner.copy()
    padded[:10], padded[-10:] = 4095, 4095
    inner_only = reader.read(
        films.film(inner[10:-10], bits=12, PhotometricInterpretation=photometric)
    )
    film = reader.read(
        films.film(padded, bits=12, PixelPaddingValue=4095, PhotometricInterpretation=photometric)
    )
    assert not film.pixels[:10].any()
    assert not film.pixels[-10:].any()
    assert np.array_equal(film.pixels[10:-10], inner_only.pixels)


def test_a_padding_range_and_its_order(reader, pixels):
    """Pixel Padding Range Limit makes padding a range, given in either order."""
    for value, limit in ((0, 50), (50, 0)):
        film = films.film(
            pixels, bits=12, PixelPaddingValue=value, PixelPaddingRangeLimit=limit, **WINDOW
        )
        expected = in_window(pixels)
        expected[pixels <= 50] = 0
        assert np.array_equal(reader.read(film).pixels, expected)


@pytest.mark.parametrize("ends", [(0, 65_535), (0, 4095), (4095, 0)])
def test_a_padding_range_of_all_values_is_none(ends, reader, pixels):
    """A range that covers all that Bits Stored can hold marks no pixel."""
    value, limit = ends
    film = films.film(
        pixels, bits=12, PixelPaddingValue=value, PixelPaddingRangeLimit=limit, **WINDOW
    )
    assert np.array_equal(reader.read(film).pixels, in_window(pixels))


def test_signed_padding_written_as_unsigned(reader):
    """A padding value whose VR disagrees with signed pixels still finds them."""
    pixels = (films.scene(bits=12).astype(np.int32) - 1000).clip(-1000, 1500).astype(np.int16)
    pixels[:30] = -2048
    ds = films.dataset(pixels, bits=16)
    ds.add_new((0x0028, 0x0120), "US", 65536 - 2048)
    shown = reader.read(films.file_of(ds)).pixels
    assert not shown[:30].any()
    assert np.array_equal(shown[30:], reader.read(films.film(pixels[30:], bits=16)).pixels)


def grey_rgb(pixels):
    return np.stack([pixels] * 3, axis=-1)


def test_rgb_that_is_really_grey_is_accepted(reader):
    """Equal red, green and blue are a grey film, native and as YBR in JPEG."""
    pixels = films.scene(bits=8)
    native = reader.read(films.film(grey_rgb(pixels), bits=8))
    assert np.array_equal(native.pixels, pixels)
    jpeg = reader.read(films.jpeg_baseline(grey_rgb(pixels)))
    assert np.abs(jpeg.pixels.astype(int) - pixels).max() <= 6


def test_planar_rgb_is_accepted(reader):
    """Planar Configuration 1 puts whole planes after one another."""
    pixels = films.scene(bits=8)
    ds = films.dataset(grey_rgb(pixels), bits=8, PlanarConfiguration=1)
    ds.PixelData = np.stack([pixels] * 3).tobytes()
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, pixels)


def test_real_colour_is_refused(reader):
    """A film whose channels show different pictures is no radiograph."""
    first, second = films.scene(bits=8), films.scene(bits=8)[::-1].copy()
    with pytest.raises(ColourFilm):
        reader.read(films.film(np.stack([first, second, 255 - first], axis=-1), bits=8))


def test_palette_colour_that_is_grey(reader):
    """PALETTE COLOR goes through its three tables."""
    pixels = films.scene(bits=8)
    ds = films.dataset(pixels, bits=8, PhotometricInterpretation="PALETTE COLOR")
    ramp = (np.arange(256)[::-1] * 257).astype("<u2").tobytes()
    for name in ("Red", "Green", "Blue"):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(ds, f"{name}PaletteColorLookupTableData", ramp)
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, 255 - pixels)
