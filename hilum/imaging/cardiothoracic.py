"""The cardiothoracic ratio: greatest width of the heart over greatest width of the thorax.

C. S. Danzer, "The cardiothoracic ratio: an index of cardiac enlargement", Am. J. Med. Sci. 157
(1919) 513. Both widths are horizontal, so that a film squashed to a square gives the same ratio.
On an AP or supine film, or one taken on poor inspiration, the heart looks larger than it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEART_MASK: Final = "heart_mask"
LUNG_BORDERS: Final = "lung_borders"

# Upper part of a lung field that has the great vessels beside it, not the heart.
_ABOVE_THE_HEART: Final = 0.4
# The corner between heart and diaphragm is the field's point farthest down and towards the midline,
# a step towards it counting this much. On 34 films with outlined hearts the mean error of the ratio
# is 0.011 with any weight from 1.0 to 1.2, four times that at 0.7 and at 1.6.
_TOWARDS_MIDLINE: Final = 1.1
_NARROWEST, _WIDEST = 0.3, 0.85
_SMALLEST_HEART: Final = 0.02
# Lung fields leave the heart out, so that its two widths should be one: it is on 33 of 34 films
# with outlined hearts. Where it is not, one of the masks is wrong, and nobody knows which.
_LARGEST_DISAGREEMENT: Final = 0.1


@dataclass(frozen=True, slots=True)
class CardiothoracicRatio:
    """The ratio, and how it was had.

    Attributes:
        value: Heart over thorax, or None where it cannot be measured.
        method: ``heart_mask`` or ``lung_borders`` (between the inner borders of the lung fields
            at the heart's level); empty without a value.
        reason: Why there is no value, in words; empty with one.
        heart: x of the heart's two borders in film pixels, left to right in the picture.
        thorax: x of the outermost points of the two lung fields, likewise.
    """

    value: float | None = None
    method: str = ""
    reason: str = ""
    heart: tuple[float, float] | None = None
    thorax: tuple[float, float] | None = None


def measure_cardiothoracic(
    right: NDArray[np.bool_],
    left: NDArray[np.bool_],
    heart: NDArray[np.bool_] | None,
    scale: float = 1.0,
) -> CardiothoracicRatio:
    """Measure the ratio on masks.

    The heart's own mask is used where it is plausible: between the outer borders of the lungs, and
    about as wide as the gap that the lung fields leave for it above the corner between heart and
    diaphragm. Without a heart that gap is taken. Where the two differ, there is no ratio.

    Args:
        right: bool [H, W], the patient's right lung field, not empty.
        left: bool [H, W], the left one, not empty.
        heart: bool [H, W], or None.
        scale: Film pixels per mask column.

    Returns:
        The ratio, or the reason why there is none.
    """
    thorax = (_first(right), _last(left))
    width = thorax[1] - thorax[0]
    if width <= 0:
        return CardiothoracicRatio(reason="the lung fields lie on one another")
    gap = _lung_borders(right, left)
    seen = _mask_borders(heart, right, left)
    method, borders = LUNG_BORDERS, gap
    if seen is not None and _plausible(seen, thorax):
        method, borders = HEART_MASK, seen
        if abs((seen[1] - seen[0]) - (gap[1] - gap[0])) > _LARGEST_DISAGREEMENT * width:
            return CardiothoracicRatio(reason="the heart and the lung fields disagree")
    if not _plausible(borders, thorax):
        return CardiothoracicRatio(reason="the borders of the heart are not seen")
    return CardiothoracicRatio(
        value=round((borders[1] - borders[0]) / width, 3),
        method=method,
        heart=(round(borders[0] * scale, 2), round(borders[1] * scale, 2)),
        thorax=(round(thorax[0] * scale, 2), round(thorax[1] * scale, 2)),
    )


def _plausible(heart: tuple[float, float], thorax: tuple[float, float]) -> bool:
    share = (heart[1] - heart[0]) / (thorax[1] - thorax[0])
    return thorax[0] < heart[0] and heart[1] < thorax[1] and _NARROWEST <= share <= _WIDEST


def _mask_borders(
    heart: NDArray[np.bool_] | None, right: NDArray[np.bool_], left: NDArray[np.bool_]
) -> tuple[float, float] | None:
    if heart is None or heart.mean() < _SMALLEST_HEART:
        return None
    # The mediastinum, which belongs to the mask, may be wide at the top and is no heart.
    below = heart[max(_heart_top(right), _heart_top(left)) :]
    return (_first(below), _last(below)) if below.any() else None


def _lung_borders(right: NDArray[np.bool_], left: NDArray[np.bool_]) -> tuple[float, float]:
    """The farthest that the heart reaches into either lung field."""
    width = right.shape[1]
    return _recess(right), width - _recess(left[:, ::-1])


def _recess(lung: NDArray[np.bool_]) -> float:
    """Smallest x of the right border of a field, between the great vessels and the diaphragm."""
    rows = np.flatnonzero(lung.any(axis=1))
    rows = rows[rows >= _heart_top(lung)]
    borders = lung.shape[1] - np.argmax(lung[rows][:, ::-1], axis=1)
    corner = int(np.argmax(rows + _TOWARDS_MIDLINE * borders))
    return float(borders[: corner + 1].min())


def _heart_top(lung: NDArray[np.bool_]) -> int:
    """First row that has the heart beside it."""
    rows = np.flatnonzero(lung.any(axis=1))
    return int(rows[0]) + round(_ABOVE_THE_HEART * (int(rows[-1]) - int(rows[0])))


def _first(mask: NDArray[np.bool_]) -> float:
    """Left border of a mask."""
    return float(np.flatnonzero(mask.any(axis=0))[0])


def _last(mask: NDArray[np.bool_]) -> float:
    """Right border of a mask."""
    return float(np.flatnonzero(mask.any(axis=0))[-1] + 1)
