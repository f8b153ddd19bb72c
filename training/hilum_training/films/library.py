"""The films of a recipe, decoded and divided: the one way in for training and evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hilum_training.films.cache import decode_films
from hilum_training.films.pack import Film, select_films
from hilum_training.films.split import check_leakage, divide, link_films

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class FilmSet:
    """Films with their model inputs.

    Attributes:
        films: N films.
        inputs: uint8 [N, size, size, 1].
        clusters: Patient cluster of each: what is drawn as one in a bootstrap.
    """

    films: tuple[Film, ...]
    inputs: NDArray[np.uint8]
    clusters: tuple[str, ...]

    def allowed(self, labels: int) -> NDArray[np.float32]:
        """float32 [N, K]: 1 where the recorded label allows the answer."""
        mask = np.zeros((len(self.films), labels), dtype=np.float32)
        for row, film in enumerate(self.films):
            mask[row, list(film.candidates)] = 1
        return mask

    def take(self, indexes: NDArray[np.int64]) -> FilmSet:
        """A part of the films."""
        return FilmSet(
            films=tuple(self.films[index] for index in indexes),
            inputs=self.inputs[indexes],
            clusters=tuple(self.clusters[index] for index in indexes),
        )

    def first(self, limit: int | None) -> FilmSet:
        """At most so many films, spread evenly over all of them (None: all)."""
        if limit is None or limit >= len(self.films):
            return self
        return self.take(np.linspace(0, len(self.films) - 1, limit).astype(np.int64))


@dataclass(frozen=True, slots=True)
class Library:
    """A recipe's films by split; probes are films whose label the panel does not have."""

    train: FilmSet
    validation: FilmSet
    test: FilmSet
    probes: FilmSet


def open_library(recipe: Recipe, pack: Path, cache: Path) -> Library:
    """Select, decode, divide and check a recipe's films.

    Args:
        recipe: What is wanted.
        pack: Folder of the film pack.
        cache: Folder for decoded films.

    Raises:
        LeakageFound: The split divides what belongs together.
    """
    data = recipe.data
    films = select_films(pack, data)
    decoded = decode_films(pack, films, recipe.film, cache)
    clusters = link_films(films, decoded.fingerprints, data.near_duplicate_bits)
    splits = divide(films, clusters, data.fractions, recipe.seed)
    check_leakage(films, splits, decoded.fingerprints, data.near_duplicate_bits)
    whole = FilmSet(films, decoded.inputs, clusters)
    split = np.array(splits)
    known = np.array([bool(film.candidates) for film in films])
    return Library(
        train=whole.take(np.flatnonzero((split == "train") & known)),
        validation=whole.take(np.flatnonzero((split == "validation") & known)),
        test=whole.take(np.flatnonzero((split == "test") & known)),
        probes=whole.take(np.flatnonzero((split == "test") & ~known)),
    )
