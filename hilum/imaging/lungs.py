"""Lung fields and heart, from the segmentation's masks to outlines in film pixels.

Sides are the patient's: on a film shown the usual way the right lung is on the left of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.imaging.cardiothoracic import CardiothoracicRatio, measure_cardiothoracic
from hilum.imaging.components import label_components
from hilum.imaging.contour import enclosed_area, outer_outline, simplify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RIGHT_LUNG: Final = "right_lung"
LEFT_LUNG: Final = "left_lung"
LUNGS_WITH_HEART: Final = "lungs_with_heart"
HEART: Final = "heart"

HALF: Final = 128
"""Mask value from which a pixel belongs to the structure: 255 times a probability of 0.5."""
TINY: Final = 0.03
"""Share of the film under which a lung field is called tiny."""
ABSENT: Final = 0.005
"""Share of the film under which a structure counts as not seen."""
UNEQUAL: Final = 0.35
"""A lung field smaller than this share of the other one is called out."""

# Both lungs are in one mask there; what else is apart is noise. Elsewhere one piece is meant.
_PIECES: Final = {LUNGS_WITH_HEART: 2}
_SMALLEST_PIECE: Final = 0.1
_TOLERANCE: Final = 0.35
_CORNERS: Final = 3

Point = tuple[float, float]
"""x and y in film pixels; the pixel of row r and column c covers x from c to c + 1, y likewise."""


@dataclass(frozen=True, slots=True)
class Structure:
    """One structure as it lies on the film.

    Attributes:
        label: Its name.
        outlines: Closed polygons, the larger first, clockwise on the screen, without holes; the
            first corner is not repeated. None where the structure was not seen.
        area_share: Share of the film's area inside it, 0 to 1. In pixels times pixels, not in
            square centimetres: most films do not say how large a pixel is.
        flags: What makes it doubtful: ``absent``, ``tiny``, ``unequal``, ``wrong_side``.
    """

    label: str
    outlines: tuple[tuple[Point, ...], ...]
    area_share: float
    flags: tuple[str, ...] = ()

    @property
    def plausible(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.flags


@dataclass(frozen=True, slots=True)
class StructureReading:
    """Everything that the masks of one film say.

    Attributes:
        structures: In the order of the labels.
        cardiothoracic: Width of the heart over that of the thorax.
    """

    structures: tuple[Structure, ...]
    cardiothoracic: CardiothoracicRatio

    def structure(self, label: str) -> Structure | None:
        """The structure of this name, or None where the model does not give it."""
        return next((item for item in self.structures if item.label == label), None)


def read_structures(
    masks: NDArray[np.uint8], labels: Sequence[str], rows: int, columns: int
) -> StructureReading:
    """Read the masks of a film.

    Args:
        masks: uint8 [H, W, K], 255 times the probability that a pixel belongs to the structure. The
            masks cover the whole film (``square-area-v1``), so that each axis has its own scale.
        labels: K names; the lung fields and the heart are known by theirs.
        rows: Of the film.
        columns: Of the film.

    Returns:
        Outlines in film pixels, areas, and the cardiothoracic ratio.

    Raises:
        ValueError: Masks and labels differ in number.
    """
    if masks.ndim != 3 or masks.shape[2] != len(labels):  # noqa: PLR2004 - rows, columns, labels
        raise ValueError(f"masks of shape {masks.shape} do not fit {len(labels)} labels")
    pieces = {label: main_pieces(masks[..., k], label) for k, label in enumerate(labels)}
    flags = _flags(pieces)
    scale = np.array([columns / masks.shape[1], rows / masks.shape[0]])
    structures = []
    for index, label in enumerate(labels):
        kept = pieces[label] if "absent" not in flags[label] else []
        structures.append(
            Structure(
                label=label,
                outlines=_outlines(masks[..., index], kept, scale),
                area_share=_area_share(kept),
                flags=flags[label],
            )
        )
    return StructureReading(
        structures=tuple(structures),
        cardiothoracic=_cardiothoracic(pieces, flags, columns / masks.shape[1]),
    )


def main_pieces(mask: NDArray[np.uint8], label: str) -> list[NDArray[np.bool_]]:
    """The pieces of a mask that are meant, without specks.

    Args:
        mask: uint8 [H, W], 255 times the probability.
        label: Lungs with the heart have up to two pieces, every other structure has one.

    Returns:
        Masks bool [H, W], the largest first.
    """
    numbered, sizes = label_components(mask >= HALF)
    return [
        numbered == rank + 1
        for rank, size in enumerate(sizes[: _PIECES.get(label, 1)])
        if size >= _SMALLEST_PIECE * sizes[0]
    ]


def lung_mask(masks: NDArray[np.uint8], labels: Sequence[str]) -> NDArray[np.uint8] | None:
    """Both lung fields and what lies between them and behind the heart, as one mask.

    The larger probability of the lung structures counts, so that a field which one of them misses
    is still there. Meant for :func:`hilum.imaging.localisation.boxes_from_heatmap`.

    Args:
        masks: uint8 [H, W, K].
        labels: K names.

    Returns:
        uint8 [H, W], or None where no label is a lung structure.
    """
    lungs = [k for k, label in enumerate(labels) if label in _LUNG_STRUCTURES]
    return np.asarray(masks[..., lungs].max(axis=2), dtype=np.uint8) if lungs else None


_LUNG_STRUCTURES: Final = frozenset({RIGHT_LUNG, LEFT_LUNG, LUNGS_WITH_HEART})


def _flags(pieces: dict[str, list[NDArray[np.bool_]]]) -> dict[str, tuple[str, ...]]:
    share = {label: _area_share(kept) for label, kept in pieces.items()}
    flags: dict[str, list[str]] = {
        label: ["absent"] if area < ABSENT else [] for label, area in share.items()
    }
    for side, other in ((RIGHT_LUNG, LEFT_LUNG), (LEFT_LUNG, RIGHT_LUNG)):
        if side not in pieces or flags[side]:
            continue
        if share[side] < TINY:
            flags[side].append("tiny")
        if flags.get(other) == ["absent"]:
            continue
        if share[side] < UNEQUAL * share.get(other, 0.0):
            flags[side].append("unequal")
    if not {"absent"} & {flag for side in _SIDES for flag in flags.get(side, ["absent"])}:
        right, left = (_middle(pieces[side][0]) for side in _SIDES)
        if right >= left:
            for side in _SIDES:
                flags[side].append("wrong_side")
    return {label: tuple(found) for label, found in flags.items()}


_SIDES: Final = (RIGHT_LUNG, LEFT_LUNG)


def _area_share(pieces: Sequence[NDArray[np.bool_]]) -> float:
    return float(sum(np.count_nonzero(piece) / piece.size for piece in pieces))


def _middle(piece: NDArray[np.bool_]) -> float:
    """Mean column of a piece."""
    counts = np.count_nonzero(piece, axis=0)
    return float(counts @ np.arange(len(counts)) / counts.sum())


def _outlines(
    mask: NDArray[np.uint8], pieces: Sequence[NDArray[np.bool_]], scale: NDArray[np.float64]
) -> tuple[tuple[Point, ...], ...]:
    outlines = []
    for piece in pieces:
        polygon = simplify(outer_outline(mask, HALF - 0.5, piece), _TOLERANCE)
        if len(polygon) >= _CORNERS and enclosed_area(polygon):
            corners = (polygon * scale).round(2).tolist()
            outlines.append(tuple((float(x), float(y)) for x, y in corners))
    return tuple(outlines)


def _cardiothoracic(
    pieces: dict[str, list[NDArray[np.bool_]]], flags: dict[str, tuple[str, ...]], scale: float
) -> CardiothoracicRatio:
    for side in _SIDES:
        if side not in pieces:
            return CardiothoracicRatio(reason=f"the model does not outline the {side}")
        if flags[side]:
            name = side.replace("_", " ")
            said = ", ".join(flag.replace("_", " ") for flag in flags[side])
            return CardiothoracicRatio(reason=f"{name}: {said}")
    heart = next(iter(pieces.get(HEART, [])), None)
    return measure_cardiothoracic(pieces[RIGHT_LUNG][0], pieces[LEFT_LUNG][0], heart, scale)
