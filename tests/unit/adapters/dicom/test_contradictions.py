"""Files whose bytes and transfer syntax, offset table or preamble contradict each other."""

from __future__ import annotations

import io
import struct
from itertools import product

import numpy as np
import pytest
from pydicom import dcmread, uid

from hilum.domain.errors import TruncatedFilm, UnreadableFilm
from hilum.domain.image_note import ImageNote
from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.recast import (
    DELIMITER,
    WINDOW,
    codestream_of,
    in_window,
    item,
    recast,
    with_value,
)

PIXELS = films.scene(bits=12)
SHOWN = in_window(PIXELS)
CODED = {
    uid.RLELossless: codestream_of(films.compressed(uid.RLELossless, PIXELS, bits=12)),
    uid.JPEGLSLossless: codestream_of(films.compressed(uid.JPEGLSLossless, PIXELS, bits=12)),
    uid.JPEG2000Lossless: codestream_of(films.jpeg_2000(uid.JPEG2000Lossless, PIXELS, bits=12)),
    uid.JPEGLosslessSV1: codestream_of(
        films.through_gdcm("JPEGLosslessProcess14_1", PIXELS, bits=12)
    ),
}
# JPEG Lossless costs a process a film, so it is tried where it matters.
IN_PROCESS = [syntax for syntax in CODED if syntax != uid.JPEGLosslessSV1]
RESTS = [b" ", b"   ", b"\0\0\0", b"\xff\xd9 ", b"\0" * 999 + b" "]


def film():
    """The scene, 12 bits behind a window."""
    return films.dataset(PIXELS, bits=12, **WINDOW)


def fragmented(coded, size):
    """A codestream as items of a size."""
    return b"".join(item(coded[at : at + size]) for at in range(0, len(coded), size))


@pytest.mark.parametrize(
    ("syntax", "rest"),
    [
        *(
            (syntax, rest)
            for syntax in (uid.JPEGLSLossless, uid.JPEG2000Lossless)
            for rest in RESTS
        ),
        (uid.JPEGLosslessSV1, b" "),
    ],
)
def test_what_follows_a_whole_codestream_does_not_matter(syntax, rest, reader):
    """Padding with spaces or anything else behind the end marker is no truncation."""
    value = item(b"") + item(CODED[syntax] + rest) + DELIMITER
    assert np.array_equal(reader.read(with_value(film(), syntax, value)).pixels, SHOWN)


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_codestream(reader):
    """A JPEG that ends early is truncated, also where its headers hold a whole thumbnail."""
    pixels = films.scene(bits=8)
    coded = codestream_of(films.jpeg_baseline(pixels))
    thumbnail = b"\xff\xd8\xff\xda\0\0\xff\xd9"
    app = b"\xff\xec" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    cut = coded[:2] + app + coded[2 : len(coded) * 2 // 3]
    value = item(b"") + item(cut) + DELIMITER
    with pytest.raises(TruncatedFilm):
        reader.read(with_value(films.dataset(pixels, bits=8), uid.JPEGBaseline8Bit, value))


TABLES = {
    "empty": b"",
    "right": struct.pack("<L", 0),
    "one for each fragment": struct.pack("<8L", *range(0, 8 * 2008, 2008)),
    "wrong": struct.pack("<L", 77_777),
    "odd": b"\1\2\3",
}


@pytest.mark.parametrize("syntax", IN_PROCESS)
@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("size", [1 << 30, 2000])
def test_one_frame_is_all_its_fragments(size, name, syntax, reader):
    """The fragments of one frame are joined, whatever the offset table says."""
    value = item(TABLES[name]) + fragmented(CODED[syntax], size) + DELIMITER
    assert np.array_equal(reader.read(with_value(film(), syntax, value)).pixels, SHOWN)


@pytest.mark.parametrize("syntax", IN_PROCESS)
def test_a_missing_delimiter_and_a_missing_table_harm_nothing(syntax, reader):
    """A file that ends behind its last fragment is whole, with and without an offset table."""
    for head, size in product((item(b""), b""), (1 << 30, 2000)):
        value = head + fragmented(CODED[syntax], size)
        assert np.array_equal(reader.read(with_value(film(), syntax, value)).pixels, SHOWN)


@pytest.mark.parametrize("syntax", IN_PROCESS)
def test_a_fragment_of_undefined_length_ends_with_its_codestream(syntax, reader):
    """A fragment without a length reaches to the end of the file."""
    value = item(b"") + b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + CODED[syntax] + DELIMITER
    assert np.array_equal(reader.read(with_value(film(), syntax, value)).pixels, SHOWN)


def test_an_end_marker_among_the_headers_of_a_tile(reader):
    """Lengths of packets may hold the bytes of EOC, and padding may follow the codestream."""
    coded = CODED[uid.JPEG2000Lossless]
    lengths = b"\xff\x58" + struct.pack(">HB", 6, 0) + b"\xff\xd9\x01"
    tile, data = coded.index(b"\xff\x90"), coded.index(b"\xff\x93")
    (length,) = struct.unpack_from(">L", coded, tile + 6)
    grown = coded[: tile + 6] + struct.pack(">L", length + len(lengths)) + coded[tile + 10 : data]
    value = item(b"") + item(grown + lengths + coded[data:] + bytes(6)) + DELIMITER
    assert np.array_equal(
        reader.read(with_value(film(), uid.JPEG2000Lossless, value)).pixels, SHOWN
    )


def test_a_delimiter_among_the_bytes_of_a_fragment(reader):
    """Bytes that look like a delimiter inside a fragment do not end the frame."""
    coded = CODED[uid.JPEG2000Lossless]
    comment = b"\xff\x64" + struct.pack(">HH", 4 + len(DELIMITER), 0) + DELIMITER
    start = coded.index(b"\xff\x90")
    value = item(b"") + item(coded[:start] + comment + coded[start:]) + DELIMITER
    data = with_value(film(), uid.JPEG2000Lossless, value)
    assert np.array_equal(reader.read(data).pixels, SHOWN)


SAID = [uid.ExplicitVRLittleEndian, uid.JPEGBaseline8Bit, uid.RLELossless, uid.JPEG2000]


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("syntax", CODED)
def test_a_codestream_is_decoded_as_what_it_is(syntax, said, reader):
    """The bytes decide over a transfer syntax of another family, and the film says so."""
    value = item(b"") + item(CODED[syntax]) + DELIMITER
    shown = reader.read(with_value(film(), said, value))
    assert np.array_equal(shown.pixels, SHOWN)
    same_family = (said, syntax) in {
        (uid.RLELossless, uid.RLELossless),
        (uid.JPEG2000, uid.JPEG2000Lossless),
    }
    assert (ImageNote.TRANSFER_SYNTAX_CORRECTED in shown.notes) is not same_family
    assert shown.header.transfer_syntax_uid == said


@pytest.mark.parametrize("said", SAID[1:])
def test_uncompressed_pixels_under_a_compressed_syntax(said, reader):
    """Samples of a defined length, or in one fragment, are read as they stand."""
    plain = PIXELS.astype("<u2").tobytes()
    for data in (
        with_value(film(), said, plain, undefined=False),
        with_value(film(), said, item(b"") + item(plain) + DELIMITER),
    ):
        shown = reader.read(data)
        assert np.array_equal(shown.pixels, SHOWN)
        assert shown.notes == {ImageNote.TRANSFER_SYNTAX_CORRECTED}


@pytest.mark.parametrize("said", [uid.ExplicitVRLittleEndian, uid.JPEG2000Lossless])
def test_a_codestream_of_a_defined_length(said, reader):
    """A codestream, bare or in items, is read where the element has a defined length."""
    coded = CODED[uid.JPEG2000Lossless]
    for value in (coded, item(b"") + item(coded)):
        data = with_value(film(), said, value, undefined=False)
        assert np.array_equal(reader.read(data).pixels, SHOWN)


def test_a_contradiction_that_cannot_be_read_names_its_cause(reader):
    """Bytes that are neither samples nor a known codestream are refused with what they are not."""
    with pytest.raises(UnreadableFilm, match="neither encapsulated nor as long"):
        reader.read(with_value(film(), uid.JPEG2000, b"\1" * 400, undefined=False))
    value = item(b"") + item(b"\1" * 400) + DELIMITER
    with pytest.raises(UnreadableFilm, match="in no encoding that is known"):
        reader.read(with_value(film(), uid.ExplicitVRLittleEndian, value))


def test_a_declared_length_beyond_the_end_of_the_file(reader):
    """Pixels that are all there are read, whatever length their element declares."""
    whole = with_value(film(), uid.ExplicitVRLittleEndian, PIXELS.tobytes(), undefined=False)
    at = len(whole) - PIXELS.nbytes - 4
    longer = whole[:at] + struct.pack("<L", PIXELS.nbytes + 5000) + whole[at + 4 :]
    assert np.array_equal(reader.read(longer).pixels, SHOWN)
    with pytest.raises(TruncatedFilm):
        reader.read(longer[:-2])
    with pytest.raises(TruncatedFilm, match="is empty"):
        reader.read(with_value(film(), uid.ExplicitVRLittleEndian, b"", undefined=False))


def test_elements_behind_the_pixels_are_passed_over(reader):
    """Data Set Trailing Padding behind encapsulated pixels harms nothing."""
    value = item(b"") + item(CODED[uid.JPEGLSLossless]) + DELIMITER
    tail = b"\xfc\xff\xfc\xffOB\0\0" + struct.pack("<L", 64) + bytes(64)
    data = with_value(film(), uid.JPEGLSLossless, value) + tail
    assert np.array_equal(reader.read(data).pixels, SHOWN)
    assert dcmread(io.BytesIO(data)).DataSetTrailingPadding == bytes(64)


def test_frames_of_zero(reader):
    """Number of Frames 0, written by converters, is one frame."""
    data = recast(films.film(PIXELS, bits=12, **WINDOW), NumberOfFrames=0)
    assert np.array_equal(reader.read(data).pixels, SHOWN)
