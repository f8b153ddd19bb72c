"""Figures of merit against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hilum_training.evaluation.calibration import fit_temperature
from hilum_training.evaluation.metrics import (
    area_under_curve,
    bootstrap_interval,
    confusion_matrix,
    expected_calibration_error,
    sensitivity_specificity,
    softmax,
)
from hilum_training.evaluation.operating_points import NoOperatingPoint, choose_threshold
from hilum_training.recipe import OperatingPointRecipe


def test_area_is_the_share_of_pairs_in_the_right_order():
    """AUROC equals the count over all pairs, ties half, on scores with many ties."""
    generator = np.random.default_rng(3)
    scores = generator.integers(0, 6, 60) / 5
    positive = generator.random(60) < 0.4
    pairs = [
        1.0 if p > n else 0.5 if p == n else 0.0
        for p in scores[positive]
        for n in scores[~positive]
    ]
    assert area_under_curve(scores, positive) == pytest.approx(np.mean(pairs))


def test_area_without_one_side_is_not_a_number():
    """No pair, no area."""
    assert math.isnan(area_under_curve(np.array([0.1, 0.2]), np.array([True, True])))


def test_sensitivity_and_specificity_count_the_threshold_as_positive():
    """A score that equals the threshold is called positive."""
    scores = np.array([0.2, 0.5, 0.5, 0.9])
    positive = np.array([False, False, True, True])
    assert sensitivity_specificity(scores, positive, 0.5) == (1.0, 0.5)


def test_calibration_error_is_the_gap_of_confidence_and_accuracy():
    """Always 0.9 sure and right seven times of ten: the error is 0.2."""
    probabilities = np.tile([0.9, 0.1], (10, 1))
    truth = np.array([0] * 7 + [1] * 3)
    assert expected_calibration_error(probabilities, truth) == pytest.approx(0.2)


def test_confusion_counts_true_by_answered():
    """Rows are what was recorded, columns what was answered."""
    matrix = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    assert matrix == [[1, 1], [0, 1]]


def test_interval_covers_the_value_and_is_wider_for_fewer_patients():
    """The same films from fewer patients carry less evidence, and the interval says so."""
    generator = np.random.default_rng(1)
    correct = np.repeat(generator.random(40) < 0.7, 10).astype(float)

    def rate(drawn):
        return float(correct[drawn].mean())

    by_patient = bootstrap_interval(rate, [str(i // 10) for i in range(400)])
    by_film = bootstrap_interval(rate, [str(i) for i in range(400)])
    assert by_patient[0] < correct.mean() < by_patient[1]
    assert by_patient[1] - by_patient[0] > 2 * (by_film[1] - by_film[0])


def test_temperature_recovers_the_one_that_was_applied():
    """Labels drawn from softmax(z), logits reported as 2.5 z: the fit finds 2.5."""
    generator = np.random.default_rng(0)
    z = generator.normal(0, 2, (6000, 4))
    truth = [generator.choice(4, p=row) for row in softmax(z)]
    assert fit_temperature(2.5 * z, np.eye(4, dtype=np.float32)[truth]) == pytest.approx(
        2.5, rel=0.06
    )


def test_youden_finds_the_gap_between_two_separate_kinds():
    """The threshold lies between the highest negative and the lowest positive."""
    scores = np.array([0.1, 0.2, 0.3, 0.6, 0.7])
    positive = np.array([False, False, False, True, True])
    threshold = choose_threshold(scores, positive, OperatingPointRecipe("youden"))
    assert threshold == pytest.approx(0.45)


def test_youden_takes_the_middle_of_equally_good_thresholds():
    """Chance picks the best of a plateau; its middle is as good and less fragile."""
    scores = np.array([0.1, *np.linspace(0.2, 0.8, 200), 0.9])
    positive = np.array([False, *[True, False] * 100, True])
    threshold = choose_threshold(scores, positive, OperatingPointRecipe("youden"))
    assert threshold == pytest.approx(0.5, abs=0.02)


def test_wanted_sensitivity_takes_the_largest_threshold_that_reaches_it():
    """At least the wanted share of positives is called, and no more than need be."""
    generator = np.random.default_rng(2)
    positive = generator.random(500) < 0.3
    scores = np.clip(generator.normal(0.4 + 0.2 * positive, 0.15), 0, 1)
    threshold = choose_threshold(scores, positive, OperatingPointRecipe("sensitivity", 0.9))
    reached, _ = sensitivity_specificity(scores, positive, threshold)
    missed, _ = sensitivity_specificity(scores, positive, threshold + 0.02)
    assert missed < 0.9 <= reached


def test_an_operating_point_needs_both_kinds():
    """Without a negative film there is nothing to trade."""
    with pytest.raises(NoOperatingPoint):
        choose_threshold(np.array([0.5]), np.array([True]), OperatingPointRecipe("youden"))
