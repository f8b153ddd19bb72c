"""The films of a recipe, decoded and divided: the one way in for training and evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hilum_training.films.cache import decode_films
from hilum_training.films.pack import Film, check_sources, pack_films, wanted
from hilum_training.films.split import check_leakage, divide, link_films
from hilum_training.films.targets import Targets, panel_targets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.panel_recipe import PanelRecipe
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

    def targets(self, panel: PanelRecipe) -> Targets:
        """What a panel is asked to say of each film."""
        return panel_targets(self.films, panel)

    def take(self, indexes: NDArray[np.int64]) -> FilmSet:
        """A part of the films."""
        return FilmSet(
            films=tuple(self.films[index] for index in indexes),
            inputs=self.inputs[indexes],
            clusters=tuple(self.clusters[index] for index in indexes),
        )

    def where(self, condition: Callable[[Film], bool]) -> FilmSet:
        """The films for which a condition holds."""
        return self.take(np.flatnonzero([condition(film) for film in self.films]))

    def first(self, limit: int | None) -> FilmSet:
        """At most so many films, spread evenly over all of them (None: all)."""
        if limit is None or limit >= len(self.films):
            return self
        return self.take(np.linspace(0, len(self.films) - 1, limit).astype(np.int64))

    def plus(self, other: FilmSet) -> FilmSet:
        """These films and others."""
        return FilmSet(
            films=(*self.films, *other.films),
            inputs=np.concatenate([self.inputs, other.inputs]),
            clusters=(*self.clusters, *other.clusters),
        )


@dataclass(frozen=True, slots=True)
class Library:
    """A recipe's films by split."""

    train: FilmSet
    validation: FilmSet
    test: FilmSet


def open_library(recipe: Recipe, pack: Path, cache: Path) -> Library:
    """Decode, divide and check the whole pack, and take the films that a recipe uses.

    The split is of the whole pack, whatever the recipe takes from it: two recipes with one seed
    agree about which patients are unseen. Films of sources that are held out whole are test films,
    whatever the split says; what is tied to one of them teaches nothing.

    Args:
        recipe: What is wanted.
        pack: Folder of the film pack.
        cache: Folder for decoded films.

    Raises:
        InvalidRecipe: A source of the recipe has no film.
        LeakageFound: The split divides what belongs together.
    """
    data = recipe.data
    films = pack_films(pack)
    check_sources(films, data)
    decoded = decode_films(pack, films, recipe.film, cache)
    clusters = link_films(films, decoded.fingerprints, data.near_duplicate_bits)
    splits = divide(films, clusters, data.fractions, recipe.seed)
    check_leakage(films, splits, decoded.fingerprints, data.near_duplicate_bits)
    whole = FilmSet(films, decoded.inputs, clusters)
    used = np.array([wanted(film, data) for film in films])
    seen = np.array(
        [not data.only_train_sources or film.source in data.only_train_sources for film in films]
    )
    held_out = {clusters[index] for index in np.flatnonzero(used & ~seen)}
    teaches = used & seen & np.array([cluster not in held_out for cluster in clusters])
    split = np.array(splits)
    return Library(
        train=whole.take(np.flatnonzero((split == "train") & teaches)),
        validation=whole.take(np.flatnonzero((split == "validation") & teaches)),
        test=whole.take(np.flatnonzero(used & ((split == "test") | ~seen))),
    )
