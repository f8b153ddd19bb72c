"""Could the answer be had without looking at the lungs?

``square-area-v1`` squashes every film to a square, so that a film's aspect ratio survives as a
stretched chest. Where the ill and the well were cropped differently, the ratio alone tells them
apart; a model is only better than that if it also ranks films of like ratio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.measures.metrics import area_under_curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

BANDS: Final = 5


def aspect_shortcut(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], aspect: NDArray[np.float64]
) -> dict[str, Any] | None:
    """How well the aspect ratio answers a question, and the model among films of like ratio.

    Args:
        scores: float [N], of the model.
        positive: bool [N].
        aspect: float [N], width over height as published; nan where it is not known.

    Returns:
        AUROC of the ratio alone (either direction), of the model on the same films, and of the
        model over pairs within one of five bands of the ratio; None where the ratio is not
        known, does not vary, or never differs between the sides within a band.
    """
    known = ~np.isnan(aspect)
    scores, positive, aspect = scores[known], positive[known], aspect[known]
    if positive.all() or not positive.any() or np.ptp(aspect) == 0:
        return None
    alone = area_under_curve(aspect, positive)
    within = area_within_bands(scores, positive, aspect)
    if np.isnan(within):
        return None
    return {
        "films": len(aspect),
        "aspect_alone": round(max(alone, 1 - alone), 4),
        "model": round(area_under_curve(scores, positive), 4),
        "model_like_aspect": round(within, 4),
    }


def area_within_bands(
    scores: NDArray[np.float64],
    positive: NDArray[np.bool_],
    aspect: NDArray[np.float64],
    bands: int = BANDS,
) -> float:
    """AUROC over the pairs whose films lie in the same band (equal counts) of the aspect ratio."""
    edges = np.quantile(aspect, np.linspace(0, 1, bands + 1)[1:-1])
    band = np.searchsorted(edges, aspect, side="right")
    total = pairs = 0.0
    for index in range(bands):
        members = band == index
        count = float(positive[members].sum()) * float((~positive[members]).sum())
        if count:
            total += count * area_under_curve(scores[members], positive[members])
            pairs += count
    return total / pairs if pairs else float("nan")
