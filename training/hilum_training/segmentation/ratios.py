"""Agreement of the cardiothoracic ratio, read off predicted masks and off annotators' masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hilum.imaging.cardiothoracic import HEART_MASK, LUNG_BORDERS
from hilum.imaging.lungs import HEART, LEFT_LUNG, RIGHT_LUNG, read_structures
from hilum_training.segmentation.masks import read_masks, shrink
from hilum_training.segmentation.recipe import STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.pack import Film
    from hilum_training.segmentation.masks import Outlines


@dataclass(frozen=True, slots=True)
class RatioPair:
    """One film's ratio, twice; None where it could not be measured.

    Attributes:
        source: Where the film was published.
        reference: Off the annotator's masks.
        method: How it was had there, ``heart_mask`` or ``lung_borders``.
        found: Off the predicted masks, by the product's own choice of method.
        found_by: That method.
        reason: Why ``found`` is None.
    """

    source: str
    reference: float | None
    method: str
    found: float | None
    found_by: str
    reason: str


def ratio_pair(
    film: Film, outlines: Outlines, masks: NDArray[np.uint8], pack: Path
) -> RatioPair | None:
    """Both ratios of a film, or None where the annotators drew no lung fields.

    The reference masks are brought to the grid of the served ones, so that nothing but the masks
    differs. Where no heart was drawn the reference is the gap between the drawn lung fields.
    """
    drawn = read_masks(pack, outlines)
    if RIGHT_LUNG not in drawn or LEFT_LUNG not in drawn:
        return None
    empty = np.zeros(masks.shape[:2], dtype=np.uint8)
    reference = np.stack(
        [shrink(drawn[name], len(empty)) if name in drawn else empty for name in STRUCTURES],
        axis=-1,
    )
    rows, columns = masks.shape[:2]
    expected = read_structures(reference, STRUCTURES, rows, columns).cardiothoracic
    found = read_structures(masks, STRUCTURES, rows, columns).cardiothoracic
    return RatioPair(
        source=film.source,
        reference=expected.value,
        method=expected.method or (HEART_MASK if HEART in drawn else LUNG_BORDERS),
        found=found.value,
        found_by=found.method,
        reason=found.reason,
    )


def summarise_ratios(pairs: Sequence[RatioPair]) -> list[dict[str, Any]]:
    """Agreement by source and by how the reference was measured (Bland-Altman: bias and limits)."""
    rows = []
    for source, method in sorted({(pair.source, pair.method) for pair in pairs}):
        part = [pair for pair in pairs if (pair.source, pair.method) == (source, method)]
        both = np.array(
            [
                (pair.reference, pair.found)
                for pair in part
                if pair.reference is not None and pair.found is not None
            ]
        ).reshape(-1, 2)
        gap = both[:, 1] - both[:, 0]
        rows.append(
            {
                "source": source,
                "reference": method,
                "films": len(part),
                "measured_on_both": len(gap),
                "not_measured": sum(pair.found is None for pair in part),
                "mean_absolute_difference": _round(np.abs(gap)),
                "bias": _round(gap),
                "limits_of_agreement": [_round(gap, sign * 1.96) for sign in (-1, 1)],
            }
        )
    return rows


def _round(gap: NDArray[np.float64], deviations: float = 0.0) -> float | None:
    """Mean plus so many standard deviations, or None of nothing."""
    return round(float(gap.mean() + deviations * gap.std()), 4) if len(gap) else None
