"""Which films an epoch shows, in which order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from hilum_training.films.targets import recorded_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hilum_training.films.pack import Film


def sampling_weights(films: Sequence[Film], balance: float) -> NDArray[np.float64]:
    """Chance of each film to be drawn.

    A (source, label) of n films is drawn in proportion to n ** balance, each of its films alike.

    Args:
        films: N films.
        balance: 1 draws as found, 0 draws every (source, label) alike.

    Returns:
        float64 [N], sums to 1.
    """
    kinds = [(film.source, recorded_kind(film)) for film in films]
    counts = Counter(kinds)
    weights = np.array([counts[kind] ** (balance - 1) for kind in kinds], dtype=np.float64)
    return np.asarray(weights / weights.sum())


def epoch_order(
    weights: NDArray[np.float64], seed: int, epoch: int, draws: int
) -> NDArray[np.int64]:
    """Draw the indexes of an epoch's films, with replacement.

    Systematic resampling: a film of weight w comes floor(D w) or ceil(D w) times, so that no film
    is missed by chance in many epochs.

    Args:
        weights: float64 [N], sums to 1.
        seed: The recipe's.
        epoch: From 0.
        draws: D, films of the epoch.

    Returns:
        int64 [D], shuffled.
    """
    generator = np.random.default_rng([seed, epoch])
    count = len(weights)
    shuffled = generator.permutation(count)
    points = (np.arange(draws) + generator.random()) / draws
    # The last sum may fall short of 1 by rounding; the largest point must still find a film.
    picked = np.searchsorted(np.cumsum(weights[shuffled]), points, side="right")
    drawn = shuffled[np.minimum(picked, count - 1)]
    generator.shuffle(drawn)
    return np.asarray(drawn, dtype=np.int64)
