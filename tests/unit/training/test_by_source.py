"""Figures by source, and the sentence on the images that chose an operating point."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hilum.domain.verdict import predictive_value
from hilum_training.evaluation.by_source import (
    NOT_MEASURED,
    by_source,
    fitted_on,
    measured_on,
    predictive_values,
    wilson,
)
from hilum_training.evaluation.label_images import LabelImages


def images(rows: list[tuple[str, str, bool, float]]) -> LabelImages:
    """Source, patient, whether the label is there, score."""
    sources, patients, present, scores = zip(*rows, strict=True)
    return LabelImages(np.array(scores), np.array(present), np.array(sources), np.array(patients))


ROWS = [
    *(("kermany", f"k{place // 2}", True, 0.2 * place) for place in range(6)),
    *(("kermany", f"n{place}", False, 0.1) for place in range(4)),
    *(("nih14", f"a{place}", False, 0.3 * place) for place in range(3)),
]


def test_images_and_patients_of_each_kind_are_counted():
    """Six images of three ill children, four healthy ones, and three adults without it."""
    children, adults = by_source(images(ROWS), 0.5)
    assert (children["positive_films"], children["positive_patients"]) == (6, 3)
    assert (children["negative_films"], children["negative_patients"]) == (4, 4)
    assert children["sensitivity"]["value"] == 0.5
    assert children["specificity"]["value"] == 1.0
    assert (adults["positive_films"], adults["sensitivity"]) == (0, NOT_MEASURED)
    assert adults["specificity"]["value"] == pytest.approx(2 / 3, abs=1e-4)


def test_the_auroc_is_within_the_source():
    """A source without images of both kinds has none, also without an operating point."""
    children, adults = by_source(images(ROWS), None)
    assert children["auroc"]["value"] == pytest.approx(5 / 6, abs=1e-4)
    assert adults["auroc"] == NOT_MEASURED


def test_few_patients_have_an_interval_that_does_not_end_at_the_share():
    """Wilson's for a share between, the exact one where every image agrees."""
    children, adults = by_source(images(ROWS), 0.5)
    assert adults["specificity"]["interval"] == wilson(0.6667, 3)
    low, high = children["specificity"]["interval"]
    assert (low, high) == (pytest.approx(0.3976, abs=1e-3), 1.0)


def test_wilson_agrees_with_the_published_example():
    """Newcombe (Stat Med 1998;17:857), table I, method 3: 81 of 263 and 15 of 148."""
    assert wilson(81 / 263, 263) == pytest.approx([0.2553, 0.3662], abs=1e-4)
    assert wilson(15 / 148, 148) == pytest.approx([0.0624, 0.1605], abs=1e-4)


def test_without_a_point_there_are_counts_and_no_shares():
    """What would be missed at no threshold is not measured."""
    for row in by_source(images(ROWS), None):
        assert row["sensitivity"] == row["specificity"] == NOT_MEASURED
        assert row["positive_films"] + row["negative_films"] > 0


def test_the_sentence_says_of_the_images_what_was_counted():
    """Every number in it is a count of the images that chose the point, and none is left out."""
    found = images(ROWS)
    text = fitted_on(by_source(found, 0.5), "specificity 0.9 at the worst source (nih14)")
    assert text == (
        "Validation images with it: kermany 6 of 3 patients. Without it: kermany 4, nih14 3. "
        "Rule: specificity 0.9 at the worst source (nih14)."
    )
    with_it, without, _ = text.split(". ", 2)
    for part, present in ((with_it, True), (without, False)):
        told = {name: int(count) for name, count in re.findall(r"(\w+) (\d+)(?! pat)", part)}
        names = np.unique(found.sources[found.present == present])
        assert told == {
            str(name): int(((found.sources == name) & (found.present == present)).sum())
            for name in names
        }


def test_a_label_without_a_point_says_so_in_the_sentence():
    """The images are named all the same."""
    text = fitted_on(by_source(images(ROWS), None), "")
    assert text.endswith("Rule: none, there is no operating point.")
    assert fitted_on([], "").startswith("Validation images with it: none.")


def test_the_shipped_pair_says_of_which_test_images_it_is():
    """Counts and source, who is not counted, and what was assumed."""
    row = {"source": "nih14", "positive_films": 94, "negative_films": 106}
    text = "Sensitivity and specificity: 94 test images with it and 106 without it, of nih14"
    assert measured_on(row, children_apart=False) == f"{text}."
    assert measured_on(row, children_apart=True) == f"{text}, small children not counted."
    assumed = {**row, "assumed_false_flag": True}
    assert measured_on(assumed, children_apart=False).endswith("assumes one patient more who is.")
    assert "not measured" in measured_on(None, children_apart=False)


def figure(value, low, high):
    return {"value": value, "interval": [low, high]}


def test_predictive_values_follow_prevalence():
    """Bayes' rule for the value and for both ends of the interval."""
    sensitivity, specificity = figure(0.9, 0.8, 1.0), figure(0.7, 0.6, 0.8)
    found = predictive_values(sensitivity, specificity, 0.01)
    assert found["prevalence"] == 0.01
    assert found["ppv"]["value"] == pytest.approx(0.009 / (0.009 + 0.297), abs=1e-4)
    assert found["ppv"]["interval"] == [
        pytest.approx(predictive_value(0.8, 0.6, 0.01), abs=1e-4),
        pytest.approx(predictive_value(1.0, 0.8, 0.01), abs=1e-4),
    ]
    assert found["npv"]["value"] == pytest.approx(0.693 / (0.693 + 0.001), abs=1e-4)
    rare, common = (
        predictive_values(sensitivity, specificity, share)["ppv"]["value"] for share in (0.01, 0.5)
    )
    assert rare < common


def test_predictive_values_need_a_prevalence_and_both_shares():
    """Without one of them there is nothing to state."""
    assert predictive_values(NOT_MEASURED, figure(0.9, 0.8, 1.0), 0.1) is None
    assert predictive_values(figure(0.9, 0.8, 1.0), figure(0.9, 0.8, 1.0), None) is None
    nothing = predictive_values(figure(0.0, 0.0, 0.0), figure(1.0, 1.0, 1.0), 0.1)
    assert nothing["ppv"] == NOT_MEASURED
