"""DICOM files that are small and cost much: refused early, with the cause."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from pydicom import uid

from hilum.adapters.dicom.codestream import Codestream
from hilum.adapters.dicom.decoding_cost import check_decoding_memory
from hilum.adapters.dicom.transfer_syntax import GDCM, Encoding
from hilum.domain.errors import (
    NestedTooDeep,
    TooManyElements,
    TooManySegments,
    WorkingMemoryExceeded,
)
from hilum.imaging.budget import BUDGET
from tests.costs import cost_of_inspection, cost_of_reading
from tests.unit.adapters.dicom import films

SCENE = films.scene(bits=12)
FILM = films.film(SCENE, bits=12)
ITEM = b"\xfe\xff\x00\xe0"
EMPTY_ITEM = ITEM + bytes(4)
PATIENT_NAME = b"\x10\x00\x10\x00PN"
PIXEL_DATA = b"\xe0\x7f\x10\x00"
UNDEFINED = 0xFFFFFFFF


def sequence(tag: int, body: bytes, *, declared: bool) -> bytes:
    """A sequence in explicit VR, of declared or undefined length."""
    length = len(body) if declared else UNDEFINED
    end = b"" if declared else b"\xfe\xff\xdd\xe0" + bytes(4)
    return struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, b"SQ", 0, length) + body + end


def nested(depth: int, *, declared: bool) -> bytes:
    """Sequences in one another."""
    body = b""
    for _ in range(depth):
        item = ITEM + struct.pack("<L", len(body)) + body
        body = sequence(0x00081111, item, declared=declared)
    return body


def with_elements(elements: bytes, before: bytes = PATIENT_NAME) -> bytes:
    """The image with further elements."""
    at = FILM.index(before)
    return FILM[:at] + elements + FILM[at:]


def deflated(elements: bytes) -> bytes:
    """The image, deflated, with further elements in front of the patient's name."""
    data = films.native(uid.DeflatedExplicitVRLittleEndian, SCENE, bits=12)
    start = 144 + int.from_bytes(data[140:144], "little")
    plain = zlib.decompress(data[start:], -zlib.MAX_WBITS)
    at = plain.index(PATIENT_NAME)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return data[:start] + packer.compress(plain[:at] + elements + plain[at:]) + packer.flush()


COSTLY = {
    "one element a million times": (
        deflated(b"\x08\x00\x50\x00SH\0\0" * 1_000_000),
        TooManyElements,
    ),
    "a million items": (
        deflated(sequence(0x00081111, EMPTY_ITEM * 1_000_000, declared=False)),
        TooManyElements,
    ),
    "a million items of a declared length": (
        with_elements(sequence(0x00081111, EMPTY_ITEM * 1_000_000, declared=True)),
        TooManyElements,
    ),
    "a VOI LUT Sequence of a million items": (
        with_elements(sequence(0x00283010, EMPTY_ITEM * 1_000_000, declared=True), PIXEL_DATA),
        TooManyElements,
    ),
    "8 MB of sibling sequences": (
        with_elements(sequence(0x00081111, EMPTY_ITEM, declared=False) * 280_000),
        TooManyElements,
    ),
    "sequences nested 500 deep": (with_elements(nested(500, declared=False)), NestedTooDeep),
    "sequences of declared length nested 500 deep": (
        with_elements(nested(500, declared=True)),
        NestedTooDeep,
    ),
    "deflated sequences nested 3,000 deep": (
        deflated(nested(3000, declared=False)),
        NestedTooDeep,
    ),
    "sequences nested one too deep": (
        with_elements(nested(BUDGET.depth + 1, declared=True)),
        NestedTooDeep,
    ),
    "a value of a million empty fragments": (
        with_elements(
            b"\x09\x00\x10\x10OB\0\0"
            + b"\xff" * 4
            + EMPTY_ITEM * 1_000_000
            + ITEM[:2]
            + b"\xdd\xe0\0\0\0\0"
        ),
        TooManyElements,
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_small_file_that_costs_much_is_refused_with_its_cause(name, reader):
    """A file over the budget is refused early, at ingestion or by a worker, with a code for it."""
    data, kind = COSTLY[name]
    cost_of_inspection(reader, data).assert_bounded()
    read = cost_of_reading(reader, data)
    read.assert_bounded()
    assert read.answer == kind.code


@pytest.mark.parametrize("declared", [True, False])
def test_sequences_within_the_budget_are_accepted(declared, reader):
    """As many elements and as much depth as the budget allows do no harm."""
    elements = nested(BUDGET.depth, declared=declared)
    elements += sequence(0x00081140, EMPTY_ITEM * (BUDGET.elements - 200), declared=declared)
    data = with_elements(elements)
    assert reader.inspect(data, len(data)).rows == SCENE.shape[0]
    assert reader.read(data).pixels.shape == SCENE.shape


def test_pixel_data_in_too_many_fragments_is_refused(reader):
    """Pixel data of millions of empty fragments is refused before they are joined."""
    data = films.jpeg_baseline(films.scene(bits=8))
    at = data.index(PIXEL_DATA) + 12
    cost = cost_of_reading(reader, data[:at] + EMPTY_ITEM * 1_000_000 + data[at:])
    cost.assert_bounded()
    assert cost.answer == TooManySegments.code


def test_a_window_of_millions_of_values_is_no_window(reader):
    """A value far longer than any attribute is skipped, and costs nothing."""
    data = films.native(uid.ImplicitVRLittleEndian, SCENE, bits=12)
    at = data.index(PIXEL_DATA)
    value = b"1\\" * 4_000_000
    window = b"".join(
        struct.pack("<HHL", 0x28, number, len(value)) + value for number in (0x1050, 0x1051)
    )
    cost = cost_of_reading(reader, data[:at] + window + data[at:])
    assert cost.answer == "accepted"
    assert cost.cpu_s < 1


@pytest.mark.parametrize(
    ("encoding", "decoder", "components"),
    [
        (Encoding.JPEG_2000, "pylibjpeg", 3),
        (Encoding.JPEG, "pillow", 3),
        (Encoding.JPEG, GDCM, 3),
    ],
)
def test_a_codestream_that_needs_too_much_memory_is_refused(encoding, decoder, components):
    """Colour of 36 megapixels is refused before its decoder is asked, and grey is not."""
    with pytest.raises(WorkingMemoryExceeded, match="limit is 288 MiB"):
        check_decoding_memory(Codestream(6000, 6000, components, 8), encoding, decoder)
    check_decoding_memory(Codestream(6000, 6000, 1, 12), encoding, decoder)
    with pytest.raises(WorkingMemoryExceeded, match="limit is 288 MiB"):
        check_decoding_memory(Codestream(600, 600, 1, 12, tiles=60_000), encoding, decoder)


def test_nested_sequences_that_copy_what_they_hold_are_refused(reader):
    """Each level of declared length is there once more while the next is parsed."""
    body = struct.pack("<HH2sHL", 0x28, 0x3006, b"OW", 0, 4_000_000) + bytes(4_000_000)
    for _ in range(20):
        body = sequence(0x00283010, ITEM + struct.pack("<L", len(body)) + body, declared=True)
    cost = cost_of_reading(reader, with_elements(body, PIXEL_DATA))
    cost.assert_bounded()
    assert cost.answer == "working_memory"


def segmented(*words: int) -> bytes:
    """An image of which all three palettes are these segments."""
    indices = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    dataset = films.dataset(indices, bits=8, PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        table = np.array(words, "<u2").tobytes()
        setattr(dataset, f"Segmented{name}PaletteColorLookupTableData", table)
    return films.file_of(dataset)


RAMP = (0, 1, 0, 1, 255, 65535)


def test_a_segmented_palette_is_applied(reader):
    """A first entry, and a line up to the last."""
    pixels = reader.read(segmented(*RAMP)).pixels
    assert (pixels[0, 0], pixels[0, 63], pixels[3, 63]) == (0, 63, 255)


@pytest.mark.parametrize(
    "words",
    [
        RAMP + (1, 65535, 7) * 2000,
        RAMP + (2, 2, 0, 0) * 2000 + (1, 65535, 7) * 2,
        (0, 1, 0, 1, 65535, 7, *(2, 2, 0, 0) * 2000),
        (2, 1, 0, 0),
    ],
    ids=["lines", "copies", "copies of a long line", "a copy of itself"],
)
def test_a_segmented_palette_that_expands_without_end_is_refused(reader, words):
    """A descriptor can state 65,536 entries."""
    cost = cost_of_reading(reader, segmented(*words))
    cost.assert_bounded()
    assert cost.answer == "unreadable_film"
