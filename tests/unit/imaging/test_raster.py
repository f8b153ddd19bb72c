"""Decoding PNG and JPEG films."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hilum.domain.errors import (
    ColourFilm,
    CompressionRatioTooHigh,
    FileTooLarge,
    FilmTooSmall,
    MultiFrameFilm,
    Rejected,
    TooManyPixels,
    TooManyScans,
    TruncatedFilm,
    UnreadableFilm,
    UnsupportedFormat,
)
from hilum.imaging.budget import BUDGET
from hilum.imaging.film import FilmLimits
from hilum.imaging.raster import decode_raster
from tests.unit.imaging.pictures import (
    colour_photograph,
    jpeg,
    png,
    png_promising,
    saved,
    waves,
)

GREY = waves()
COLOUR = np.stack([GREY] * 3, axis=-1)
LIMITS = FilmLimits()


def pixels_of(data):
    return decode_raster(data, LIMITS).pixels


@pytest.mark.parametrize(
    "data",
    [
        png(GREY),
        png(COLOUR),
        png(np.dstack([GREY, np.full_like(GREY, 255)])),
        png(np.dstack([COLOUR, np.full_like(GREY, 255)])),
        saved(Image.fromarray(GREY).convert("P")),
    ],
    ids=["grey", "rgb", "grey+alpha", "rgba", "palette"],
)
def test_eight_bit_png_is_shown_as_it_is(data):
    """Every way to write 8-bit grey into a PNG gives the same pixels."""
    film = decode_raster(data, LIMITS)
    assert film.pixels.dtype == np.uint8
    assert np.array_equal(film.pixels, GREY)
    assert film.header.media_type == "image/png"


def test_transparency_is_laid_over_black():
    """What is fully transparent is black, whatever colour lies beneath."""
    alpha = np.full_like(GREY, 255)
    alpha[:40] = 0
    shown = pixels_of(png(np.dstack([GREY, alpha])))
    assert not shown[:40].any()
    assert np.array_equal(shown[40:], GREY[40:])


def test_sixteen_bits_that_were_eight_are_undone_exactly():
    """Samples that are an 8-bit value written twice give that value back."""
    assert np.array_equal(pixels_of(png(GREY.astype(np.uint16) * 257)), GREY)


@pytest.mark.parametrize(("scale", "offset"), [(16, 0), (16, 800), (250, 1000)])
def test_deep_sixteen_bits_are_stretched_between_percentiles(scale, offset):
    """12-bit values in 16 bits are not shown nearly black: there is no window, so one is found."""
    shown = pixels_of(png(GREY.astype(np.uint16) * scale + offset))
    assert shown.min() == 0
    assert shown.max() == 255
    order = np.argsort(GREY.ravel(), kind="stable")
    assert (np.diff(shown.ravel()[order].astype(int)) >= 0).all()


@pytest.mark.parametrize("bits", [2, 4])
def test_shallow_grey_png_fills_the_range(bits):
    """Grey PNG of 2 or 4 bits spans black to white."""
    levels = Image.fromarray((GREY >> (8 - bits)).astype(np.uint8), "L")
    shown = pixels_of(saved(levels.point(lambda v: v * 255 // (2**bits - 1)), bits=bits))
    assert (shown.min(), shown.max()) == (0, 255)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"quality": 75}], ids=["base", "progressive", "q75"]
)
def test_jpeg_is_close_to_what_was_written(options):
    """Baseline and progressive JPEG, grey or grey in three samples."""
    for pixels in (GREY, COLOUR):
        shown = pixels_of(jpeg(pixels, **options))
        assert np.abs(shown.astype(int) - GREY).max() < 16


ORIENTATIONS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).T,
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_exif_orientation_is_applied(orientation):
    """A film photographed sideways is turned upright, for each orientation of EXIF 2.32."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain = pixels_of(jpeg(GREY))
    turned = pixels_of(jpeg(GREY, exif=exif))
    assert np.array_equal(turned, ORIENTATIONS[orientation](plain))


def test_a_damaged_exif_block_says_nothing():
    """EXIF that cannot be read leaves the film as it is."""
    damaged = pixels_of(jpeg(GREY, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f" + b"\xff" * 40))
    assert np.array_equal(damaged, pixels_of(jpeg(GREY)))


def test_a_tint_is_accepted_and_a_photograph_is_not():
    """Brown print paper is a film; a meadow under a blue sky is not."""
    tinted = (COLOUR * [1.0, 0.85, 0.6]).astype(np.uint8)
    assert pixels_of(png(tinted)).shape == GREY.shape
    for encode in (png, jpeg):
        with pytest.raises(ColourFilm, match="in colour"):
            pixels_of(encode(colour_photograph()))


def test_pictures_that_are_no_films():
    """CMYK is for print, and one bit has no shades."""
    with pytest.raises(ColourFilm, match="CMYK"):
        pixels_of(saved(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"))
    with pytest.raises(UnreadableFilm, match="shades"):
        pixels_of(saved(Image.fromarray(GREY).convert("1")))
    with pytest.raises(UnsupportedFormat):
        pixels_of(saved(Image.fromarray(GREY), "BMP"))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
@pytest.mark.parametrize("data", [png(GREY), jpeg(GREY), jpeg(GREY, progressive=True)])
def test_a_cut_file_is_truncated(data, share):
    """A file that ends before its pixels do, or goes on in zeros, is refused as truncated."""
    cut = data[: int(len(data) * share)]
    for rest in (b"", bytes(100_000)):
        if not (rest and data.startswith(b"\x89PNG")):  # zeros are chunks without a checksum
            with pytest.raises(TruncatedFilm):
                pixels_of(cut + rest)


def test_damaged_pixels_are_unreadable():
    """A damaged deflate stream is refused."""
    data = bytearray(png(GREY))
    data[60:90] = bytes(30)
    with pytest.raises(UnreadableFilm):
        pixels_of(bytes(data))


def test_an_animation_is_refused():
    """An APNG with two frames is no film."""
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    with pytest.raises(MultiFrameFilm):
        pixels_of(saved(frames[0], save_all=True, append_images=frames[1:]))


def test_bombs_are_refused_before_they_are_decoded():
    """Size, ratio and bytes are checked on the header."""
    with pytest.raises(TooManyPixels, match="36000000"):
        pixels_of(png_promising(100_000, 100_000))
    with pytest.raises(CompressionRatioTooHigh, match="ratio of 200"):
        pixels_of(png_promising(5_000, 5_000))
    with pytest.raises(FileTooLarge, match="limit is 100 bytes"):
        decode_raster(png(GREY), FilmLimits(max_bytes=100))
    with pytest.raises(FilmTooSmall):
        pixels_of(png(GREY[:63]))


def test_pillows_own_limit_is_a_limit_too(monkeypatch):
    """Where Pillow's bomb check is stricter than ours, its refusal is told as a limit."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(TooManyPixels):
        pixels_of(png(GREY))


def test_a_jpeg_of_countless_scans_is_refused():
    """A progressive file of thousands of scans costs minutes of CPU and shows nothing more."""
    data = jpeg(GREY, progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(TooManyScans, match="256 scans"):
        pixels_of(data[:-2] + scan * (BUDGET.scans + 1) + data[-2:])


SEEDS = st.sampled_from([png(GREY), jpeg(GREY), jpeg(COLOUR, progressive=True), png(COLOUR)])


@settings(deadline=None, max_examples=80)
@given(
    SEEDS, st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6), st.floats(0, 1)
)
def test_damaged_files_only_ever_raise_rejected(data, changes, share):
    """Any bytes changed, the end cut off: a film or a reason."""
    damaged = bytearray(data)
    for where, value in changes:
        damaged[int(where * (len(damaged) - 1))] = value
    try:
        film = decode_raster(bytes(damaged[: int(len(damaged) * max(share, 0.01))]), LIMITS)
    except Rejected as error:
        assert error.detail  # noqa: PT017 - there need not be an error
    else:
        assert film.pixels.ndim == 2


def test_no_memory_left_is_not_the_films_fault(monkeypatch):
    """A healthy film must not be rejected for ever because others took the memory."""

    def exhausted(*_: object):
        raise MemoryError

    encoded = io.BytesIO()
    Image.new("L", (80, 80)).save(encoded, "PNG")
    monkeypatch.setattr("hilum.imaging.raster._pixels", exhausted)
    with pytest.raises(MemoryError):
        decode_raster(encoded.getvalue(), FilmLimits())
