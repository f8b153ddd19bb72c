"""What a reader's process sends: data, and nothing else."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime

import numpy as np
import pytest

from hilum.adapters.dicom.reader_messages import packed, unpacked
from hilum.domain.errors import NestedTooDeep, Rejected, TruncatedFilm, UnreadableFilm
from hilum.domain.image_note import ImageNote
from hilum.imaging.film import DicomIdentity, Film, FilmHeader

HEADER = FilmHeader(
    "application/dicom",
    rows=3,
    columns=4,
    bits=12,
    samples=1,
    sop_instance_uid="1.2.3",
    transfer_syntax_uid="1.2.840.10008.1.2.1",
    content_at=306,
    patient_age=0.25,
    view_position="PA",
    frontal=True,
    chest=None,
    mirrored=True,
    pixel_aspect=1.5,
    notes=frozenset({ImageNote.BURNED_IN_ANNOTATION}),
    identity=DicomIdentity("1.2", "1.2.1", acquired_at=datetime(2026, 11, 30, 9, tzinfo=UTC)),
)
FILM = Film(
    np.arange(12, dtype=np.uint8).reshape(3, 4),
    HEADER,
    frozenset({ImageNote.VOI_TABLE_IGNORED, ImageNote.BURNED_IN_ANNOTATION}),
)


def test_a_film_arrives_as_it_was_sent():
    """Pixels, header and notes."""
    arrived = unpacked(*packed(FILM))
    assert isinstance(arrived, Film)
    assert np.array_equal(arrived.pixels, FILM.pixels)
    assert (arrived.header, arrived.notes) == (HEADER, FILM.notes)


def test_a_header_arrives_as_it_was_sent():
    """Every field of it."""
    assert unpacked(*packed(HEADER)) == HEADER


@pytest.mark.parametrize("kind", [TruncatedFilm, NestedTooDeep, UnreadableFilm])
def test_a_refusal_keeps_its_class_and_its_words(kind):
    """The code decides what a person is advised."""
    arrived = unpacked(*packed(kind("because")))
    assert (type(arrived), arrived.detail) == (kind, "because")


def test_a_refusal_that_nobody_knows_is_of_an_unreadable_file():
    """A process cannot name another class."""
    arrived = unpacked(b'{"kind": "refusal", "code": "os.system", "detail": "x"}', b"")
    assert type(arrived) is UnreadableFilm
    assert isinstance(arrived, Rejected)


DOCUMENT, PIXELS = packed(FILM)


@pytest.mark.parametrize(
    ("document", "pixels"),
    [
        (pickle.dumps(FILM), PIXELS),
        (DOCUMENT, PIXELS[1:]),
        (DOCUMENT, PIXELS * 2),
        (DOCUMENT.replace(b"[3, 4]", b"[3, 4, 1]"), PIXELS),
        (DOCUMENT.replace(b"burned_in_annotation", b"anything"), PIXELS),
        (json.dumps({"kind": "header", "header": {"media_type": "a", "x": 1}}).encode(), b""),
        (b"{}", b""),
        (b"[]", b""),
    ],
)
def test_anything_else_is_no_answer(document, pixels):
    """It is refused, and nothing of it is run."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        unpacked(document, pixels)
