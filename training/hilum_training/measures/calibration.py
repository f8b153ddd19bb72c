"""From logits to probabilities that mean what they say, fitted on validation films.

A gate gets one temperature, another single-label panel vector scaling: a slope and a shift for each
label (both in Guo et al., On Calibration of Modern Neural Networks, ICML 2017). A multi-label panel
gets Platt scaling label by label (Platt 1999). Slopes and shifts are held towards one temperature
for all labels, since a dozen positives do not carry two free numbers; on validation films divided
by patient, vector scaling held so had a lower likelihood loss than a temperature in every panel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.measures.metrics import sigmoid, softmax

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


_GOLDEN: Final = (5**0.5 - 1) / 2
_LOW, _HIGH = 0.25, 8.0
FEWEST_FOR_OWN_NUMBERS: Final = 8
"""Validation films with a label from which it gets a slope and a shift of its own."""
# Standard deviations of the Gaussian priors about the common slope and about no shift.
_SLOPE_PRIOR: Final = 0.25
_SHIFT_PRIOR: Final = 0.5
_VECTOR_PRIOR: Final = 0.25


@dataclass(frozen=True, slots=True)
class Calibration:
    """``scale * logit + shift`` for each label, then softmax or sigmoid.

    Attributes:
        method: ``temperature``, ``vector`` or ``platt``.
        scale: K factors; a temperature T is 1/T for every label.
        shift: K terms.
        own: For each label, whether it has numbers of its own.
    """

    method: str
    scale: tuple[float, ...]
    shift: tuple[float, ...]
    own: tuple[bool, ...]

    def probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities, float64 [N, K]."""
        scaled = logits * np.array(self.scale) + np.array(self.shift)
        return sigmoid(scaled) if self.method == "platt" else softmax(scaled)

    def to_report(self) -> dict[str, Any]:
        """As the report and the manifest hold it."""
        report: dict[str, Any] = {
            "method": self.method,
            "scale": list(self.scale),
            "shift": list(self.shift),
            "applied_in_graph": True,
            "fitted_on": "validation films",
        }
        if self.method == "temperature":
            report["temperature"] = round(1 / self.scale[0], 4)
        if self.method == "platt":
            report["own_numbers"] = list(self.own)
        return report


def fit_calibration(
    kind: str, logits: NDArray[np.float64], allowed: NDArray[np.float32]
) -> Calibration:
    """Calibrate a panel on its validation films.

    Films that allow several labels take part with the mass on all of them.

    Args:
        kind: Of the panel: ``single_label``, ``multi_label`` or ``gate``.
        logits: float [N, K], of the films that the panel is asked about.
        allowed: float [N, K], 1 where the recorded label allows the answer.
    """
    count = logits.shape[1]
    if kind == "multi_label":
        return fit_platt(logits, allowed > 0)
    if kind == "gate":
        scale = round(1 / fit_temperature(logits, allowed), 6)
        return Calibration("temperature", (scale,) * count, (0.0,) * count, (False,) * count)
    return fit_vector(logits, allowed)


def fit_vector(logits: NDArray[np.float64], allowed: NDArray[np.float32]) -> Calibration:
    """Slope and shift of each label of a single-label panel, by Fisher scoring.

    Args:
        logits: float [N, K].
        allowed: float [N, K], 1 where the recorded label allows the answer.
    """
    count = logits.shape[1]
    centre = np.concatenate([np.full(count, 1 / fit_temperature(logits, allowed)), np.zeros(count)])
    found = centre.copy()
    pull = np.eye(2 * count) * _VECTOR_PRIOR**-2
    # How each label's scaled logit moves with the slopes and the shifts: [N, K, 2 K].
    moves = np.concatenate(
        [logits[:, :, np.newaxis] * np.eye(count), np.tile(np.eye(count), (len(logits), 1, 1))],
        axis=2,
    )
    for _ in range(100):
        chance = softmax(moves @ found)
        among = chance * allowed
        among /= np.maximum(among.sum(axis=1, keepdims=True), 1e-12)
        slope = np.einsum("nk,nkp->p", chance - among, moves) + pull @ (found - centre)
        mean = np.einsum("nk,nkp->np", chance, moves)
        bend = np.einsum("nk,nkp,nkq->pq", chance, moves, moves) - mean.T @ mean + pull
        step = np.linalg.solve(bend, slope)
        found -= step
        if np.abs(step).max() < 1e-8:  # noqa: PLR2004 - below what is kept
            break
    return Calibration(
        "vector",
        # A label is never turned round: its probability rises with its logit.
        tuple(round(max(float(slope), 0.05), 6) for slope in found[:count]),
        tuple(round(float(shift), 6) for shift in found[count:]),
        (True,) * count,
    )


def fit_temperature(logits: NDArray[np.float64], allowed: NDArray[np.float32]) -> float:
    """The temperature with the least negative log-likelihood.

    Args:
        logits: float [N, K].
        allowed: float [N, K], 1 where the recorded label allows the answer.

    Returns:
        Temperature, rounded to four decimals; 1 without films.
    """
    if not len(logits):
        return 1.0

    def loss(temperature: float) -> float:
        hit = (softmax(logits / temperature) * allowed).sum(axis=1)
        return float(-np.log(np.maximum(hit, 1e-12)).mean())

    return round(_least(loss), 4)


def fit_platt(logits: NDArray[np.float64], present: NDArray[np.bool_]) -> Calibration:
    """Slope and shift of each label of a multi-label panel.

    Args:
        logits: float [N, K].
        present: bool [N, K].
    """
    count = logits.shape[1]
    if not len(logits):
        return Calibration("platt", (1.0,) * count, (0.0,) * count, (False,) * count)

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        return float(np.logaddexp(0.0, np.where(present, -scaled, scaled)).mean())

    common = 1 / _least(loss)
    pairs, own = [], []
    for label in range(count):
        enough = int(present[:, label].sum()) >= FEWEST_FOR_OWN_NUMBERS
        own.append(bool(enough))
        pairs.append(
            _newton(logits[:, label], present[:, label], common) if enough else (common, 0)
        )
    return Calibration(
        "platt",
        tuple(round(float(slope), 6) for slope, _ in pairs),
        tuple(round(float(shift), 6) for _, shift in pairs),
        tuple(own),
    )


def _newton(
    logits: NDArray[np.float64], present: NDArray[np.bool_], common: float
) -> tuple[float, float]:
    """Slope and shift of the largest posterior; the loss is convex, so Newton's steps settle."""
    inputs = np.stack([logits, np.ones_like(logits)], axis=1)
    centre = np.array([common, 0.0])
    pull = np.diag([_SLOPE_PRIOR**-2, _SHIFT_PRIOR**-2])
    found = centre.copy()
    for _ in range(50):
        chance = sigmoid(inputs @ found)
        slope = inputs.T @ (chance - present) + pull @ (found - centre)
        bend = (inputs * (chance * (1 - chance))[:, np.newaxis]).T @ inputs + pull
        step = np.linalg.solve(bend, slope)
        found -= step
        if np.abs(step).max() < 1e-9:  # noqa: PLR2004 - below what is kept
            break
    # A label is never turned round: its probability rises with its logit.
    return max(float(found[0]), 0.05), float(found[1])


def _least(loss: Callable[[float], float]) -> float:
    """Golden-section search over the temperature's logarithm: the loss is unimodal in it."""
    left, right = np.log(_LOW), np.log(_HIGH)
    while right - left > 1e-5:  # noqa: PLR2004 - a tenth of the last decimal that is kept
        span = _GOLDEN * (right - left)
        if loss(float(np.exp(right - span))) < loss(float(np.exp(left + span))):
            right = left + span
        else:
            left = right - span
    return float(np.exp((left + right) / 2))
