"""What a positive verdict means, in words."""

from __future__ import annotations

import pytest

from hilum.domain.verdict import predictive_words


@pytest.mark.parametrize(
    ("prevalence", "value", "sentence"),
    [
        (0.05, 0.3366, "If 5 of 100 images show it, 34 of 100 flagged images do."),
        (0.29, 0.9, "If 29 of 100 images show it, 90 of 100 flagged images do."),
        (0.005, 0.04, "If 5 of 1000 images show it, 4 of 100 flagged images do."),
        (0.025, 0.2, "If 25 of 1000 images show it, 20 of 100 flagged images do."),
        (0.001, 0.001, "If 1 of 1000 images show it, fewer than 1 of 100 flagged images do."),
        (None, 0.3, ""),
        (0.05, None, ""),
    ],
)
def test_a_predictive_value_is_said_in_counts(prevalence, value, sentence):
    """Counts of images replace shares, and nothing is said where a share is missing."""
    assert predictive_words(prevalence, value) == sentence
