"""On which images it is known whether a label is there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hilum_training.evaluation.label_images import label_images
from hilum_training.population.inside import Population
from tests.unit.training.panel_answers import answers, film, panel, sure


def known_of(asked, films, label):
    part = answers(asked, films, [sure(asked, asked.names[0])] * len(films))
    recorded = Population.as_recorded(asked.name, films)
    found = label_images(part, part.calibration(), recorded)[label]
    return sorted(zip(found.clusters.tolist(), found.present.tolist(), strict=True))


def test_an_unspecified_pneumonia_is_neither_bacterial_nor_not():
    """Where a recorded label allows two answers, neither is known to be absent; others are."""
    pneumonia = panel("pneumonia")
    films = [film(0, "nih14", "pneumonia_unspecified"), film(1, "nih14", "normal")]
    assert known_of(pneumonia, films, "pneumonia_bacterial") == [("1", False)]
    assert known_of(pneumonia, films, "covid19") == [("0", False), ("1", False)]
    assert known_of(pneumonia, films, "normal") == [("0", False), ("1", True)]


def test_normal_images_of_sources_that_the_panel_does_not_use_lack_its_findings():
    """They count for findings, and not for the label normal, on which nothing was taught."""
    adults = replace(panel("tuberculosis"), sources=("shenzhen",))
    films = [
        film(0, "shenzhen", "tuberculosis"),
        film(1, "shenzhen", "normal"),
        film(2, "kermany", "normal"),
        film(3, "kermany", "pneumonia_viral"),
    ]
    assert known_of(adults, films, "tuberculosis") == [("0", True), ("1", False), ("2", False)]
    assert known_of(adults, films, "normal") == [("0", False), ("1", True)]


def test_a_finding_is_absent_only_where_the_source_would_have_listed_it():
    """An image whose source says nothing of an effusion is left out of its figures."""
    pathology = panel("pathology")
    films = [
        film(0, "nih14", "other:effusion", findings=frozenset({"effusion"})),
        film(1, "nih14", "other:mass", findings=frozenset({"mass"})),
        film(2, "shenzhen", "tuberculosis", asked=frozenset()),
        film(3, "kermany", "normal"),
    ]
    assert known_of(pathology, films, "effusion") == [("0", True), ("1", False), ("3", False)]


def test_images_of_children_are_known_by_age_and_by_source():
    """A stated age decides, and without one the age group of the source."""
    infection = panel("infection")
    films = [
        film(0, "nih14", "normal", age=5.0),
        film(1, "nih14", "normal", age=50.0),
        film(2, "kermany", "pneumonia_viral", age_group="paediatric (1-5 y)"),
    ]
    part = answers(infection, films, [sure(infection, "normal")] * 3)
    recorded = Population.as_recorded("infection", films)
    found = label_images(part, part.calibration(), recorded)["infected"]
    assert found.children.tolist() == [True, False, True]
    assert found.take(found.present).children.tolist() == [True]
    scored = replace(found, scores=np.array([0.4, 0.4, 0.4]))
    assert scored.called(0.5, 0.3).tolist() == [True, False, True]
    assert scored.called(0.5, None).tolist() == [False] * 3
