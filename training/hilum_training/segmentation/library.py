"""Films with masks, decoded and divided: the one way in for the segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hilum_training.films.cache import decode_films
from hilum_training.films.library import FilmSet
from hilum_training.films.pack import PackMissing, check_sources, pack_films, wanted
from hilum_training.films.split import check_leakage, divide, link_films
from hilum_training.segmentation.masks import Outlines, list_outlines, read_masks, shrink
from hilum_training.segmentation.recipe import STRUCTURES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.segmentation.recipe import SegmentationRecipe


@dataclass(frozen=True, slots=True)
class MaskSet:
    """Films and what is outlined on them.

    Attributes:
        films: N films with their model inputs.
        outlines: The masks of each, as files.
        targets: uint8 [N, size / 2, size / 2, K], 255 times the share of a cell inside the
            structure; 0 where nothing is known.
        known: bool [N, K], whether the masks say anything of the structure.
    """

    films: FilmSet
    outlines: tuple[Outlines, ...]
    targets: NDArray[np.uint8]
    known: NDArray[np.bool_]

    def first(self, limit: int | None) -> MaskSet:
        """At most so many films, spread evenly over all of them (None: all)."""
        count = len(self.outlines)
        if limit is None or limit >= count:
            return self
        kept = np.linspace(0, count - 1, limit).astype(np.int64)
        return MaskSet(
            self.films.take(kept),
            tuple(self.outlines[index] for index in kept),
            self.targets[kept],
            self.known[kept],
        )


@dataclass(frozen=True, slots=True)
class MaskLibrary:
    """A recipe's films with masks, by split."""

    train: MaskSet
    validation: MaskSet
    test: MaskSet


def open_masks(recipe: SegmentationRecipe, pack: Path, cache: Path) -> MaskLibrary:
    """Decode, divide and check the whole pack, and take the films with masks.

    The split is that of the classifiers with the same seed: a patient who is unseen by one network
    is unseen by all.

    Args:
        recipe: What is wanted.
        pack: Folder of the film pack.
        cache: Folder for decoded films.

    Raises:
        InvalidRecipe: A source of the recipe has no film.
        LeakageFound: The split divides what belongs together.
        PackMissing: The pack has no masks that this panel learns from.
    """
    data = recipe.data
    films = pack_films(pack)
    outlines = list_outlines(pack)
    used = [film.file in outlines and wanted(film, data) for film in films]
    if not any(used):
        raise PackMissing(f"the film pack in {pack} has no masks of lungs")
    check_sources(films, data)
    decoded = decode_films(pack, films, recipe.film, cache)
    clusters = link_films(films, decoded.fingerprints, data.near_duplicate_bits)
    splits = divide(films, clusters, data.fractions, recipe.seed)
    check_leakage(films, splits, decoded.fingerprints, data.near_duplicate_bits)
    whole = FilmSet(films, decoded.inputs, clusters)

    def part(name: str) -> MaskSet:
        taken = [used[index] and split == name for index, split in enumerate(splits)]
        return _mask_set(whole.take(np.flatnonzero(taken)), outlines, pack, recipe.film.size // 2)

    return MaskLibrary(part("train"), part("validation"), part("test"))


def _mask_set(films: FilmSet, outlines: dict[str, Outlines], pack: Path, side: int) -> MaskSet:
    count = len(films.films)
    targets = np.zeros((count, side, side, len(STRUCTURES)), dtype=np.uint8)
    known = np.zeros((count, len(STRUCTURES)), dtype=bool)
    for row, film in enumerate(films.films):
        masks = read_masks(pack, outlines[film.file])
        for column, structure in enumerate(STRUCTURES):
            if structure in masks:
                targets[row, ..., column] = shrink(masks[structure], side)
                known[row, column] = True
    return MaskSet(films, tuple(outlines[film.file] for film in films.films), targets, known)
