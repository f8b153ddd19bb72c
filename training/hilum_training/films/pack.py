"""The film pack: ``manifest.csv`` and the images that it names."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum_training.films.asked import COLUMN, read_asked
from hilum_training.recipe_errors import InvalidRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hilum_training.recipe import DataRecipe

# Stored as 224 x 224, whatever shape they were published in.
_SQUASHED: Final = frozenset({"kermany"})
DEFAULT_PACK: Final = Path("../shared/cxr")
# SHA-256 over all pictures of a pack, in a pack that ``data pack`` wrote.
PICTURES_DIGEST: Final = "pictures.sha256"


class PackMissing(RuntimeError):
    """There is no film pack where one was looked for."""


@dataclass(frozen=True, slots=True)
class Film:
    """One image of a film pack.

    Attributes:
        file: Path relative to the pack.
        source: Where it was published; native copies count under the source they copy.
        label: As recorded, e.g. ``normal`` or ``other:cardiomegaly``.
        group: Patient group: what shares one is never divided by the split.
        licence: As stated by the pack.
        licence_flags: E.g. ``NC`` (non-commercial), ``SA``, ``unverified-upstream``.
        variant_of: The film of which this is another copy, or empty.
        findings: As the source lists them, in lower case, e.g. ``pleural_thickening``.
        asked: Findings of which the source says whether they are there, beside the listed ones;
            see :mod:`hilum_training.films.asked`.
        view: As stated, e.g. ``PA``.
        age: Years, or None.
        sex: ``M``, ``F`` or empty.
        age_group: As stated, e.g. ``adult``.
        aspect: Width over height as published, or None where only a squashed copy is known.
    """

    file: str
    source: str
    label: str
    group: str
    licence: str
    licence_flags: frozenset[str] = frozenset()
    variant_of: str = ""
    findings: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    view: str = ""
    age: float | None = None
    sex: str = ""
    age_group: str = ""
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


def pack_films(folder: Path) -> tuple[Film, ...]:
    """Every film of the pack, in the order of the manifest.

    A film and its higher-resolution copy are one film: the copy stands for both. Both of them are
    squashed to a square by ``square-area-v1``, and the share of copies is nearly the same in every
    class of the source (36 to 43 %), so that neither aspect nor JPEG quality tells the class.
    """
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    copied = {row["variant_of"] for row in rows if row["variant_of"]}
    return tuple(_film(row) for row in rows if row["file"] not in copied)


def check_sources(films: Sequence[Film], recipe: DataRecipe) -> None:
    """Ask that each source of a recipe is one of the pack's.

    Raises:
        InvalidRecipe: A source without a film: a typing error, or a data set that is not there.
    """
    there = {film.source for film in films}
    if unknown := {*recipe.sources, *recipe.only_train_sources} - there:
        raise InvalidRecipe(
            f"the film pack has no film of {', '.join(sorted(unknown))}; "
            f"its sources are {', '.join(sorted(there))}"
        )


def wanted(film: Film, recipe: DataRecipe) -> bool:
    """Whether a recipe uses a film."""
    return (
        film.source in recipe.sources
        and film.view in recipe.views
        and not film.licence_flags & set(recipe.exclude_flags)
    )


def read_film(path: Path) -> NDArray[np.uint8]:
    """Pixels of a stored film, uint8 [H, W]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=np.uint8)


def _film(row: Mapping[str, str]) -> Film:
    source, label = row["source"].removesuffix("_native"), row["normalised_label"]
    return Film(
        file=row["file"],
        source=source,
        label=label,
        group=row["group_id"],
        licence=row["licence"],
        licence_flags=_split(row.get("licence_flags"), ","),
        variant_of=row["variant_of"],
        findings=_split((row.get("labels") or "").lower(), "|"),
        asked=read_asked(row.get(COLUMN), source, label),
        view=row["view"],
        age=float(row["age"]) if row.get("age") else None,
        sex=row.get("sex") or "",
        age_group=row.get("age_group") or "",
        aspect=_aspect(row),
    )


def _split(text: str | None, mark: str) -> frozenset[str]:
    return frozenset(part.strip() for part in (text or "").split(mark) if part.strip())


def _aspect(row: Mapping[str, str]) -> float | None:
    width, height = row.get("native_w"), row.get("native_h")
    if row["source"] in _SQUASHED or not (width and height):
        return None
    return int(width) / int(height)
