"""The pack's masks, by what they outline and in whose convention.

Three conventions meet here, and a mask teaches only what its convention says:

- Montgomery and Shenzhen: lung fields without heart and mediastinum, both in one mask.
- V7: lungs with the part behind the heart, both in one mask. Says nothing of the lung fields.
- General Blockchain (34 films): right lung, left lung, each with the part behind the heart, and the
  heart together with the mediastinum. Lung less heart is a lung field in the first convention.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum.imaging.components import label_components
from hilum.imaging.lungs import HEART, LEFT_LUNG, LUNGS_WITH_HEART, RIGHT_LUNG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_REGIONS: Final = frozenset({"right_lung", "left_lung", "cardiomediastinum"})
_FIELDS, _WHOLE = "EXCLUDING", "INCLUDING"
# The smaller lung field over the larger one; below it a mask is not of two lungs.
_SMALLEST_FIELD: Final = 0.1


@dataclass(frozen=True, slots=True)
class Outlines:
    """The masks of one film, as files.

    Attributes:
        fields: Lung fields without the heart, both in one mask, or empty.
        whole: Lungs with the part behind the heart, both in one mask, or empty.
        regions: ``right_lung``, ``left_lung`` and ``cardiomediastinum``, or nothing.
        annotators: Who drew each of ``fields``, ``whole``, ``regions``.
        licences: Of each of them.
    """

    fields: str
    whole: str
    regions: Mapping[str, str]
    annotators: Mapping[str, str]
    licences: Mapping[str, str]

    @property
    def kind(self) -> str:
        """Which masks there are, e.g. ``fields`` or ``regions+whole``."""
        return "+".join(sorted(self.annotators))


def list_outlines(pack: Path) -> dict[str, Outlines]:
    """Masks of the pack that this panel learns from, by film.

    Args:
        pack: Its folder; without ``masks.csv`` there are none.
    """
    path = pack / "masks.csv"
    if not path.is_file():
        return {}
    by_film: dict[str, list[dict[str, str]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            by_film[row["file"]].append(row)
    listed = {file: _outlines(rows) for file, rows in by_film.items()}
    return {file: outlines for file, outlines in listed.items() if outlines.annotators}


def read_masks(pack: Path, outlines: Outlines) -> dict[str, NDArray[np.bool_]]:
    """The structures that a film's masks outline.

    Args:
        pack: Folder of the pack.
        outlines: The film's.

    Returns:
        bool [H, W] by structure, in pixels of the pack's film; structures of which the masks say
        nothing are absent.
    """
    masks: dict[str, NDArray[np.bool_]] = {}
    if outlines.regions:
        right, left, heart = (
            _read(pack / outlines.regions[kind])
            for kind in ("right_lung", "left_lung", "cardiomediastinum")
        )
        masks |= {
            RIGHT_LUNG: right & ~heart,
            LEFT_LUNG: left & ~heart,
            LUNGS_WITH_HEART: right | left,
            HEART: heart,
        }
    if outlines.fields:
        masks |= split_sides(_read(pack / outlines.fields))
    if outlines.whole:
        masks[LUNGS_WITH_HEART] = _read(pack / outlines.whole)
    return masks


def read_twice_drawn(
    pack: Path, outlines: Outlines
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Lungs with the part behind the heart as two annotators drew them, or None.

    Args:
        pack: Folder of the pack.
        outlines: The film's.
    """
    if not (outlines.whole and outlines.regions):
        return None
    right, left = (_read(pack / outlines.regions[side]) for side in ("right_lung", "left_lung"))
    return _read(pack / outlines.whole), right | left


def annotator(outlines: Outlines, structure: str) -> str:
    """Who drew a structure of a film; for the regions' lung fields, what was taken off them."""
    if structure == LUNGS_WITH_HEART and outlines.whole:
        return outlines.annotators["whole"]
    if structure in {RIGHT_LUNG, LEFT_LUNG} and outlines.fields:
        return outlines.annotators["fields"]
    return outlines.annotators["regions"]


def split_sides(fields: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Two lung fields in one mask, told apart by their place: the patient's right is on the left.

    Args:
        fields: bool [H, W].

    Returns:
        ``right_lung`` and ``left_lung``; nothing where the mask does not have two lungs.
    """
    numbered, sizes = label_components(fields)
    if len(sizes) < 2 or sizes[1] < _SMALLEST_FIELD * sizes[0]:  # noqa: PLR2004 - two lungs
        return {}
    pieces = sorted((numbered == rank for rank in (1, 2)), key=_middle)
    return dict(zip((RIGHT_LUNG, LEFT_LUNG), pieces, strict=True))


def shrink(mask: NDArray[np.bool_], side: int) -> NDArray[np.uint8]:
    """A mask on a coarser grid: uint8 [side, side], 255 times the share of each cell inside."""
    grown = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(grown.resize((side, side), Image.Resampling.BOX), dtype=np.uint8)


def _middle(piece: NDArray[np.bool_]) -> float:
    return float(np.nonzero(piece)[1].mean())


def _outlines(rows: list[dict[str, str]]) -> Outlines:
    regions = {row["kind"]: row for row in rows if row["kind"] in _REGIONS}
    lungs = [row for row in rows if row["kind"] == "lungs"]
    found = {
        "fields": next((row for row in lungs if _FIELDS in row["convention"]), None),
        "whole": next((row for row in lungs if _WHOLE in row["convention"]), None),
        "regions": regions["right_lung"] if regions.keys() == _REGIONS else None,
    }
    kept = {kind: row for kind, row in found.items() if row is not None}
    return Outlines(
        fields=kept["fields"]["mask"] if "fields" in kept else "",
        whole=kept["whole"]["mask"] if "whole" in kept else "",
        regions={kind: row["mask"] for kind, row in regions.items()} if "regions" in kept else {},
        annotators={kind: row["annotator"] for kind, row in kept.items()},
        licences={kind: row["licence"] for kind, row in kept.items()},
    )


def _read(path: Path) -> NDArray[np.bool_]:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=np.uint8) > 0
