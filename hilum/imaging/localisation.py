"""Boxes about what a class activation map points at.

The map is cut at a share of its largest value and each piece gets the box that just holds it:
B. Zhou et al., "Learning deep features for discriminative localization", CVPR 2016 (20 % of the
maximum, largest piece); X. Wang et al., "ChestX-ray8", CVPR 2017, do the same for chest films.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum.imaging.components import label_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRID: Final = 112
"""Cells a side on which the enlarged map is cut, whatever the film's size."""
THRESHOLD: Final = 0.5
LARGEST_COUNT: Final = 3
MARGIN: Final = 0.02
"""By how much of the film's side the lung mask grows: disease at the border blurs the border."""
_SMALLEST: Final = 0.001
_HALF: Final = 128


@dataclass(frozen=True, slots=True)
class Box:
    """A box on the film, in film pixels from the upper left corner of the upper left pixel.

    Attributes:
        x: Left border.
        y: Upper border.
        width: Above 0.
        height: Above 0.
        score: Largest activation inside, in the map's unit (logits).
    """

    x: float
    y: float
    width: float
    height: float
    score: float


def boxes_from_heatmap(
    heatmap: NDArray[np.float32],
    lung_mask: NDArray[np.uint8] | None,
    rows: int,
    columns: int,
    *,
    threshold: float = THRESHOLD,
    count: int = LARGEST_COUNT,
) -> tuple[Box, ...]:
    """Boxes about the strongest places of a map.

    Args:
        heatmap: float32 [h, w], in logit units: positive raises the label's score. It covers the
            whole film (``square-area-v1``), each axis at its own scale. Not-a-number counts as 0.
        lung_mask: uint8 [H, W] over the same field, 255 times the probability of lung; what lies
            outside of it (grown by ``MARGIN``) is left out. None, or a mask without lung: the whole
            film.
        rows: Of the film.
        columns: Of the film.
        threshold: Share of the largest activation in the lungs from which a cell belongs to a box.
        count: At most so many boxes.

    Returns:
        Boxes, the strongest first; none where nothing in the lungs speaks for the label.

    Raises:
        ValueError: ``threshold`` is outside 0 to 1.
    """
    return boxes_in_cells(
        heatmap, lung_cells(lung_mask), rows, columns, threshold=threshold, count=count
    )


def boxes_in_cells(
    heatmap: NDArray[np.float32],
    allowed: NDArray[np.bool_] | None,
    rows: int,
    columns: int,
    *,
    threshold: float = THRESHOLD,
    count: int = LARGEST_COUNT,
) -> tuple[Box, ...]:
    """As :func:`boxes_from_heatmap`, for several maps of one film: the lungs are looked up once.

    Args:
        heatmap: As there.
        allowed: From :func:`lung_cells`.
        rows: As there.
        columns: As there.
        threshold: As there.
        count: As there.

    Raises:
        ValueError: ``threshold`` is outside 0 to 1.
    """
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"threshold {threshold} is outside 0 to 1")
    cells = enlarge(heatmap)
    if allowed is not None:
        cells = np.where(allowed, cells, 0.0)
    peak = float(cells.max())
    if peak <= 0.0:
        return ()
    numbered, sizes = label_components(cells >= threshold * peak)
    found = [
        _box(cells, numbered == rank + 1, rows, columns)
        for rank, size in enumerate(sizes)
        if size >= _SMALLEST * cells.size
    ]
    return tuple(sorted(found, key=lambda box: -box.score)[:count])


def share_within(heatmap: NDArray[np.float32], allowed: NDArray[np.bool_] | None) -> float | None:
    """Return the share of a map's positive mass that lies in the lungs.

    Args:
        heatmap: float32 [h, w], in logit units.
        allowed: From :func:`lung_cells`.

    Returns:
        In [0, 1], four decimals; None without lungs or without positive mass.
    """
    if allowed is None:
        return None
    mass = np.maximum(enlarge(heatmap), 0.0)
    whole = float(mass.sum())
    return round(float(mass[allowed].sum()) / whole, 4) if whole > 0.0 else None


def enlarge(heatmap: NDArray[np.float32]) -> NDArray[np.float64]:
    """A map on the grid on which boxes are cut, bilinear, float64 [GRID, GRID]."""
    finite = np.nan_to_num(heatmap, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    grown = Image.fromarray(finite).resize((GRID, GRID), Image.Resampling.BILINEAR)
    return np.asarray(grown, dtype=np.float64)


def lung_cells(lung_mask: NDArray[np.uint8] | None) -> NDArray[np.bool_] | None:
    """The grown lung mask on the same grid, bool [GRID, GRID]; None for the whole film."""
    if lung_mask is None:
        return None
    small = Image.fromarray(lung_mask).resize((GRID, GRID), Image.Resampling.BOX)
    inside = np.asarray(small) >= _HALF
    return _grow(inside, round(MARGIN * GRID)) if inside.any() else None


def _grow(mask: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """Dilate by a diamond of so many steps."""
    for _ in range(steps):
        wide = np.pad(mask, 1)
        mask = (
            wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
        )
    return mask


def _box(cells: NDArray[np.float64], piece: NDArray[np.bool_], rows: int, columns: int) -> Box:
    along_y, along_x = (np.flatnonzero(piece.any(axis=axis)) for axis in (1, 0))
    left, top = int(along_x[0]) * columns / GRID, int(along_y[0]) * rows / GRID
    right, bottom = (int(along_x[-1]) + 1) * columns / GRID, (int(along_y[-1]) + 1) * rows / GRID
    return Box(
        x=round(left, 2),
        y=round(top, 2),
        width=round(right - left, 2),
        height=round(bottom - top, 2),
        score=float(cells[piece].max()),
    )
