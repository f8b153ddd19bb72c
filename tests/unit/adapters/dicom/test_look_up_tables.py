"""Modality and VOI look-up tables: byte order, input range, depth, and invalid ones."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from hilum.domain.errors import BlankRendering, UnreadableFilm
from hilum.domain.image_note import ImageNote
from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.recast import WINDOW, in_window

PIXELS = films.scene(bits=12)
CURVE = np.rint((np.arange(4096) / 4095.0) ** 2 * 4095).astype(np.uint16)


def table(entries, descriptor, *, vr="US", big=False, data_vr="OW"):
    """A sequence of one table; its data is bytes, its descriptor three raw words."""
    item = Dataset()
    words = [word - 65536 if vr == "SS" and word > 32767 else word for word in descriptor]
    item.add_new((0x0028, 0x3002), vr, words)
    item.add_new(
        (0x0028, 0x3006), data_vr, np.asarray(entries).astype(">u2" if big else "<u2").tobytes()
    )
    return Sequence([item])


def shown_by(entries, bits, inputs):
    """What a VOI LUT shows."""
    return np.floor(np.asarray(entries)[inputs] / (2**bits - 1) * 255 + 0.5).astype(np.uint8)


def encoded(ds, syntax, pixels):
    """The film in one of the uncompressed syntaxes."""
    ds.file_meta.TransferSyntaxUID = uid.UID(syntax)
    if syntax == uid.ExplicitVRBigEndian:
        ds.PixelData = pixels.astype(">u2").tobytes()
    return films.file_of(ds)


SYNTAXES = [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("data_vr", ["US", "OW"])
def test_a_voi_table_is_read_in_the_byte_order_of_the_file(syntax, data_vr, reader):
    """Entries have the byte order of the data set, whatever their VR is."""
    big = syntax == uid.ExplicitVRBigEndian
    tables = table(CURVE, [4096, 0, 12], big=big)
    if data_vr == "US":
        tables[0].add_new((0x0028, 0x3006), "US", [int(entry) for entry in CURVE])
    ds = films.dataset(PIXELS, bits=12, VOILUTSequence=tables)
    film = reader.read(encoded(ds, syntax, PIXELS))
    assert np.array_equal(film.pixels, shown_by(CURVE, 12, PIXELS))
    assert film.notes == frozenset()


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_modality_table_is_read_in_the_byte_order_of_the_file(syntax, reader):
    """A Modality LUT maps stored values before the window, in either byte order."""
    tables = table(CURVE, [4096, 0, 12], big=syntax == uid.ExplicitVRBigEndian)
    ds = films.dataset(PIXELS, bits=12, ModalityLUTSequence=tables, **WINDOW)
    film = reader.read(encoded(ds, syntax, PIXELS))
    assert np.array_equal(film.pixels, in_window(CURVE[PIXELS].astype(float)))


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("vr", ["US", "SS"])
def test_a_negative_first_value_after_rescale(vr, syntax, reader):
    """Unsigned pixels that rescale makes signed have a signed first value, also written as US."""
    tables = table(CURVE, [4096, 65536 - 1024, 12], vr=vr, big=syntax == uid.ExplicitVRBigEndian)
    ds = films.dataset(
        PIXELS, bits=12, RescaleSlope=1, RescaleIntercept=-1024, VOILUTSequence=tables
    )
    film = reader.read(encoded(ds, syntax, PIXELS))
    assert np.array_equal(film.pixels, shown_by(CURVE, 12, PIXELS))


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("vr", ["US", "SS"])
def test_a_first_value_above_32767(vr, syntax, reader):
    """16 unsigned bits have an unsigned first value, also written as SS."""
    pixels = PIXELS + np.uint16(40_000)
    tables = table(CURVE, [4096, 40_000, 12], vr=vr, big=syntax == uid.ExplicitVRBigEndian)
    ds = films.dataset(pixels, bits=16, VOILUTSequence=tables)
    film = reader.read(encoded(ds, syntax, pixels))
    assert np.array_equal(film.pixels, shown_by(CURVE, 12, PIXELS))


@pytest.mark.parametrize("vr", ["US", "SS"])
def test_signed_pixels_and_a_negative_first_value(vr, reader):
    """The first value is signed where the stored values are."""
    pixels = (PIXELS.astype(np.int32) - 2048).astype(np.int16)
    tables = table(CURVE, [4096, 65536 - 2048, 12], vr=vr)
    for syntax in (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian):
        ds = films.dataset(pixels, bits=12, VOILUTSequence=tables)
        film = reader.read(encoded(ds, syntax, pixels))
        assert np.array_equal(film.pixels, shown_by(CURVE, 12, PIXELS))


@pytest.mark.parametrize("used", [8, 10, 12, 14])
def test_a_declared_depth_of_16_over_entries_that_need_less(used, reader):
    """Entries of 12 bits that say 16, the size of a word, span black to white, with a note."""
    entries = CURVE.astype(np.uint32) * (2**used - 1) // 4095
    film = reader.read(films.film(PIXELS, bits=12, VOILUTSequence=table(entries, [4096, 0, 16])))
    assert np.array_equal(film.pixels, shown_by(entries, used, PIXELS))
    assert film.notes == {ImageNote.TABLE_DEPTH_CORRECTED}


@pytest.mark.parametrize("largest", [1000, 4000, 4096])
def test_the_largest_entry_of_narrower_words_is_white(largest, reader):
    """Entries up to any number under a declared depth of 16 span black to white."""
    entries = CURVE.astype(int) * largest // 4095
    film = reader.read(films.film(PIXELS, bits=12, VOILUTSequence=table(entries, [4096, 0, 16])))
    expected = np.floor(entries[PIXELS] / largest * 255 + 0.5)
    assert np.array_equal(film.pixels, expected)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_entries_that_a_conversion_left_in_the_other_byte_order(syntax, reader):
    """A curve that runs through its range many times has its bytes exchanged."""
    tables = table(CURVE, [4096, 0, 12], big=syntax == uid.ExplicitVRBigEndian)
    tables[0].LUTData = CURVE.astype(
        "<u2" if syntax == uid.ExplicitVRBigEndian else ">u2"
    ).tobytes()
    ds = films.dataset(PIXELS, bits=12, VOILUTSequence=tables)
    film = reader.read(encoded(ds, syntax, PIXELS))
    assert np.array_equal(film.pixels, shown_by(CURVE, 12, PIXELS))


def test_entries_beyond_their_declared_depth(reader):
    """Entries of 12 bits that say 8 span black to white."""
    film = reader.read(films.film(PIXELS, bits=12, VOILUTSequence=table(CURVE, [4096, 0, 8])))
    assert np.array_equal(film.pixels, shown_by(CURVE, 12, PIXELS))


def test_a_dim_table_of_a_plain_depth_stays_dim(reader):
    """A table of 12 bits whose largest entry is 3000 does not reach white."""
    entries = CURVE.astype(int) * 3000 // 4095
    film = reader.read(films.film(PIXELS, bits=12, VOILUTSequence=table(entries, [4096, 0, 12])))
    assert np.array_equal(film.pixels, shown_by(entries, 12, PIXELS))


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("declared", [8, 16])
def test_entries_of_8_bits_packed_two_to_a_word(declared, syntax, reader):
    """The first of a pair lies in the low byte, so big endian swaps each pair."""
    octets = (np.arange(4096) // 16).astype(np.uint8)
    tables = table(octets.view("<u2"), [4096, 0, declared], big=syntax == uid.ExplicitVRBigEndian)
    ds = films.dataset(PIXELS, bits=12, VOILUTSequence=tables)
    film = reader.read(encoded(ds, syntax, PIXELS))
    assert np.array_equal(film.pixels, octets[PIXELS])


def test_65536_entries_are_written_as_0(reader):
    """A count of 0 means 65536."""
    entries = np.arange(65536)
    pixels = films.scene(bits=16)
    film = reader.read(films.film(pixels, bits=16, VOILUTSequence=table(entries, [0, 0, 16])))
    assert np.array_equal(film.pixels, shown_by(entries, 16, pixels))


@pytest.mark.parametrize("declared", [4100, 0])
def test_a_count_that_is_too_large_over_a_table_that_reaches_far_enough(declared, reader):
    """Entries that are missing beyond the largest possible input are not missed."""
    film = reader.read(films.film(PIXELS, bits=12, VOILUTSequence=table(CURVE, [declared, 0, 12])))
    assert np.array_equal(film.pixels, shown_by(CURVE, 12, PIXELS))


INVALID = {
    "half of the entries": table(CURVE[:2048], [4096, 0, 12]),
    "a quarter of the entries": table(CURVE[:1024], [4096, 0, 12]),
    "no entries": table(CURVE[:0], [4096, 0, 12]),
    "words of 8 bits, too few": table(np.arange(2048) // 8, [4096, 0, 8]),
    "one grey": table(np.zeros(4096), [4096, 0, 12]),
    "no descriptor": table(CURVE, [4096, 0]),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_table_gives_way_to_the_window_and_says_so(name, reader):
    """The window beside an invalid VOI LUT is applied, with a note."""
    film = reader.read(films.film(PIXELS, bits=12, VOILUTSequence=INVALID[name], **WINDOW))
    assert np.array_equal(film.pixels, in_window(PIXELS))
    assert film.notes == {ImageNote.VOI_TABLE_IGNORED}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_table_without_a_window_is_refused(name, reader):
    """Nothing takes the place of an invalid VOI LUT: unreadable, or blank where it is empty."""
    blank = name in {"no entries", "one grey"}
    with pytest.raises(BlankRendering if blank else UnreadableFilm, match="look-up table"):
        reader.read(films.film(PIXELS, bits=12, VOILUTSequence=INVALID[name]))


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("item", ["no elements", "empty elements"])
def test_an_item_that_says_nothing_is_no_table(item, keyword, reader):
    """An item without descriptor and data counts as absent, with and without a window."""
    nothing = Dataset()
    if item == "empty elements":
        nothing.add_new((0x0028, 0x3002), "US", None)
        nothing.add_new((0x0028, 0x3006), "OW", None)
    for window in (WINDOW, {}):
        data = films.film(PIXELS, bits=12, **{keyword: Sequence([nothing])}, **window)
        film = reader.read(data)
        assert np.array_equal(
            film.pixels, reader.read(films.film(PIXELS, bits=12, **window)).pixels
        )
        assert film.notes == frozenset()


def test_a_table_that_misses_every_value_gives_way_to_the_window(reader):
    """A VOI LUT of inputs that the image does not have is as invalid as one without entries."""
    tables = table(CURVE, [4096, 20_000, 16])
    film = reader.read(films.film(PIXELS, bits=12, VOILUTSequence=tables, **WINDOW))
    assert np.array_equal(film.pixels, in_window(PIXELS))
    assert film.notes == {ImageNote.VOI_TABLE_IGNORED}


def test_the_second_table_counts_where_the_first_is_invalid(reader):
    """Several VOI LUTs are alternatives, and the first valid one is taken."""
    both = Sequence([*INVALID["no entries"], *table(CURVE, [4096, 0, 12])])
    film = reader.read(films.film(PIXELS, bits=12, VOILUTSequence=both))
    assert np.array_equal(film.pixels, shown_by(CURVE, 12, PIXELS))


def test_an_invalid_modality_table_gives_way_to_rescale(reader):
    """Rescale Slope and Intercept take its place with a note; without them it is refused."""
    broken = INVALID["half of the entries"]
    rescale = {"RescaleSlope": 1, "RescaleIntercept": 0}
    film = reader.read(films.film(PIXELS, bits=12, ModalityLUTSequence=broken, **rescale, **WINDOW))
    assert np.array_equal(film.pixels, in_window(PIXELS))
    assert film.notes == {ImageNote.MODALITY_TABLE_IGNORED}
    with pytest.raises(UnreadableFilm, match="shorter"):
        reader.read(films.film(PIXELS, bits=12, ModalityLUTSequence=broken, **WINDOW))


@pytest.mark.parametrize(
    "voi", [WINDOW, {"VOILUTSequence": table(CURVE, [4096, 0, 12])}], ids=["window", "table"]
)
def test_an_empty_modality_table_gives_way_to_stored_values(voi, reader):
    """A window or a VOI LUT is applied to them with a note; without either it is refused."""
    empty = INVALID["no entries"]
    film = reader.read(films.film(PIXELS, bits=12, ModalityLUTSequence=empty, **voi))
    plain = reader.read(films.film(PIXELS, bits=12, **voi))
    assert np.array_equal(film.pixels, plain.pixels)
    assert film.notes == {ImageNote.MODALITY_TABLE_IGNORED}
    with pytest.raises(UnreadableFilm, match="empty"):
        reader.read(films.film(PIXELS, bits=12, ModalityLUTSequence=empty))


def test_a_table_that_misses_every_value_is_a_blank_rendering(reader):
    """A table whose entries lie elsewhere shows one grey."""
    tables = table(CURVE, [4096, 20_000, 12])
    with pytest.raises(BlankRendering, match="look-up table"):
        reader.read(films.film(PIXELS, bits=12, VOILUTSequence=tables))


def test_a_film_that_is_all_padding_is_a_blank_rendering(reader):
    """A padding range over every stored value of the image leaves nothing."""
    pixels = np.minimum(PIXELS, 4000)
    ds = films.dataset(pixels, bits=12, PixelPaddingValue=0, PixelPaddingRangeLimit=4000)
    with pytest.raises(BlankRendering, match="padding"):
        reader.read(films.file_of(ds))
