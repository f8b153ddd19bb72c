"""What counts as a normal image, and what is flagged on images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilum.application.thresholds.flags import Flags, flags_of, is_ill
from hilum.application.thresholds.labelled_films import LabelledFilm, ScoredFilm
from hilum.domain.model import Rank
from tests.fakes.model_catalogue import small_chest, small_gate

CHEST = small_chest()
NORMAL = ("pneumonia", "normal")
COVID = ("pneumonia", "covid19")
EFFUSION = ("pathology", "effusion")


@pytest.mark.parametrize(
    ("truth", "ill"),
    [
        ({}, None),
        ({("gate", "frontal"): True}, None),
        ({NORMAL: True}, False),
        ({NORMAL: False}, True),
        ({EFFUSION: False}, False),
        ({EFFUSION: True}, True),
        ({NORMAL: True, EFFUSION: False}, False),
        ({NORMAL: True, EFFUSION: True}, True),
    ],
)
def test_an_image_is_ill_where_a_label_says_so(truth, ill):
    """By an abnormal label that is true, or a normal one that is not."""
    assert is_ill(LabelledFilm("a", "p", truth), CHEST) is ill


def image(truth, source="", **probabilities: float) -> ScoredFilm:
    names = {"effusion": EFFUSION, "covid19": COVID, "normal": NORMAL}
    given = {names[name]: value for name, value in probabilities.items()}
    return ScoredFilm(LabelledFilm("a", "p", truth, source=source), given)


def test_flags_are_abnormal_labels_that_are_named():
    """A single-label panel names one at most, and normal is no flag."""
    images = [
        image({NORMAL: True}, normal=0.9, covid19=0.1, effusion=0.29),
        image({NORMAL: True}, normal=0.4, covid19=0.6, effusion=0.3),
        image({NORMAL: False}, normal=0.6, covid19=0.2),
        image({}, effusion=0.9),
    ]
    assert flags_of(images, CHEST) == [Flags(False, "", 2, 2, 1), Flags(True, "", 1, 0, 1)]


def test_each_source_is_counted_where_there_are_several():
    """All together first; a source without images of a kind is left out."""
    images = [
        image({NORMAL: True}, "ward", effusion=0.3),
        image({NORMAL: True}, "clinic", effusion=0.2),
        image({NORMAL: False}, "ward", effusion=0.2),
    ]
    assert flags_of(images, CHEST) == [
        Flags(False, "", 2, 1, 1),
        Flags(False, "clinic", 1, 0, 1),
        Flags(False, "ward", 1, 1, 0),
        Flags(True, "", 1, 0, 1),
        Flags(True, "ward", 1, 0, 1),
    ]


def test_labels_that_are_not_shown_and_labels_without_a_point_flag_nothing():
    """A gate has no part in it."""
    pathology = CHEST.panels[1]
    labels = tuple(replace(label, rank=Rank.NOT_SHOWN) for label in pathology.labels)
    hidden = replace(CHEST, panels=(replace(pathology, labels=labels),))
    without = replace(CHEST, panels=(replace(pathology, operating_points=()),))
    images = [image({EFFUSION: True}, effusion=0.9)]
    for manifest in (hidden, without):
        assert flags_of(images, manifest) == [Flags(True, "", 1, 0, 1)]
    assert flags_of(images, small_gate()) == []


def test_an_image_of_a_child_is_counted_at_the_points_for_children():
    """As it is judged: a panel that applied them once applies them in the count."""
    panels = tuple(
        replace(
            panel,
            operating_points=tuple(
                replace(point, child_threshold=0.05) if point.label == "covid19" else point
                for point in panel.operating_points
            ),
        )
        for panel in CHEST.panels
    )
    manifest = replace(CHEST, panels=panels)
    adult = image({NORMAL: False}, normal=0.4, covid19=0.1)
    child = replace(adult, child=frozenset({"pneumonia"}))
    assert flags_of([adult], manifest) == [Flags(True, "", 1, 0, 1)]
    assert flags_of([child], manifest) == [Flags(True, "", 1, 1, 0)]
