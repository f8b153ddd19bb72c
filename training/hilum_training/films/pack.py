"""The film pack: ``manifest.csv`` and the images that it names."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hilum_training.recipe import DataRecipe

# Stored as 224 x 224, whatever shape they were published in.
_SQUASHED: Final = frozenset({"kermany"})
DEFAULT_PACK: Final = Path("../shared/cxr")


class PackMissing(RuntimeError):
    """There is no film pack where one was looked for."""


@dataclass(frozen=True, slots=True)
class Film:
    """One image of the pack.

    Attributes:
        file: Path relative to the pack.
        source: Where it was published; native copies count under the source they copy.
        label: As recorded, e.g. ``normal`` or ``other:cardiomegaly``.
        group: Patient group: what shares one is never divided by the split.
        licence: As stated by the pack.
        variant_of: The film of which this is another copy, or empty.
        candidates: Indexes of the labels that the recorded one allows; empty for a probe.
        aspect: Width over height as published, or None where only a squashed copy is known.
    """

    file: str
    source: str
    label: str
    group: str
    licence: str
    variant_of: str = ""
    candidates: tuple[int, ...] = ()
    aspect: float | None = None


def pack_folder() -> Path:
    """The pack's folder: ``HILUM_CXR_DIR``, else ``../shared/cxr``.

    Raises:
        PackMissing: No ``manifest.csv`` there.
    """
    folder = Path(os.environ.get("HILUM_CXR_DIR", DEFAULT_PACK))
    if not (folder / "manifest.csv").is_file():
        raise PackMissing(f"no film pack in {folder} (set HILUM_CXR_DIR)")
    return folder


def select_films(folder: Path, recipe: DataRecipe) -> tuple[Film, ...]:
    """The films that a recipe uses, in the order of the manifest.

    A film and its higher-resolution copy are one film: the copy stands for both. Both of them are
    squashed to a square by ``square-area-v1``, and the share of copies is nearly the same in every
    class of the source (36 to 43 %), so that neither aspect nor JPEG quality tells the class.

    Args:
        folder: The pack.
        recipe: Sources, views and labels wanted.

    Returns:
        Films with candidates, and probes (other findings, on which the model is only observed).
    """
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["source"] in recipe.sources]
    copied = {row["variant_of"] for row in rows if row["variant_of"]}
    kept = [row for row in rows if row["file"] not in copied and row["view"] in recipe.views]
    return tuple(_film(row, recipe.labels, recipe.candidates) for row in kept)


def read_film(path: Path) -> NDArray[np.uint8]:
    """Pixels of a stored film, uint8 [H, W]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=np.uint8)


def _film(
    row: Mapping[str, str], labels: Sequence[str], allowed: Mapping[str, Sequence[str]]
) -> Film:
    recorded = row["normalised_label"]
    return Film(
        file=row["file"],
        source=row["source"].removesuffix("_native"),
        label=recorded,
        group=row["group_id"],
        licence=row["licence"],
        variant_of=row["variant_of"],
        candidates=tuple(labels.index(label) for label in allowed.get(recorded, ())),
        aspect=_aspect(row),
    )


def _aspect(row: Mapping[str, str]) -> float | None:
    width, height = row.get("native_w"), row.get("native_h")
    if row["source"] in _SQUASHED or not (width and height):
        return None
    return int(width) / int(height)
