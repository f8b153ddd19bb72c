"""Figures of merit against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hilum_training.measures.metrics import (
    area_under_curve,
    confusion_matrix,
    expected_calibration_error,
    sigmoid,
)


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


def test_calibration_error_is_the_gap_of_confidence_and_accuracy():
    """Always 0.9 sure and right seven times of ten: the error is 0.2."""
    correct = np.array([True] * 7 + [False] * 3)
    assert expected_calibration_error(np.full(10, 0.9), correct) == pytest.approx(0.2)


def test_calibration_error_weighs_each_bin_by_its_films():
    """Eight films without a gap and two with a gap of one half: a tenth."""
    confidence = np.array([0.99] * 8 + [0.5] * 2)
    correct = np.array([True] * 10)
    assert expected_calibration_error(confidence, correct) == pytest.approx(0.108)


def test_confusion_counts_true_by_answered():
    """Rows are what was recorded, columns what was answered."""
    matrix = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    assert matrix.tolist() == [[1, 1], [0, 1]]


def test_the_logistic_function_stays_finite_at_both_ends():
    """Logits far out become 0 and 1, without overflow."""
    with np.errstate(over="raise"):
        assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
