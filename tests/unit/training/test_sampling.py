"""Which films an epoch shows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from hilum_training.films.pack import Film
from hilum_training.learning.sampling import epoch_order, sampling_weights

FILMS = [
    Film(f"{source}{i}", source, label, f"{source}{i}", "CC BY 4.0")
    for source, label, count in (("a", "normal", 400), ("b", "normal", 100), ("b", "covid19", 25))
    for i in range(count)
]


@pytest.mark.parametrize(
    ("balance", "shares"),
    [
        (1.0, (400 / 525, 100 / 525, 25 / 525)),
        (0.5, (20 / 35, 10 / 35, 5 / 35)),
        (0.0, (1 / 3,) * 3),
    ],
)
def test_balance_sets_the_share_of_each_source_and_label(balance, shares):
    """1 draws as found, 0 alike, one half by the square root of the count."""
    weights = sampling_weights(FILMS, balance)
    kinds = [(film.source, film.label) for film in FILMS]
    found = [
        sum(w for w, k in zip(weights, kinds, strict=True) if k == kind)
        for kind in dict.fromkeys(kinds)
    ]
    assert found == pytest.approx(shares)


def test_an_epoch_is_the_same_again_and_another_epoch_is_not():
    """An interrupted run goes on with the films that it would have seen."""
    weights = sampling_weights(FILMS, 0.5)
    first = epoch_order(weights, seed=1, epoch=3, draws=len(weights))
    assert np.array_equal(first, epoch_order(weights, seed=1, epoch=3, draws=len(weights)))
    assert not np.array_equal(first, epoch_order(weights, seed=1, epoch=4, draws=len(weights)))


def test_a_film_comes_as_often_as_its_weight_says():
    """Systematic resampling: the count of each film is its expected count, rounded up or down."""
    weights = sampling_weights(FILMS, 0.5)
    drawn = Counter(epoch_order(weights, seed=1, epoch=0, draws=len(weights)).tolist())
    for film, weight in enumerate(weights):
        assert abs(drawn[film] - weight * len(FILMS)) < 1
