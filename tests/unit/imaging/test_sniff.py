"""The cheap look at the first bytes of PNG and JPEG files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hilum.domain.errors import (
    CompressionRatioTooHigh,
    FileTooLarge,
    FilmTooSmall,
    MultiFrameFilm,
    Rejected,
    TooManyPixels,
    TruncatedFilm,
    UnreadableFilm,
    UnsupportedFormat,
)
from hilum.imaging.film import FilmHeader, FilmLimits
from hilum.imaging.sniff import check_limits, check_smallest_side, inspect
from tests.unit.imaging.pictures import chunk, jpeg, png, png_promising, saved, waves

GREY = waves()
COLOUR = np.stack([GREY] * 3, axis=-1)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(GREY), FilmHeader("image/png", 96, 112, 8, 1)),
        (png(GREY.astype(np.uint16) * 200), FilmHeader("image/png", 96, 112, 16, 1)),
        (png(COLOUR), FilmHeader("image/png", 96, 112, 8, 3)),
        (png(np.dstack([COLOUR, GREY])), FilmHeader("image/png", 96, 112, 8, 4)),
        (saved(Image.fromarray(GREY).convert("P")), FilmHeader("image/png", 96, 112, 8, 1)),
        (jpeg(GREY), FilmHeader("image/jpeg", 96, 112, 8, 1)),
        (jpeg(COLOUR), FilmHeader("image/jpeg", 96, 112, 8, 3)),
        (jpeg(GREY, progressive=True), FilmHeader("image/jpeg", 96, 112, 8, 1)),
    ],
)
def test_the_header_is_read_from_the_first_bytes(data, expected):
    """Media type, size, depth and samples come from IHDR or SOF, pixels unread."""
    assert inspect(data[:1024], len(data)) == expected
    assert inspect(data, len(data)) == expected


def test_a_jpeg_with_long_metadata_leaves_its_size_open():
    """Where metadata fill the prefix, size and depth are None; no error."""
    data = jpeg(GREY, exif=b"Exif\0\0" + bytes(60_000))
    assert inspect(data[:4096], len(data)) == FilmHeader("image/jpeg")
    assert inspect(data[:65_536], len(data)).rows == 96


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UnsupportedFormat),
        (b"GIF89a\x10\0\x10\0", UnsupportedFormat),
        (b"%PDF-1.7", UnsupportedFormat),
        (png(GREY)[:20], TruncatedFilm),
        (jpeg(GREY)[:30], TruncatedFilm),
        (png(GREY)[:20] + b"\xff" + png(GREY)[21:], UnreadableFilm),
        (png_promising(100, 100, depth=5), UnreadableFilm),
        (png_promising(100, 100, colour_type=5), UnreadableFilm),
        (png_promising(0, 100), UnreadableFilm),
        (b"\xff\xd8\xff\xda\0\x08" + bytes(20), UnreadableFilm),
        (b"\xff\xd8\xff\xe0\0\x04ab" + bytes(20), UnreadableFilm),
        (b"\xff\xd8\xff\xc0\0\x0b\x0c\0\x60\0\x60\x01" + bytes(20), UnreadableFilm),
        (b"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x60\x01" + bytes(20), UnreadableFilm),
    ],
)
def test_files_that_cannot_be_films(data, error):
    """Foreign, cut and damaged headers are refused, each with its own class."""
    with pytest.raises(error):
        inspect(data, len(data))


def test_an_animated_png_is_refused_at_the_door():
    """The frame count of an APNG stands in front of its pixels."""
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    data = saved(frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(MultiFrameFilm, match="2 frames"):
        inspect(data[:512], len(data))


def test_an_animation_of_one_frame_is_a_film():
    """One frame announced as an animation is still one film."""
    data = png(GREY)
    one = data[:33] + chunk(b"acTL", b"\0\0\0\1\0\0\0\0") + data[33:]
    assert inspect(one, len(one)).rows == 96


LIMITS = FilmLimits(max_bytes=1000, max_pixels=10_000, max_compression_ratio=20)


@pytest.mark.parametrize(
    ("header", "size", "error", "text"),
    [
        (FilmHeader("image/png"), 1001, FileTooLarge, "1000 bytes"),
        (FilmHeader("image/png", 101, 100), 900, TooManyPixels, "10000 pixels"),
        (FilmHeader("image/png", 100, 100, 16, 1), 999, CompressionRatioTooHigh, "ratio of 20"),
        (FilmHeader("image/png", 50, 50, 8, 3), 374, CompressionRatioTooHigh, "ratio of 20"),
    ],
)
def test_each_limit_is_named(header, size, error, text):
    """What is over a limit is refused with the limit in the text."""
    with pytest.raises(error, match=text):
        check_limits(header, size, LIMITS)


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (FilmHeader("image/png"), 1000),
        (FilmHeader("image/png", 100, 100), 1),
        (FilmHeader("image/png", 100, 100, 16, 1), 1000),
        (FilmHeader("image/png", 50, 50, 8, 3), 375),
    ],
)
def test_at_a_limit_is_within_it(header, size):
    """A limit itself is allowed, and what a header does not say is not checked."""
    check_limits(header, size, LIMITS)


def test_the_smallest_film():
    """64 pixels on the shorter side are enough, 63 are not; unknown is not small."""
    check_smallest_side(FilmHeader("image/png", 64, 900))
    check_smallest_side(FilmHeader("image/png"))
    for rows, columns in ((63, 900), (900, 63)):
        with pytest.raises(FilmTooSmall, match="at least 64"):
            check_smallest_side(FilmHeader("image/png", rows, columns))


STARTS = st.sampled_from(
    [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", png(GREY)[:33], jpeg(GREY)[:25]]
)


@settings(deadline=None)
@given(STARTS, st.binary(max_size=300), st.integers(0, 10**12))
def test_any_bytes_give_a_header_or_a_reason(start, tail, size):
    """Whatever the bytes, inspecting them gives a header or raises a Rejected."""
    try:
        header = inspect(start + tail, max(size, len(start) + len(tail)))
    except Rejected as error:
        assert error.detail  # noqa: PT017 - there need not be an error
    else:
        assert header.media_type in {"image/png", "image/jpeg"}
