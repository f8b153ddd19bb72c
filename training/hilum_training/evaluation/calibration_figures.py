"""How far a panel's probabilities are from shares, over all sources together and within each.

Errors of two sources in opposite directions cancel where they are pooled. The figure that a panel
is held to is therefore the one within a source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.measures.bootstrap import PatientBootstrap, figure
from hilum_training.measures.metrics import expected_calibration_error, sigmoid, softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.measures.calibration import Calibration

FEWEST_FOR_WORST: Final = 50
"""Images of a source from which its error may be called the worst: few images err by chance."""
_MULTI: Final = "multi_label"


def calibration_figures(
    chosen_on: Answers, counted: Answers, calibration: Calibration
) -> dict[str, Any]:
    """Return the error of the answered label; of every label where there are several answers.

    Where most labels are absent from most films, an answer that never changes is nearly calibrated:
    its error, with each finding's share of the validation films, stands beside the network's.

    Args:
        chosen_on: Validation images that count.
        counted: Test images that count.
        calibration: Of the panel.

    Returns:
        ``before`` and ``after`` calibration over all sources, ``within_source`` with a row for each
        source, and ``worst_source``, the row with the largest error among sources with at least
        :data:`FEWEST_FOR_WORST` images.
    """
    multi = counted.panel.kind == _MULTI
    raw = sigmoid(counted.logits) if multi else softmax(counted.logits)
    claimed, right = _claims(counted, raw)
    before = expected_calibration_error(claimed.ravel(), right.ravel())
    claimed, right = _claims(counted, calibration.probabilities(counted.logits))
    rows = _within_source(counted, claimed, right)
    enough = [row for row in rows if row["films"] >= FEWEST_FOR_WORST]
    return {
        "before": figure(before),
        "after": PatientBootstrap(counted.clusters).calibration_error(claimed, right),
        **({"of_a_constant_answer": _constant(chosen_on, counted)} if multi else {}),
        "within_source": rows,
        "worst_source": max(enough, key=lambda row: row["error"]["value"], default=None),
    }


def _claims(
    part: Answers, chances: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What was claimed with which confidence, and whether it was right."""
    if part.panel.kind == _MULTI:
        return chances, part.targets.values > 0
    return chances.max(axis=1), chances.argmax(axis=1) == part.places


def _within_source(
    counted: Answers, claimed: NDArray[np.float64], right: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    sources = np.array([film.source for film in counted.films], dtype=str)
    clusters = np.array(counted.clusters, dtype=str)
    rows = []
    for source in np.unique(sources):
        inside = sources == source
        draws = PatientBootstrap(clusters[inside].tolist())
        error = draws.calibration_error(claimed[inside], right[inside])
        rows.append({"source": str(source), "films": int(inside.sum()), "error": error})
    return rows


def _constant(chosen_on: Answers, counted: Answers) -> float | None:
    """The error of an answer that never changes: each label's share of the validation images."""
    right = counted.targets.values > 0
    shares = (chosen_on.targets.values > 0).mean(axis=0) if len(chosen_on.films) else np.nan
    constant = np.broadcast_to(shares, right.shape)
    return figure(expected_calibration_error(constant.ravel(), right.ravel()))
