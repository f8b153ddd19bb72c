"""Which findings count in a mean AUROC, and that every draw has the same mean."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_training.measures.findings import counted_findings, mean_area
from hilum_training.measures.metrics import area_under_curve

GENERATOR = np.random.default_rng(11)
SCORES = GENERATOR.random((40, 4))
# On 20, 5, 3 and 36 of 40 films.
PRESENT = np.stack([np.arange(40) < count for count in (20, 5, 3, 36)], axis=1)


def test_a_finding_of_three_films_does_not_count_nor_one_that_four_films_lack():
    """Five films on either side are the fewest."""
    assert counted_findings(PRESENT) == [0, 1]


def test_the_mean_is_over_those_that_count():
    """The three films of a rare finding do not move it."""
    areas = [area_under_curve(SCORES[:, place], PRESENT[:, place]) for place in (0, 1)]
    assert mean_area(SCORES, PRESENT) == pytest.approx(sum(areas) / 2)
    moved = SCORES.copy()
    moved[:3, 2] = 2.0
    assert mean_area(moved, PRESENT) == mean_area(SCORES, PRESENT)


def test_a_draw_without_a_film_of_a_finding_that_counts_has_no_mean():
    """A mean over fewer findings would be another figure."""
    rows = np.arange(10, 40)
    assert np.isnan(mean_area(SCORES[rows], PRESENT[rows], [0, 1]))
    assert not np.isnan(mean_area(SCORES[rows], PRESENT[rows], [0]))


def test_no_finding_that_counts_has_no_mean():
    """No figure instead of a made-up one."""
    assert np.isnan(mean_area(SCORES[:4], PRESENT[:4]))
