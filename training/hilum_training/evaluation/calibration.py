"""Temperature scaling (Guo et al., On Calibration of Modern Neural Networks, ICML 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hilum_training.evaluation.metrics import softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN: Final = (5**0.5 - 1) / 2


def fit_temperature(
    logits: NDArray[np.float64],
    allowed: NDArray[np.float32],
    low: float = 0.25,
    high: float = 8.0,
) -> float:
    """The temperature with the least negative log-likelihood.

    Golden-section search over its logarithm: the loss is unimodal in it.

    Args:
        logits: float [N, K], of validation films.
        allowed: float [N, K], 1 where the recorded label allows the answer.
        low: Smallest temperature considered.
        high: Largest.

    Returns:
        Temperature, rounded to four decimals: it is written into the graph and the manifest.
    """

    def loss(log_temperature: float) -> float:
        hit = (softmax(logits / np.exp(log_temperature)) * allowed).sum(axis=1)
        return float(-np.log(np.maximum(hit, 1e-12)).mean())

    left, right = np.log(low), np.log(high)
    while right - left > 1e-5:  # noqa: PLR2004 - a tenth of the last decimal that is kept
        span = _GOLDEN * (right - left)
        if loss(right - span) < loss(left + span):
            right = left + span
        else:
            left = right - span
    return round(float(np.exp((left + right) / 2)), 4)
