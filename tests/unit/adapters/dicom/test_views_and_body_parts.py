"""Views and body parts of headers, in words of the field and in codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from hilum.adapters.dicom import vocabulary
from hilum.adapters.dicom.statements import chest_of_words, view_of_words
from hilum.application.analysis.gate import contradictions
from hilum.domain.finding import Finding, PanelReading
from hilum.domain.image_note import ImageNote
from hilum.domain.panel import PanelKind
from tests.unit.adapters.dicom import films

if TYPE_CHECKING:
    from hilum.adapters.dicom.film_reader import DicomFilmReader
    from hilum.imaging.film import FilmHeader

SCENE = films.scene(bits=12)
CODES = (
    vocabulary.FRONTAL_CODES.keys()
    | vocabulary.OTHER_VIEW_CODES
    | vocabulary.CHEST_CODES
    | vocabulary.OTHER_PART_CODES
)


def header(reader: DicomFilmReader, **attributes: Any) -> FilmHeader:
    return reader.read(films.film(SCENE, bits=12, **attributes)).header


def coded(*values: str, scheme: str = "SRT") -> list[Dataset]:
    items = []
    for value in values:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, "words"
        items.append(item)
    return items


@pytest.mark.parametrize(
    ("view", "frontal", "name"),
    [
        ("PA", True, "PA"),
        ("AP", True, "AP"),
        ("P.A.", True, "PA"),
        ("a.p", True, "AP"),
        ("P-A", True, "PA"),
        ("A/P", True, "AP"),
        ("PA ERECT", True, "PA"),
        ("AP SUPINE", True, "AP"),
        ("ap supine", True, "AP"),
        ("CHEST PA", True, "PA"),
        ("CHEST_AP", True, "AP"),
        ("Postero-Anterior", True, "PA"),
        ("FRONTAL", True, None),
        ("AP LORDOTIC", True, "AP LORDOTIC"),
        ("LL", False, "LL"),
        ("LL ", False, "LL"),
        ("RL", False, "RL"),
        ("LAT", False, "LAT"),
        ("lat", False, "LAT"),
        ("LATERAL", False, "LATERAL"),
        ("L LAT", False, "L LAT"),
        ("RLO", False, "RLO"),
        ("LAO", False, "LAO"),
        ("OBLIQUE", False, "OBLIQUE"),
        ("PROFIL", False, "PROFIL"),
        ("LLD", None, "LLD"),
        ("AP LATERAL DECUBITUS", None, "AP LATERAL DECUBITUS"),
        ("PA AND LATERAL", None, "PA AND LATERAL"),
        ("PA/AP", None, "PA/AP"),
        ("ANTEGRADE", None, "ANTEGRADE"),
        ("LAP", None, "LAP"),
        ("", None, None),
    ],
)
def test_a_view_is_frontal_or_not_or_unclear(reader, view, frontal, name):
    """Defined terms and words. PA and AP have one name, which scopes of panels list."""
    found = header(reader, ViewPosition=view)
    assert (found.frontal, found.view_position) == (frontal, name)


@pytest.mark.parametrize(
    ("value", "scheme", "frontal", "name"),
    [
        ("R-10214", "SRT", True, "PA"),
        ("R-40888", "SRT", True, "PA"),
        ("R-10206", "SNM3", True, "AP"),
        ("R-10202", "99SDM", True, None),
        ("272479007", "SCT", True, "PA"),
        ("399348003", "SCT", True, "AP"),
        ("R-10236", "SRT", False, "R-10236"),
        ("R-10228", "SRT", False, "R-10228"),
        ("399067008", "SCT", False, "399067008"),
    ],
)
def test_a_view_in_a_code(reader, value, scheme, frontal, name):
    """View Code Sequence counts where View Position says nothing that is known."""
    codes = coded(value, scheme=scheme)
    for attributes in ({}, {"ViewPosition": ""}, {"ViewPosition": "FOO"}):
        found = header(reader, ViewCodeSequence=codes, **attributes)
        assert (found.frontal, found.view_position) == (frontal, name)


@pytest.mark.parametrize(("value", "scheme"), [("R-10214", "99LOCAL"), ("R-99999", "SRT")])
def test_a_code_that_is_unknown_says_nothing(reader, value, scheme):
    """A private code may look like one of SNOMED."""
    found = header(reader, ViewCodeSequence=coded(value, scheme=scheme))
    assert (found.frontal, found.view_position) == (None, None)


@pytest.mark.parametrize(
    ("words", "codes", "frontal"),
    [
        ("PA", ["R-10236"], None),
        ("LATERAL", ["R-10206"], None),
        ("PA", ["R-10206"], True),
        ("LATERAL", ["R-10236"], False),
        ("LLD", ["R-10206"], None),
        ("", ["R-10206", "R-10236"], None),
        ("", ["R-10232", "R-10236"], False),
    ],
)
def test_a_view_in_words_and_codes_that_contradict_is_unclear(reader, words, codes, frontal):
    """What the header says in two ways counts where both agree."""
    found = header(reader, ViewPosition=words, ViewCodeSequence=coded(*codes))
    assert found.frontal is frontal


@pytest.mark.parametrize(
    ("body_part", "chest"),
    [
        *((word, True) for word in ("CHEST", "chest pa", "CHEST_AP", "THORAX", "torax", "TÓRAX")),
        *((word, True) for word in ("POUMON", "LUNGE", "BRUSTKORB", "CHESTABDOMEN", "RIB")),
        *((word, False) for word in ("HAND", "MAIN", "mano", "SCHAEDEL", "Schädel", "SKULL")),
        *((word, False) for word in ("TSPINE", "THORACIC SPINE", "BWS", "LEFT HAND", "HAND_PA")),
        *((word, False) for word in ("ABDOMENPELVIS", "ABD", "UP_EXM", "LOW_EXM", "LEFTHAND")),
        *((word, False) for word in ("HANDFINGER", "FACE", "HEADNECK", "KIDNEY", "COLON")),
        *((word, False) for word in ("CALF", "ZYGOMA", "TMJ", "RIGHTHAND")),
        ("CHEST ABD", True),
        *((word, None) for word in ("UNKNOWN", "", "OTHER", "FOO", "DARSTELLUNG", "HANDLING")),
    ],
)
def test_a_body_part_is_the_chest_or_another_or_unknown(reader, body_part, chest):
    """Words of several languages. A word that is not known says nothing."""
    assert header(reader, BodyPartExamined=body_part).chest is chest


@pytest.mark.parametrize(
    ("words", "value", "scheme", "chest"),
    [
        ("", "T-D3000", "SRT", True),
        ("", "51185008", "SCT", True),
        ("", "816094009", "SCT", True),
        ("", "T-D8700", "SRT", False),
        ("UNKNOWN", "T-D3000", "SNM3", True),
        ("CHEST", "T-D3000", "SRT", True),
        ("CHEST", "T-D8700", "SRT", None),
        ("HAND", "T-D3000", "SRT", None),
        ("CHEST", "T-99999", "SRT", True),
        ("", "T-99999", "SRT", None),
        ("", "T-D3000", "99LOCAL", None),
    ],
)
def test_a_body_part_in_a_code(reader, words, value, scheme, chest):
    """Anatomic Region Sequence counts where words say nothing, and against words that differ."""
    region = coded(value, scheme=scheme)
    found = header(reader, BodyPartExamined=words, AnatomicRegionSequence=region)
    assert found.chest is chest


@pytest.mark.parametrize(
    ("side", "one_side"),
    [("L", True), ("r ", True), ("Left", True), ("RECHTS", True), ("U", False), ("B", False)],
)
def test_one_side_of_the_body(reader, side, one_side):
    """A chest is unpaired: one side of it is half an image."""
    assert header(reader, ImageLaterality=side).one_side is one_side


KNOWN = (
    "PA|AP|CHEST|THORA|TORA|LUNG|PULMO|POUMON|POLMON|BRUSTKORB|SPINE|VERTEBRA|WIRBEL|LUMB|CERVIC"
)
UNKNOWN = st.from_regex(rf"(?!.*({KNOWN}))[J-KQW-Z][A-Z]{{4,12}}", fullmatch=True)


@given(word=UNKNOWN)
def test_an_unknown_word_is_never_a_contradiction(word):
    """Whatever the gate says, a word that nobody knows contradicts nothing."""
    if word in vocabulary.OTHER_PARTS:
        return
    assert (view_of_words(word), chest_of_words(word)) == (None, None)


@pytest.mark.parametrize("label", ["lateral", "not_chest"])
@pytest.mark.parametrize("passed", [True, False])
def test_an_unknown_header_contradicts_no_gate(reader, label, passed):
    """Neither an accepted image nor a rejected one is noted. Known words are."""
    said = Finding(label, label, 0.9, 0.5, positive=True, abnormal=False, weak=False)
    gate = PanelReading("gate", "gate", "1.0.0", (said,), "Gate", PanelKind.GATE)
    unknown = header(reader, ViewPosition="ZUFALL", BodyPartExamined="QUERBEET")
    assert contradictions(unknown, gate, passed=passed) == frozenset()
    known = header(reader, ViewPosition="P.A.", BodyPartExamined="POUMON")
    contradicted = {
        "lateral": ImageNote.HEADER_VIEW_FRONTAL,
        "not_chest": ImageNote.HEADER_BODY_PART_CHEST,
    }
    expected = set() if passed else {contradicted[label]}
    assert contradictions(known, gate, passed=passed) == expected


def test_codes_are_those_of_the_standard():
    """Each SNOMED CT code is of CID 4010 or 4031, or what a code of SNOMED-RT stands for."""
    members = {
        code
        for cid in (4010, 4031)
        for name in cid_concepts[cid]["SCT"]
        for code in concepts["SCT"][name]
    }
    stood_for = {mapping["SRT"].get(code) for code in CODES}
    new = {code for code in CODES if code.isdigit()}
    assert new <= members | stood_for
    of_an_earlier_edition = {"R-10214", "R-10218"}
    today = CODES - new - of_an_earlier_edition
    assert {mapping["SRT"][code] for code in today} <= new
