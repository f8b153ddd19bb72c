"""Do the boxes of the activation maps lie where readers drew theirs?

The pointing game asks whether the strongest place of a map lies in a reader's box (J. Zhang et al.,
"Top-down neural attention by excitation backprop", ECCV 2016); the overlap of boxes is measured as
in X. Wang et al., "ChestX-ray8", CVPR 2017. Both stand beside chance: the share of the searched
area that the readers' boxes cover is what a blind pointer would hit.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.imaging.localisation import GRID, Box, boxes_from_heatmap, enlarge, lung_cells
from hilum_training.measures.bootstrap import PatientBootstrap, figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

OVERLAPS: Final = (0.1, 0.25, 0.5)


@dataclass(frozen=True, slots=True)
class Localised:
    """One film's map against its readers' boxes.

    Attributes:
        hit: The strongest place lies in a reader's box; False where nothing speaks for the label.
        chance: Share of the searched area inside the readers' boxes.
        best_overlaps: For each reader's box the largest intersection over union with a found one.
    """

    hit: bool
    chance: float
    best_overlaps: tuple[float, ...]


def read_boxes(pack: Path, labels: Mapping[str, str]) -> dict[str, tuple[Box, ...]]:
    """The pack's boxes of some labels.

    Args:
        pack: Its folder.
        labels: Label in ``boxes.csv`` -> source that it is taken from.

    Returns:
        By film, in pixels of the pack's film; their score is 1.
    """
    boxes: dict[str, list[Box]] = defaultdict(list)
    with (pack / "boxes.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            source = labels.get(row["label"])
            if source is not None and row["file"].startswith(f"images/{source}"):
                x, y, width, height = (float(row[key]) for key in ("x", "y", "w", "h"))
                boxes[row["file"]].append(Box(x, y, width, height, score=1.0))
    return {file: tuple(found) for file, found in boxes.items()}


def localise(
    heatmap: NDArray[np.float32],
    lung_mask: NDArray[np.uint8] | None,
    truth: Sequence[Box],
    rows: int,
    columns: int,
) -> Localised:
    """Compare one map with the readers' boxes.

    Args:
        heatmap: float32 [h, w], logit units, of the label that the boxes are of.
        lung_mask: uint8 [H, W], or None to search the whole film.
        truth: Readers' boxes, at least one, in film pixels.
        rows: Of the film.
        columns: Of the film.
    """
    allowed = lung_cells(lung_mask)
    searched = np.ones((GRID, GRID), dtype=bool) if allowed is None else allowed
    inside = np.zeros((GRID, GRID), dtype=bool)
    y, x = ((np.arange(GRID) + 0.5) * side / GRID for side in (rows, columns))
    for box in truth:
        tall = (y >= box.y) & (y < box.y + box.height)
        wide = (x >= box.x) & (x < box.x + box.width)
        inside |= tall[:, np.newaxis] & wide[np.newaxis]
    cells = np.where(searched, enlarge(heatmap), -np.inf)
    found = boxes_from_heatmap(heatmap, lung_mask, rows, columns)
    return Localised(
        hit=bool(cells.max() > 0 and inside.ravel()[int(cells.argmax())]),
        chance=float(inside[searched].mean()),
        best_overlaps=tuple(
            max((overlap(box, other) for other in found), default=0.0) for box in truth
        ),
    )


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    tall = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    common = max(wide, 0.0) * max(tall, 0.0)
    union = one.width * one.height + other.width * other.height - common
    return common / union if union > 0 else 0.0


def summarise_localisation(
    films: Sequence[Localised], clusters: Sequence[str]
) -> dict[str, Any] | None:
    """Figures over films, with intervals by patient; None without films.

    Args:
        films: N films.
        clusters: Patient cluster of each.

    Returns:
        Pointing game with its chance, share of readers' boxes that a found box overlaps by at least
        0.1, 0.25 and 0.5, and the mean of the best overlaps.
    """
    if not films:
        return None
    drawn = PatientBootstrap(clusters)
    best = [np.array(film.best_overlaps) for film in films]
    boxes = np.array([len(item) for item in best], dtype=np.float64)
    return {
        "films": len(films),
        "boxes": int(boxes.sum()),
        "pointing_game": drawn.share(np.array([film.hit for film in films], dtype=bool)),
        "pointing_game_by_chance": figure(float(np.mean([film.chance for film in films]))),
        **{
            f"overlap_at_least_{least}": drawn.ratio(
                np.array([float((item >= least).sum()) for item in best]), boxes
            )
            for least in OVERLAPS
        },
        "mean_best_overlap": drawn.ratio(np.array([float(item.sum()) for item in best]), boxes),
    }


def compare_with_lung_mask(
    heatmaps: Sequence[NDArray[np.float32]],
    lung_masks: Sequence[NDArray[np.uint8] | None],
    truths: Sequence[Sequence[Box]],
    sizes: Sequence[tuple[int, int]],
    clusters: Sequence[str],
) -> dict[str, Any]:
    """The same maps, searched over the whole film and within the lungs.

    Args:
        heatmaps: N maps float32 [h, w].
        lung_masks: N masks uint8 [H, W].
        truths: Readers' boxes of each film.
        sizes: Rows and columns of each film.
        clusters: Patient cluster of each.

    Returns:
        ``whole_film`` and ``within_lungs``, each as :func:`summarise_localisation` gives it.
    """
    searches: dict[str, Sequence[NDArray[np.uint8] | None]] = {
        "whole_film": [None] * len(heatmaps),
        "within_lungs": lung_masks,
    }
    return {
        name: summarise_localisation(
            [
                localise(heatmap, mask, truth, *size)
                for heatmap, mask, truth, size in zip(heatmaps, masks, truths, sizes, strict=True)
            ],
            clusters,
        )
        for name, masks in searches.items()
    }
