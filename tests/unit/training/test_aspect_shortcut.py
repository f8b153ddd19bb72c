"""The check that a model sees more than a film's shape."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_training.evaluation.shortcuts.aspect import area_within_bands, aspect_shortcut

GENERATOR = np.random.default_rng(0)
POSITIVE = GENERATOR.random(600) < 0.5
ASPECT = 1.2 + 0.2 * POSITIVE + GENERATOR.normal(0, 0.1, 600)


def test_a_model_that_reads_only_the_shape_is_found_out():
    """Its AUROC is that of the ratio, and among films of like ratio little is left of it."""
    found = aspect_shortcut(ASPECT, POSITIVE, ASPECT)
    assert found["model"] == found["aspect_alone"] > 0.9
    assert found["model_like_aspect"] < 0.8


def test_a_model_that_reads_the_film_keeps_its_figure_among_like_shapes():
    """Scores that do not follow the ratio rank as well within a band as over all films."""
    scores = POSITIVE + GENERATOR.normal(0, 0.5, 600)
    found = aspect_shortcut(scores, POSITIVE, ASPECT)
    assert found["model_like_aspect"] == pytest.approx(found["model"], abs=0.03)


def test_unknown_shapes_are_left_out_and_equal_ones_ask_nothing():
    """Films stored as squares have no ratio; films of one ratio cannot be told by it."""
    half = np.where(np.arange(600) < 300, ASPECT, np.nan)
    assert aspect_shortcut(ASPECT, POSITIVE, half)["films"] == 300
    assert aspect_shortcut(ASPECT, POSITIVE, np.full(600, np.nan)) is None
    assert aspect_shortcut(ASPECT, POSITIVE, np.ones(600)) is None


def test_bands_without_both_sides_count_nothing():
    """A band of one kind has no pairs; with no pair at all there is no figure."""
    aspect = np.array([1.0, 1.0, 2.0, 2.0])
    positive = np.array([True, True, False, False])
    assert np.isnan(area_within_bands(aspect, positive, aspect, bands=2))
