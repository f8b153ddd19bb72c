"""What an operating point gives, at the source where it gives least."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hilum.domain.verdict import predictive_value
from hilum_training.evaluation.by_source import FEWEST_TO_DRAW
from hilum_training.evaluation.label_images import LabelImages
from hilum_training.evaluation.point_figures import ALL, point_figures
from hilum_training.evaluation.worst_source import LabelPoint

POINT = LabelPoint(0.5, "a rule")
CALM, LOUD = [0.1] * 99 + [0.9], [0.1] * 30 + [0.9] * 10
ILL = [0.9] * 30 + [0.1] * 10


def images(*parts: tuple[str, bool, list[float]]) -> LabelImages:
    """Images of their own patients: source, whether they have the label, scores."""
    rows = [(source, present, score) for source, present, values in parts for score in values]
    sources, present, scores = zip(*rows, strict=True)
    patients = np.array([str(place) for place in range(len(rows))])
    children = np.array(sources) == "kermany"
    return LabelImages(np.array(scores), np.array(present), np.array(sources), patients, children)


BOTH = [("nih14", False, CALM), ("nih14", True, ILL), ("shenzhen", False, LOUD)]
BOTH += [("shenzhen", True, ILL)]


def figures(found, point=POINT, prevalence=0.01, *, pooled=False):
    return point_figures(found, found, point, prevalence, pooled=pooled)


def test_predictive_values_are_of_the_source_where_a_flag_means_least():
    """Many calm images of another source do not raise them."""
    row = figures(images(*BOTH, ("kermany", False, [0.1] * 500)))
    assert row["worst_source"]["source"] == row["predictive_values"]["source"] == "shenzhen"
    assert row["worst_source"]["specificity"]["value"] == 0.75
    value = row["predictive_values"]["ppv"]["value"]
    assert value == pytest.approx(predictive_value(0.75, 0.75, 0.01), abs=1e-4)
    assert row["test"]["specificity"]["value"] > 0.98
    assert "40 test images with it and 40 without it, of shenzhen." in row["fitted_on"]


def test_a_source_counts_with_enough_patients_of_each_kind():
    """One patient too few, or many images of them, and another source is the worst."""
    few = FEWEST_TO_DRAW - 1
    found = images(*BOTH, ("cohen", True, ILL), ("cohen", False, [0.9] * few))
    assert figures(found)["worst_source"]["source"] == "shenzhen"
    more = images(*BOTH, ("cohen", True, ILL), ("cohen", False, [0.9] * (few + 1)))
    assert figures(more)["worst_source"]["source"] == "cohen"
    clusters = np.where(more.sources == "cohen", "one", more.clusters)
    assert figures(replace(more, clusters=clusters))["worst_source"]["source"] == "shenzhen"


def test_without_such_a_source_nothing_is_stated():
    """No predictive value rather than one over all sources."""
    row = figures(images(("nih14", False, CALM), ("shenzhen", True, ILL)))
    assert row["worst_source"] is None
    assert "predictive_values" not in row
    assert "not measured" in row["fitted_on"]


def test_without_a_false_flag_one_is_assumed():
    """A flag is never said to be always right; the interval is the measured one."""
    row = figures(images(("nih14", False, [0.1] * 99), ("nih14", True, ILL)))
    assert row["worst_source"]["assumed_false_flag"]
    assert row["worst_source"]["specificity"]["value"] == 0.99
    assert row["worst_source"]["specificity"]["interval"][1] == 1.0
    assert row["predictive_values"]["ppv"]["value"] < 0.5
    assert row["test_by_source"][0]["specificity"]["value"] == 1.0


def test_children_and_others_are_judged_apart_where_they_have_their_own_thresholds():
    """The pair is that of the threshold for others; children have rows of their own."""
    found = images(*BOTH, ("kermany", False, [0.2] * 30 + [0.4] * 10), ("kermany", True, ILL))
    row = figures(found, replace(POINT, child_threshold=0.3), 0.05)
    assert row["worst_source"]["source"] == "shenzhen"
    assert "of shenzhen, small children not counted." in row["fitted_on"]
    children = row["children"]
    assert children["worst_source"]["source"] == "kermany"
    assert children["worst_source"]["specificity"]["value"] == 0.75
    assert children["predictive_values"]["prevalence"] == 0.05
    assert "children" not in figures(found)


def test_a_gate_counts_all_sources_as_one():
    """It has sources of one kind each, so that none could be the worst."""
    found = images(("nih14", True, [0.9] * 3), ("picture", False, [0.1] * 3))
    row = figures(found, prevalence=None, pooled=True)["worst_source"]
    assert (row["source"], row["positive_films"], row["negative_films"]) == (ALL, 3, 3)
    assert row["specificity"]["value"] == 1.0
    assert "assumed_false_flag" not in row
    assert figures(found, LabelPoint(None), pooled=True)["worst_source"] is None
