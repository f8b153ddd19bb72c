"""An image that is stored mirrored or upside down is analysed as its plain twin is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hilum.application.analysis.pipeline import analyse
from hilum.domain.image_note import ImageNote
from hilum.domain.model import ModelSet
from hilum.imaging.film import Film, FilmHeader
from hilum.imaging.phantom import phantom_film
from tests.fakes.inference import BandEngine
from tests.fakes.model_catalogue import whole_set

ROWS, COLUMNS = 160, 128
MODELS = ModelSet(tuple(whole_set()))
NOTES = {
    (True, False): {ImageNote.IMAGE_MIRRORED},
    (False, True): {ImageNote.IMAGE_FLIPPED},
    (True, True): {ImageNote.IMAGE_MIRRORED, ImageNote.IMAGE_FLIPPED},
}


def plain() -> Film:
    """A phantom with a bright place in one lung, so that no two flips of it are the same."""
    pixels = np.minimum(phantom_film(320, 256, seed=1)[::2, ::2], 180)
    pixels[90:110, 25:45] = 255
    return Film(pixels, FilmHeader("application/dicom", ROWS, COLUMNS))


def stored(mirrored: bool, flipped: bool) -> Film:  # noqa: FBT001 - as in NOTES
    """The plain image as a file with flips keeps it."""
    film = plain()
    across, down = -1 if mirrored else 1, -1 if flipped else 1
    header = replace(film.header, mirrored=mirrored, flipped=flipped)
    return Film(film.pixels[::down, ::across], header, frozenset(NOTES[mirrored, flipped]))


@pytest.mark.parametrize("flips", NOTES)
def test_a_stored_flip_changes_no_answer_and_places_lie_in_stored_pixels(flips):
    """Probabilities are equal, and boxes, heatmaps and outlines are flips of one another."""
    mirrored, flipped = flips
    unflipped = analyse(plain(), MODELS, BandEngine(MODELS.models))
    read = analyse(stored(*flips), MODELS, BandEngine(MODELS.models))
    assert read.notes == NOTES[flips]
    assert unflipped.notes == frozenset()
    assert read.impression == unflipped.impression
    boxes = 0
    for one, other in zip(read.panels, unflipped.panels, strict=True):
        assert replace(one, findings=()) == replace(other, findings=())
        for found, twin in zip(one.findings, other.findings, strict=True):
            assert replace(found, boxes=()) == replace(twin, boxes=())
            for box, at in zip(found.boxes, twin.boxes, strict=True):
                x = COLUMNS - at.x - at.width if mirrored else at.x
                y = ROWS - at.y - at.height if flipped else at.y
                assert (box.x, box.y) == pytest.approx((x, y))
                assert (box.width, box.height, box.score) == (at.width, at.height, at.score)
                boxes += 1
    assert boxes
    assert read.heatmaps
    for heat, twin in zip(read.heatmaps, unflipped.heatmaps, strict=True):
        grid, other = (
            np.frombuffer(each.values, np.uint8).reshape(each.rows, each.columns)
            for each in (heat, twin)
        )
        assert np.array_equal(grid, other[:: -1 if flipped else 1, :: -1 if mirrored else 1])


def test_outlines_and_borders_of_a_mirrored_image_are_mirrored():
    """The right lung stays the patient's, and lies at the right edge of the stored image."""
    (unflipped,) = analyse(plain(), MODELS, BandEngine(MODELS.models)).structures
    (read,) = analyse(stored(True, False), MODELS, BandEngine(MODELS.models)).structures
    assert read.cardiothoracic.value == unflipped.cardiothoracic.value is not None
    left, right = unflipped.cardiothoracic.thorax
    assert read.cardiothoracic.thorax == pytest.approx((COLUMNS - right, COLUMNS - left))
    for one, other in zip(read.structures, unflipped.structures, strict=True):
        assert (one.label, one.area_share, one.flags) == (
            other.label,
            other.area_share,
            other.flags,
        )
        corners = [(COLUMNS - x, y) for x, y in other.outlines[0][::-1]]
        assert np.allclose(one.outlines[0], corners)
    lung = next(item for item in read.structures if item.label == "right_lung")
    assert min(x for x, _ in lung.outlines[0]) > COLUMNS / 2


class StoredOnly(BandEngine):
    """Its gate takes an image for a rotated one unless its bright place is in the lower half."""

    def infer(self, model, films):
        outputs = dict(super().infer(model, films))
        if model.name == "gate" and np.argmax(films[0].max(axis=1)) < films.shape[1] // 2:
            scores = np.array([[0.02, 0.02, 0.02, 0.02, 0.92]], np.float32)
            outputs["gate_probabilities"] = scores
        return outputs


def test_a_header_is_not_followed_where_the_gate_accepts_the_stored_image_alone():
    """The answer is that of the stored image, and the header is noted as ignored."""
    film = replace(stored(False, True), pixels=plain().pixels)
    read = analyse(film, MODELS, StoredOnly(MODELS.models))
    assert read.passed
    assert read.notes == {ImageNote.ORIENTATION_IGNORED}
    assert read.heatmaps == analyse(plain(), MODELS, BandEngine(MODELS.models)).heatmaps


def test_an_image_that_no_flip_makes_frontal_is_rejected_by_what_its_header_says():
    """The scores are those of the flipped image. Nothing says that it was flipped."""
    pixels = np.full((ROWS, COLUMNS), 250, np.uint8)
    header = replace(plain().header, mirrored=True, chest=True)
    engine = BandEngine(MODELS.models)
    notes = frozenset({ImageNote.IMAGE_MIRRORED})
    read = analyse(Film(pixels, header, notes), MODELS, engine)
    assert not read.passed
    assert engine.asked == ["gate", "gate"]
    assert read.notes == {ImageNote.HEADER_BODY_PART_CHEST}


LATERAL = np.array([[0.02, 0.92, 0.02, 0.02, 0.02]], np.float32)


@pytest.mark.parametrize(
    ("states", "scores", "notes"),
    [
        ({"frontal": False}, None, {ImageNote.HEADER_VIEW_NOT_FRONTAL}),
        ({"chest": False}, None, {ImageNote.HEADER_BODY_PART_OTHER}),
        ({"one_side": True}, None, {ImageNote.HEADER_ONE_SIDE}),
        ({"frontal": True, "chest": True}, None, set()),
        ({}, None, set()),
        ({"frontal": True}, LATERAL, {ImageNote.HEADER_VIEW_FRONTAL}),
        ({"frontal": False, "one_side": True, "chest": True}, LATERAL, set()),
    ],
)
def test_a_header_that_contradicts_the_gate_is_noted(monkeypatch, states, scores, notes):
    """What header and gate agree on is not noted, and nothing is rejected for its header."""
    engine = BandEngine(MODELS.models)
    if scores is not None:
        infer = engine.infer

        def lateral(model, films):
            said = {"gate_probabilities": scores} if model.name == "gate" else {}
            return {**infer(model, films), **said}

        monkeypatch.setattr(engine, "infer", lateral)
    film = plain()
    read = analyse(replace(film, header=replace(film.header, **states)), MODELS, engine)
    assert read.passed is (scores is None)
    assert read.notes == notes
