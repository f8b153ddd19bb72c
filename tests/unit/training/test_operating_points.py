"""Thresholds by rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hilum_training.evaluation.operating_points import (
    NoOperatingPoint,
    best_accuracy,
    choose_point,
)
from hilum_training.panel_recipe import OperatingPointRecipe

YOUDEN = OperatingPointRecipe("youden")
GENERATOR = np.random.default_rng(2)
POSITIVE = GENERATOR.random(500) < 0.3
SCORES = np.clip(GENERATOR.normal(0.4 + 0.2 * POSITIVE, 0.15), 0.001, 0.999)


def shares(scores, positive, threshold):
    """Sensitivity and specificity; a score that equals the threshold is positive."""
    called = scores >= threshold
    return called[positive].mean(), (~called[~positive]).mean()


def test_youden_finds_the_gap_between_two_separate_kinds():
    """The threshold lies between the highest negative and the lowest positive."""
    scores = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8, 0.9, 0.95])
    positive = scores > 0.5
    assert choose_point(scores, positive, YOUDEN).threshold == pytest.approx(0.45)


def test_youden_takes_the_middle_of_equally_good_thresholds():
    """Chance picks the best of a plateau; its middle is as good and less fragile."""
    scores = np.array([0.1, *np.linspace(0.2, 0.8, 200), 0.9])
    positive = np.array([False, *[True, False] * 100, True])
    assert choose_point(scores, positive, YOUDEN).threshold == pytest.approx(0.5, abs=0.02)


def test_wanted_sensitivity_takes_the_largest_threshold_that_reaches_it():
    """At least the wanted share of positives is called, and no more than need be."""
    point = choose_point(SCORES, POSITIVE, OperatingPointRecipe("sensitivity", 0.9))
    reached, _ = shares(SCORES, POSITIVE, point.threshold)
    missed, _ = shares(SCORES, POSITIVE, point.threshold + 0.02)
    assert missed < 0.9 <= reached
    assert point.rule == "sensitivity 0.9"


def test_wanted_specificity_takes_the_smallest_threshold_that_reaches_it():
    """At least the wanted share of negatives stays below, and no more than need be."""
    point = choose_point(SCORES, POSITIVE, OperatingPointRecipe("specificity", 0.9))
    _, reached = shares(SCORES, POSITIVE, point.threshold)
    _, missed = shares(SCORES, POSITIVE, point.threshold - 0.02)
    assert missed < 0.9 <= reached


def test_too_few_positives_fall_back_to_a_specificity():
    """Two positives choose no threshold; the point says which rule took their place."""
    few = np.zeros(500, dtype=bool)
    few[:2] = True
    point = choose_point(SCORES, few, YOUDEN)
    assert shares(SCORES, few, point.threshold)[1] == pytest.approx(0.95, abs=0.01)
    assert "too few" in point.rule


def test_an_operating_point_needs_negatives():
    """Without a negative film there is nothing to trade."""
    with pytest.raises(NoOperatingPoint):
        choose_point(np.array([0.5]), np.array([True]), YOUDEN)


def test_the_most_accurate_threshold_is_no_worse_than_any_other():
    """Against a search over a fine grid."""
    chosen = best_accuracy(SCORES, POSITIVE)
    right = ((chosen <= SCORES) == POSITIVE).mean()
    others = [((other <= SCORES) == POSITIVE).mean() for other in np.linspace(0, 1, 2001)]
    assert right == pytest.approx(max(others), abs=0.003)


def test_no_threshold_lies_below_the_floor():
    """A rule that would call an unlikely answer positive is lifted to the floor, and says so."""
    scores = np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.3, 0.5, 0.6, 0.7, 0.8])
    positive = np.arange(10) >= 5
    rule = OperatingPointRecipe("specificity", 0.6)
    assert choose_point(scores, positive, rule).threshold < 0.25
    lifted = choose_point(scores, positive, replace(rule, floor=0.25))
    assert lifted.threshold == 0.25
    assert "0.25" in lifted.rule
    high = OperatingPointRecipe("specificity", 1.0, floor=0.1)
    assert choose_point(scores, positive, high).threshold == pytest.approx(0.175)
