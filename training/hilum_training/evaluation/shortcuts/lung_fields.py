"""Where the lungs are, on the model's grid: drawn by people, or found by the segmentation."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum.imaging.lungs import HALF, lung_mask
from hilum_training.segmentation.recipe import STRUCTURES, read_segmentation_recipe
from hilum_training.weights import weights_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.pack import Film

    Masks = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

KINDS: Final = frozenset({"lungs", "left_lung", "right_lung"})
MARGIN: Final = 0.03
"""By which a mask is grown, as a share of the side: it may end a little inside the lung."""


@dataclass(frozen=True, slots=True)
class LungFields:
    """Lungs of those films that have a mask.

    Attributes:
        at: int64 [M], which of the films.
        inside: bool [M, size, size], the grown lung fields.
    """

    at: NDArray[np.int64]
    inside: NDArray[np.bool_]


def pack_lung_fields(pack: Path, films: Sequence[Film], size: int) -> LungFields:
    """Read the masks that people drew.

    Two conventions are among them, with and without the lung behind the heart: good enough to
    cover what is surely outside, not to compare areas.

    Args:
        pack: Folder of the film pack; without ``masks.csv`` no film has a mask.
        films: Films to look up.
        size: Pixels a side of the model's input, whose grid covers the whole film.
    """
    masks = _listed(pack)
    at = [place for place, film in enumerate(films) if film.file in masks]
    inside = np.zeros((len(at), size, size), dtype=bool)
    for row, place in enumerate(at):
        for name in masks[films[place].file]:
            with Image.open(pack / name) as image:
                small = image.convert("L").resize((size, size), Image.Resampling.BOX)
            inside[row] |= np.asarray(small) >= HALF
    steps = round(MARGIN * size)
    return LungFields(np.array(at, dtype=np.int64), _grown(inside, steps))


def found_lung_fields(masks: NDArray[np.uint8]) -> LungFields:
    """Lungs as the segmentation network outlines them; films on which it finds none are left out.

    Args:
        masks: uint8 [N, size, size, K], the structures of the segmentation network.
    """
    inside = np.zeros(masks.shape[:3], dtype=bool)
    for row, found in enumerate(masks):
        lungs = lung_mask(found, STRUCTURES)
        inside[row] = False if lungs is None else lungs >= HALF
    at = np.flatnonzero(inside.any(axis=(1, 2)))
    return LungFields(at, _grown(inside[at], round(MARGIN * masks.shape[1])))


def shipped_lungs(weights: Path, recipes: Path) -> Masks | None:
    """The segmentation network as it is shipped, or None where it was not trained.

    Args:
        weights: Folder of the reference weights.
        recipes: Folder of the recipes.
    """
    name = "lungs"
    if not weights_path(weights, name).is_file():
        return None
    from hilum_training.segmentation.predict import (  # noqa: PLC0415 - loads TensorFlow
        served_masks,
    )

    recipe = read_segmentation_recipe(recipes / f"{name}.toml")
    return lambda inputs: served_masks(weights, inputs, recipe)


def _listed(pack: Path) -> dict[str, list[str]]:
    path = pack / "masks.csv"
    found: dict[str, list[str]] = defaultdict(list)
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                if row["kind"] in KINDS:
                    found[row["file"]].append(row["mask"])
    return found


def _grown(masks: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """Dilated by a square of so many steps to each side, one axis after the other."""
    for axis in (1, 2):
        wide = masks.copy()
        for step in range(1, steps + 1):
            there, back = [slice(None)] * 3, [slice(None)] * 3
            there[axis], back[axis] = slice(step, None), slice(None, -step)
            wide[tuple(there)] |= masks[tuple(back)]
            wide[tuple(back)] |= masks[tuple(there)]
        masks = wide
    return masks
