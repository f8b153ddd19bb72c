"""Temperature and Platt scaling find what was done to the logits."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_training.measures.calibration import (
    Calibration,
    fit_calibration,
    fit_platt,
    fit_temperature,
    fit_vector,
)
from hilum_training.measures.metrics import sigmoid, softmax


def test_temperature_recovers_the_one_that_was_applied():
    """Labels drawn from softmax(z), logits reported as 2.5 z: the fit finds 2.5."""
    generator = np.random.default_rng(0)
    z = generator.normal(0, 2, (6000, 4))
    truth = [generator.choice(4, p=row) for row in softmax(z)]
    assert fit_temperature(2.5 * z, np.eye(4, dtype=np.float32)[truth]) == pytest.approx(
        2.5, rel=0.06
    )


def test_temperature_of_no_film_changes_nothing():
    """Without validation films the logits stay as they are."""
    assert fit_temperature(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.float32)) == 1.0


def test_vector_scaling_recovers_slopes_and_shifts():
    """One label's logits are too large, another's are off by a constant: both are put right."""
    generator = np.random.default_rng(4)
    z = generator.normal(0, 2, (6000, 3))
    truth = [generator.choice(3, p=row) for row in softmax(z)]
    told = z * [1.4, 1.0, 1.0] + np.array([0.0, 0.0, 0.5])
    fitted = fit_vector(told, np.eye(3, dtype=np.float32)[truth])
    assert fitted.probabilities(told) == pytest.approx(softmax(z), abs=0.06)
    assert fitted.probabilities(told).sum(axis=1) == pytest.approx(1)


def test_vector_scaling_learns_from_films_that_allow_two_labels():
    """Half of the films say only "one of the first two": the third label's share is still right."""
    generator = np.random.default_rng(5)
    z = generator.normal(0, 1, (4000, 3))
    truth = [generator.choice(3, p=row) for row in softmax(z)]
    allowed = np.eye(3, dtype=np.float32)[truth]
    vague = (allowed[:, 2] == 0) & (generator.random(4000) < 0.5)
    allowed[vague, :2] = 1
    told = z + np.array([0.0, 0.0, 0.6])
    shares = fit_vector(told, allowed).probabilities(told).mean(axis=0)
    assert shares[2] == pytest.approx(softmax(z)[:, 2].mean(), abs=0.02)


def test_vector_scaling_of_few_films_stays_near_one_temperature():
    """Six films move no label far from the others."""
    generator = np.random.default_rng(6)
    z = generator.normal(0, 1, (6, 3))
    fitted = fit_vector(z, np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]])
    assert max(fitted.scale) - min(fitted.scale) < 0.5
    assert np.abs(fitted.shift).max() < 0.3


def test_platt_recovers_slope_and_shift():
    """Logits that are twice too large and off by one are put right."""
    generator = np.random.default_rng(1)
    z = generator.normal(-1, 2, (8000, 1))
    present = generator.random((8000, 1)) < sigmoid(z)
    fitted = fit_platt(2 * z + 1, present)
    assert fitted.own == (True,)
    assert fitted.probabilities(2 * z + 1) == pytest.approx(sigmoid(z), abs=0.03)


def test_platt_gives_a_rare_label_the_common_slope():
    """Three positives decide nothing: the label takes the slope of the panel and no shift."""
    generator = np.random.default_rng(2)
    z = generator.normal(0, 2, (600, 2))
    present = generator.random((600, 2)) < sigmoid(z)
    present[:, 1] = False
    present[:3, 1] = True
    fitted = fit_platt(z, present)
    assert fitted.own == (True, False)
    assert fitted.shift[1] == 0.0


def test_platt_never_turns_a_label_round():
    """Though its few positives have the lowest logits, the probability still rises with them."""
    logits = np.linspace(-4, 4, 400)[:, np.newaxis]
    assert fit_platt(logits, logits < -2).scale[0] > 0


def test_the_report_of_a_temperature_says_how_the_graph_applies_it():
    """One factor for each label, no shift, and the temperature itself for people."""
    report = Calibration("temperature", (0.5, 0.5), (0.0, 0.0), (False, False)).to_report()
    assert (report["scale"], report["shift"]) == ([0.5, 0.5], [0.0, 0.0])
    assert report["temperature"] == 2.0
    assert report["applied_in_graph"]


@pytest.mark.parametrize(
    ("kind", "method"),
    [("gate", "temperature"), ("single_label", "vector"), ("multi_label", "platt")],
)
def test_each_kind_of_panel_has_a_method_of_its_own(kind, method):
    """A gate, one right answer, several right answers."""
    logits = np.random.default_rng(7).normal(size=(60, 3))
    fitted = fit_calibration(kind, logits, np.eye(3, dtype=np.float32)[logits.argmax(axis=1)])
    assert fitted.method == method
    assert len(fitted.scale) == len(fitted.shift) == 3
