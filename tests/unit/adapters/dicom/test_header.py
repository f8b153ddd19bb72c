"""What can be told of a DICOM file from its first bytes."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import uid

from hilum.adapters.dicom.dataset import looks_like_dicom, parse
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.header import age_in_years
from hilum.domain.errors import CompressionRatioTooHigh, TooManyPixels
from hilum.imaging.film import DicomIdentity, FilmHeader, FilmLimits
from tests.unit.adapters.dicom import films

SCENE = films.scene(bits=12)
FILM = films.film(SCENE, bits=12)
PIXELS_AT = FILM.index(b"\xe0\x7f\x10\x00")


def test_the_header_of_a_film(reader):
    """Size, depth, UID and transfer syntax are read without the pixels."""
    assert reader.inspect(FILM[:PIXELS_AT], len(FILM)) == FilmHeader(
        media_type="application/dicom",
        rows=96,
        columns=112,
        bits=12,
        samples=1,
        sop_instance_uid="2.25.314159265358979",
        transfer_syntax_uid=uid.ExplicitVRLittleEndian,
        content_at=FILM.index(b"\x08\x00\x16\x00"),
        identity=DicomIdentity(sop_class_uid=uid.ComputedRadiographyImageStorage, modality="CR"),
    )


def test_reading_gives_the_same_header(reader):
    """The header of a film that was read is the one seen at the door."""
    assert reader.read(FILM).header == reader.inspect(FILM, len(FILM))


def test_any_prefix_is_looked_at_without_complaint(reader):
    """A prefix cut anywhere is no error: what it does not show is None."""
    for length in range(132, PIXELS_AT, 7):
        header = reader.inspect(FILM[:length], len(FILM))
        assert header.media_type == "application/dicom"
        assert header.rows in {None, 96}


def test_a_long_private_element_in_front_hides_the_size(reader):
    """Where the image attributes lie beyond the prefix, size and depth stay open."""
    ds = films.dataset(SCENE, bits=12)
    ds.add_new((0x0009, 0x1010), "OB", bytes(300_000))
    data = films.file_of(ds)
    header = reader.inspect(data[: 256 * 1024], len(data))
    assert (header.rows, header.bits) == (None, None)
    assert header.sop_instance_uid == "2.25.314159265358979"
    assert reader.read(data).header.rows == 96


def test_the_prefix_of_a_deflated_film(reader):
    """A cut deflated dataset is inflated as far as it goes."""
    noise = np.random.default_rng(1).integers(0, 4096, (300, 300)).astype(np.uint16)
    data = films.native(uid.DeflatedExplicitVRLittleEndian, noise, bits=12)
    header = reader.inspect(data[:4096], len(data))
    assert (header.rows, header.columns) == (300, 300)


def test_limits_at_the_door():
    """A header that promises too many pixels, or too many for its bytes, is refused."""
    with pytest.raises(TooManyPixels):
        DicomFilmReader(FilmLimits(max_pixels=10_000)).inspect(FILM, len(FILM))
    with pytest.raises(CompressionRatioTooHigh):
        DicomFilmReader(FilmLimits(max_compression_ratio=0.5)).inspect(FILM, len(FILM))


def test_a_size_that_is_only_an_upper_bound_is_not_held_against_the_file():
    """``max_bytes`` is for whoever counts what arrives: the bound may cover other files too."""
    reader = DicomFilmReader(FilmLimits(max_bytes=50_000))
    assert reader.inspect(FILM[:4096], 10_000_000).rows == 96


def without_preamble(data):
    return data[132:]


def bare_dataset(data):
    """A dataset without preamble and file meta group."""
    return data[data.index(b"\x08\x00\x16\x00") :]


@pytest.mark.parametrize("strip", [without_preamble, bare_dataset])
@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian])
def test_a_file_that_lost_its_preamble_is_read(strip, syntax, reader):
    """Old archives strip the preamble; such a file is plainly DICOM and is read."""
    data = films.native(syntax, SCENE, bits=12)
    stripped = strip(data)
    assert looks_like_dicom(stripped)
    film = reader.read(stripped)
    assert np.array_equal(film.pixels, reader.read(data).pixels)
    assert film.header.sop_instance_uid == "2.25.314159265358979"
    assert film.header.transfer_syntax_uid == syntax


def test_a_transfer_syntax_that_lies_about_its_vr(reader):
    """Implicit VR under an Explicit VR transfer syntax is read as what it is."""
    implicit = films.native(uid.ImplicitVRLittleEndian, SCENE, bits=12)
    start = implicit.index(b"\x08\x00\x16\x00")
    explicit_meta = FILM[: FILM.index(b"\x08\x00\x16\x00")]
    film = reader.read(explicit_meta + implicit[start:])
    assert np.array_equal(film.pixels, reader.read(FILM).pixels)


@pytest.mark.parametrize(
    "data", [b"", b"\x08\x00", b"\x89PNG\r\n\x1a\n", b"II*\0" * 40, bytes(300)]
)
def test_other_bytes_do_not_look_like_dicom(data):
    """Neither the magic nor a plausible first element: not DICOM."""
    assert not looks_like_dicom(data)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("045Y", 45.0),
        ("006M", 0.5),
        ("026W", 0.498),
        ("090D", 0.246),
        ("000D", 0.0),
        ("45", 45.0),
        (" 045y ", 45.0),
        ("45 Y", None),
        ("Y", None),
        ("1000Y", None),
        ("-05Y", None),
        ("adult", None),
        ("", None),
    ],
)
def test_an_age_is_told_in_years(text, years):
    """Three digits and a unit; bare digits are years, and anything else is no age."""
    found = age_in_years(text)
    assert found == (years if years is None else pytest.approx(years, abs=1e-3))


@pytest.mark.parametrize(
    ("attributes", "age", "view"),
    [
        ({"PatientAge": "007Y", "ViewPosition": "AP"}, 7.0, "AP"),
        ({"PatientAge": "018M", "ViewPosition": "pa "}, 1.5, "PA"),
        ({"PatientAge": "", "ViewPosition": ""}, None, None),
        ({}, None, None),
    ],
)
def test_a_header_has_the_patient_s_age_and_the_view(reader, attributes, age, view):
    """Where the file states them; they decide whether a panel is valid for the image."""
    data = films.film(SCENE, bits=12, **attributes)
    header = reader.read(data).header
    assert (header.patient_age, header.view_position) == (age, view)


def test_where_the_meta_group_is_damaged_the_whole_file_is_the_content(reader):
    """Two such files with other pixels must not be taken for one."""
    at = FILM.index(b"\x02\x00\x10\x00UI")
    long = b"\x02\x00\x05\x00OB\0\0" + (len(FILM) * 2).to_bytes(4, "little")
    assert parse(FILM[:at] + long + FILM[at:], inflated_limit=10**6).data_set_at == 0
