"""How well masks agree with those of annotators: overlap, and distance of borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from hilum.imaging.lungs import HALF, LEFT_LUNG, LUNGS_WITH_HEART, RIGHT_LUNG
from hilum_training.measures.bootstrap import PatientBootstrap, figure
from hilum_training.segmentation.masks import annotator, read_masks, read_twice_drawn, shrink
from hilum_training.segmentation.recipe import STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.pack import Film
    from hilum_training.segmentation.masks import Outlines

LUNG_FIELDS: Final = "lung_fields"
"""Right and left field together, as the collections publish them."""
_BLOCK: Final = 512


@dataclass(frozen=True, slots=True)
class Agreement:
    """One structure of one film.

    Attributes:
        file: The film.
        source: Where it was published.
        annotator: Who drew the reference.
        structure: What is compared.
        cluster: Patient cluster of the film.
        dice: Of the masks at the film's size, cut at a probability of 0.5.
        hausdorff: Greatest distance of one border's pixel from the other border, in pixels of the
            pack's film; nan where one mask is empty.
        hausdorff_95: The same without the farthest 5 % of each border.
        width: Columns of the film.
        inside: Share of the predicted lung fields that lies within the reference, where this is
            lungs with heart; nan elsewhere.
    """

    file: str
    source: str
    annotator: str
    structure: str
    cluster: str
    dice: float
    hausdorff: float
    hausdorff_95: float
    width: int
    inside: float = float("nan")


def dice_coefficient(found: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """Twice the overlap over the sum of both areas; 1 where both are empty."""
    total = int(found.sum()) + int(reference.sum())
    return 2.0 * int((found & reference).sum()) / total if total else 1.0


def border_distances(found: NDArray[np.bool_], reference: NDArray[np.bool_]) -> tuple[float, float]:
    """Hausdorff distance of two masks' borders, and the same of 95 % of each border.

    Args:
        found: bool [H, W].
        reference: bool [H, W].

    Returns:
        In pixels; nan where one is empty.
    """
    one, other = _border(found), _border(reference)
    if not len(one) or not len(other):
        return float("nan"), float("nan")
    there, back = _nearest(one, other), _nearest(other, one)
    most = max(float(np.percentile(there, 95)), float(np.percentile(back, 95)))
    return max(float(there.max()), float(back.max())), most


def compare_film(
    film: Film, cluster: str, outlines: Outlines, masks: NDArray[np.uint8], pack: Path
) -> list[Agreement]:
    """Compare a film's masks with everything that is outlined on it.

    Args:
        film: The film.
        cluster: Its patient cluster.
        outlines: Its reference masks.
        masks: uint8 [h, w, K], as served.
        pack: Folder of the pack.
    """
    reference = read_masks(pack, outlines)
    shape = next(iter(reference.values())).shape if reference else (0, 0)
    found = {name: enlarge(masks[..., k], shape) for k, name in enumerate(STRUCTURES)}
    sides = (RIGHT_LUNG, LEFT_LUNG)
    found[LUNG_FIELDS] = found[RIGHT_LUNG] | found[LEFT_LUNG]
    if all(side in reference for side in sides):
        reference[LUNG_FIELDS] = reference[RIGHT_LUNG] | reference[LEFT_LUNG]
    rows = []
    for structure, wanted in reference.items():
        farthest, most = border_distances(found[structure], wanted)
        fields = found[LUNG_FIELDS]
        drawn_by = RIGHT_LUNG if structure == LUNG_FIELDS else structure
        rows.append(
            Agreement(
                file=film.file,
                source=film.source,
                annotator=annotator(outlines, drawn_by),
                structure=structure,
                cluster=cluster,
                dice=dice_coefficient(found[structure], wanted),
                hausdorff=farthest,
                hausdorff_95=most,
                width=shape[1],
                inside=float(wanted[fields].mean())
                if structure == LUNGS_WITH_HEART and fields.any()
                else float("nan"),
            )
        )
    return rows


def enlarge(mask: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A served mask at the size of the film, bilinear, cut at a probability of 0.5.

    Args:
        mask: uint8 [h, w].
        shape: Rows and columns of the film.

    Returns:
        bool [rows, columns].
    """
    grown = Image.fromarray(np.ascontiguousarray(mask)).resize(
        (shape[1], shape[0]), Image.Resampling.BILINEAR
    )
    return np.asarray(grown, dtype=np.uint8) >= HALF


def summarise(agreements: Sequence[Agreement]) -> list[dict[str, Any]]:
    """Figures by source, annotator and structure, with intervals by patient.

    Args:
        agreements: Of test films.
    """
    kinds = sorted({(item.source, item.annotator, item.structure) for item in agreements})
    return [
        _row([item for item in agreements if (item.source, item.annotator, item.structure) == kind])
        for kind in kinds
    ]


def between_annotators(pack: Path, outlines: Sequence[Outlines]) -> dict[str, Any] | None:
    """How well two annotators agree about lungs with heart, where both drew them.

    No network that learns from one of them can be expected to agree better with the other.

    Args:
        pack: Folder of the pack.
        outlines: Of any films.

    Returns:
        Films, mean and lowest Dice and mean of the Hausdorff distance of 95 %; None without films.
    """
    drawn = [both for item in outlines if (both := read_twice_drawn(pack, item)) is not None]
    if not drawn:
        return None
    dice = np.array([dice_coefficient(*both) for both in drawn])
    most = np.array([border_distances(*both)[1] for both in drawn])
    return {
        "films": len(drawn),
        "dice_mean": figure(float(dice.mean())),
        "dice_lowest": figure(float(dice.min())),
        "hausdorff_95_pixels": figure(float(most.mean())),
    }


def kept_by_grid(pack: Path, outlines: Sequence[Outlines], side: int) -> dict[str, Any] | None:
    """How well masks agree with themselves after the network's grid: its bound on any network.

    Args:
        pack: Folder of the pack.
        outlines: Of any films.
        side: Cells of the grid, a side.

    Returns:
        Cells, masks, mean and lowest Dice; None without masks.
    """
    masks = [mask for item in outlines for mask in read_masks(pack, item).values()]
    if not masks:
        return None
    dice = np.array(
        [dice_coefficient(enlarge(shrink(mask, side), mask.shape), mask) for mask in masks]
    )
    return {
        "cells_a_side": side,
        "masks": len(masks),
        "dice_mean": figure(float(dice.mean())),
        "dice_lowest": figure(float(dice.min())),
    }


def _row(items: Sequence[Agreement]) -> dict[str, Any]:
    first = items[0]
    clusters = [item.cluster for item in items]
    drawn = PatientBootstrap(clusters)
    dice = np.array([item.dice for item in items])
    most = np.array([item.hausdorff_95 for item in items])
    share = 100.0 * most / np.array([item.width for item in items])

    def mean(values: NDArray[np.float64]) -> dict[str, Any]:
        known = ~np.isnan(values)
        return drawn.ratio(np.where(known, values, 0.0), known.astype(np.float64))

    return {
        "source": first.source,
        "annotator": first.annotator,
        "structure": first.structure,
        "films": len(items),
        "patients": len(set(clusters)),
        "dice": mean(dice),
        "dice_median": figure(float(np.median(dice))),
        "dice_lowest": figure(float(dice.min())),
        "dice_below_0.9": int((dice < 0.9).sum()),  # noqa: PLR2004 - named in the key
        "hausdorff_95_pixels": mean(most),
        "hausdorff_95_percent_of_width": mean(share),
        "hausdorff_pixels": mean(np.array([item.hausdorff for item in items])),
        "lung_fields_within": mean(np.array([item.inside for item in items])),
    }


def _border(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels of a mask with a side outside of it: float32 [n, 2], row and column."""
    wide = np.pad(mask, 1)
    within = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    return np.argwhere(mask & ~within).astype(np.float32)


def _nearest(points: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance of each point from the nearest of the others, block by block."""
    parts = [
        np.sqrt(
            np.square(points[at : at + _BLOCK, np.newaxis] - others[np.newaxis]).sum(axis=2).min(1)
        )
        for at in range(0, len(points), _BLOCK)
    ]
    return np.concatenate(parts)
