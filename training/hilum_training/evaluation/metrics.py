"""Figures of merit, in numpy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def area_under_curve(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that a positive outranks a negative, ties half.

    Args:
        scores: float [N].
        positive: bool [N].

    Returns:
        In [0, 1]; nan when either kind is absent.
    """
    count, positives = len(scores), int(positive.sum())
    if positives in (0, count):
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mid_ranks = ends - (counts - 1) / 2
    rank_sum = mid_ranks[inverse][positive].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * (count - positives)))


def sensitivity_specificity(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], threshold: float
) -> tuple[float, float]:
    """Share of positives at or above the threshold, and of negatives below it (nan if none)."""
    called = scores >= threshold
    sensitivity = called[positive].mean() if positive.any() else np.nan
    specificity = (~called[~positive]).mean() if (~positive).any() else np.nan
    return float(sensitivity), float(specificity)


def expected_calibration_error(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], bins: int = 15
) -> float:
    """ECE of the top label, equal-width bins (Guo et al., ICML 2017).

    Args:
        probabilities: float [N, K].
        truth: int [N].
        bins: How many.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        members = which == index
        if members.any():
            gap = abs(correct[members].mean() - confidence[members].mean())
            error += members.mean() * gap
    return float(error)


def confusion_matrix(
    truth: NDArray[np.int64], answered: NDArray[np.int64], labels: int
) -> list[list[int]]:
    """Counts [true label][answered label]."""
    matrix = np.zeros((labels, labels), dtype=int)
    np.add.at(matrix, (truth, answered), 1)
    return [[int(value) for value in row] for row in matrix]


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    groups: Sequence[str],
    *,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of a statistic when patients, not films, are drawn again.

    Films of one patient are not independent; drawing films would give intervals too narrow.

    Args:
        statistic: From indexes of the drawn films to a number (nan draws are left out).
        groups: Patient group of each of N films.
        draws: Bootstrap draws.
        seed: Of the draws.
        level: Coverage.

    Returns:
        Lower and upper bound; nan when no draw gave a number.
    """
    names, membership = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(membership == index) for index in range(len(names))]
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        drawn = generator.integers(0, len(names), len(names))
        values.append(statistic(np.concatenate([members[index] for index in drawn])))
    kept = np.array([value for value in values if not np.isnan(value)])
    if not len(kept):
        return float("nan"), float("nan")
    tail = (1 - level) / 2 * 100
    low, high = np.percentile(kept, [tail, 100 - tail])
    return float(low), float(high)
