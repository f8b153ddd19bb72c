"""Figures of merit, in numpy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic function; no overflow at either end."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -logits)))


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


def expected_calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = 15
) -> float:
    """ECE, equal-width bins (Guo et al., ICML 2017).

    Args:
        confidence: float [N]: of the answered label, or of each label of a multi-label panel.
        correct: bool [N]: the answer was right, or the label is present.
        bins: How many.

    Returns:
        In [0, 1]; nan without films.
    """
    if not len(confidence):
        return float("nan")
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(which, minlength=bins)
    gaps = np.bincount(which, weights=correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / counts.sum())


def confusion_matrix(
    truth: NDArray[np.int64], answered: NDArray[np.int64], labels: int
) -> NDArray[np.int64]:
    """Counts, int64 [true label, answered label]."""
    matrix = np.zeros((labels, labels), dtype=np.int64)
    np.add.at(matrix, (truth, answered), 1)
    return matrix
