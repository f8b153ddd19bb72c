"""Intervals by patient, and that all draws at once are the draws one by one."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_training.measures.bootstrap import PatientBootstrap
from hilum_training.measures.metrics import (
    area_under_curve,
    expected_calibration_error,
)

GENERATOR = np.random.default_rng(7)
POSITIVE = GENERATOR.random(90) < 0.4
# One decimal: many ties, within a patient and between patients.
SCORES = np.round(np.clip(GENERATOR.normal(0.4 + 0.2 * POSITIVE, 0.2), 0, 1), 1)
CLUSTERS = [str(index // 3) for index in range(90)]


def drawn_films(draws: int) -> list[np.ndarray]:
    """The draws of this file's films."""
    return drawn(CLUSTERS, draws)


def drawn(clusters: list[str], draws: int) -> list[np.ndarray]:
    """The films of each draw, as many times as their patient came up."""
    names = np.unique(clusters)
    counts = np.random.default_rng(0).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=draws
    )
    member = np.array([np.flatnonzero(names == name)[0] for name in clusters])
    return [np.repeat(np.arange(len(clusters)), row[member]) for row in counts]


def percentiles(values: list[float]) -> list[float]:
    return np.percentile(values, [2.5, 97.5]).round(4).tolist()


def test_area_over_weights_is_area_over_repeated_films():
    """Weighing a patient twice is the same as listing his films twice."""
    one_by_one = [area_under_curve(SCORES[films], POSITIVE[films]) for films in drawn_films(200)]
    figure = PatientBootstrap(CLUSTERS, draws=200).area(SCORES, POSITIVE)
    assert figure["value"] == pytest.approx(area_under_curve(SCORES, POSITIVE), abs=1e-4)
    assert figure["interval"] == pytest.approx(percentiles(one_by_one), abs=1e-4)


def test_an_area_within_strata_compares_films_of_one_stratum_only():
    """The mean over positives of the share that they outrank; a stratum of one kind is left out."""
    strata = np.array(["a"] * 40 + ["b"] * 40 + ["c"] * 10)
    positive = np.concatenate([np.arange(40) < 30, np.arange(40) < 10, np.ones(10, dtype=bool)])
    scores = np.random.default_rng(4).random(90) + 5 * (strata == "a")
    patients = [str(place) for place in range(90)]
    found = PatientBootstrap(patients).area_within(scores, positive, strata)
    areas = {
        name: area_under_curve(scores[strata == name], positive[strata == name])
        for name in ("a", "b")
    }
    assert found["value"] == pytest.approx((30 * areas["a"] + 10 * areas["b"]) / 40, abs=1e-4)
    low, high = found["interval"]
    assert low < found["value"] < high
    only = strata == "c"
    none = PatientBootstrap(patients[:10]).area_within(scores[only], positive[only], strata[only])
    assert none == {"value": None, "interval": None}


def test_a_share_over_weights_is_a_share_of_repeated_films():
    """The same for sensitivity."""
    called = SCORES >= 0.5
    one_by_one = [called[films][POSITIVE[films]].mean() for films in drawn_films(200)]
    figure = PatientBootstrap(CLUSTERS, draws=200).share(called, POSITIVE)
    assert figure["interval"] == pytest.approx(percentiles(one_by_one), abs=1e-4)


def test_average_precision_is_the_mean_precision_at_the_positives():
    """Positives ranked first and third: (1 + 2/3) / 2."""
    figure = PatientBootstrap(list("abcd")).average_precision(
        np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])
    )
    assert figure["value"] == pytest.approx(0.8333)


def test_specificity_at_a_sensitivity_takes_the_largest_threshold_that_reaches_it():
    """Ten positives, nine of them above all negatives but one: nine are enough for 0.9."""
    scores = np.array([0.9] * 9 + [0.1] + [0.95] + [0.5] * 4)
    positive = np.array([True] * 10 + [False] * 5)
    figure = PatientBootstrap([str(i) for i in range(15)]).specificity_at(scores, positive, 0.9)
    assert figure["value"] == pytest.approx(0.8)


def test_interval_covers_the_value_and_is_wider_for_fewer_patients():
    """The same films from fewer patients carry less evidence, and the interval says so."""
    correct = np.repeat(np.random.default_rng(1).random(40) < 0.7, 10)
    by_patient = PatientBootstrap([str(i // 10) for i in range(400)]).share(correct)
    by_film = PatientBootstrap([str(i) for i in range(400)]).share(correct)
    low, high = by_patient["interval"]
    assert low < by_patient["value"] < high
    assert high - low > 2 * (by_film["interval"][1] - by_film["interval"][0])


def test_a_share_of_all_patients_still_has_an_interval():
    """Ten films of five patients, all right: with one patient in two wrong that happens as well."""
    draws = PatientBootstrap([str(i // 2) for i in range(10)])
    low = 0.025 ** (1 / 5)
    everyone, nobody = np.ones(10, dtype=bool), np.zeros(10, dtype=bool)
    assert draws.share(everyone) == {"value": 1.0, "interval": [pytest.approx(low, abs=1e-4), 1.0]}
    assert draws.share(nobody) == {
        "value": 0.0,
        "interval": [0.0, pytest.approx(1 - low, abs=1e-4)],
    }


def test_the_calibration_error_of_the_films_themselves_is_the_plain_one():
    """The interval lies about it, and several answers of a film count together."""
    generator = np.random.default_rng(4)
    confidence = generator.random((120, 3))
    right = generator.random((120, 3)) < confidence**2
    found = PatientBootstrap([str(i // 2) for i in range(120)]).calibration_error(confidence, right)
    plain = expected_calibration_error(confidence.ravel(), right.ravel())
    assert found["value"] == pytest.approx(plain, abs=1e-4)
    low, high = found["interval"]
    assert low < found["value"] < high


def test_the_interval_of_a_small_calibration_error_holds_it():
    """Draws of calibrated answers lie above their own error: the bootstrap's bias is taken off."""
    generator = np.random.default_rng(0)
    confidence = 0.4 + 0.6 * generator.random(900)
    right = generator.random(900) < confidence
    clusters = [str(i // 2) for i in range(900)]
    found = PatientBootstrap(clusters).calibration_error(confidence, right)
    low, high = found["interval"]
    assert 0 <= low <= found["value"] <= high
    repeated = [
        expected_calibration_error(confidence[films], right[films])
        for films in drawn(clusters, 300)
    ]
    assert np.percentile(repeated, 2.5) > found["value"], "the draws themselves leave it out"


def test_no_draw_of_a_calibration_error_is_negative():
    """Half are right at a confidence of a half: the error is 0, and its interval begins there."""
    generator = np.random.default_rng(10)
    confidence = np.full(60, 0.5)
    right = generator.permutation(np.arange(60) % 2 == 0)
    found = PatientBootstrap([str(i) for i in range(60)]).calibration_error(confidence, right)
    assert found["value"] == 0.0
    assert found["interval"][0] == 0.0


def test_a_figure_of_no_film_is_none():
    """One side missing, or nothing at all: no figure instead of a made-up one."""
    draws = PatientBootstrap(["a", "b"])
    nothing = {"value": None, "interval": None}
    assert draws.area(np.array([0.1, 0.2]), np.array([True, True])) == nothing
    assert draws.share(np.array([True, True]), np.array([False, False])) == nothing
    empty = np.zeros(0), np.zeros(0, dtype=bool)
    assert PatientBootstrap([]).area(*empty) == nothing
    assert PatientBootstrap([]).specificity_at(*empty, 0.9) == nothing
