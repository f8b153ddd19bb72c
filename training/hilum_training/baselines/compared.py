"""The network that ships, asked the baselines' questions on the same films."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hilum_training.baselines.networks import Embedded, embed
from hilum_training.baselines.scoring import Verdicts
from hilum_training.measures.calibration import fit_calibration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from hilum_training.baselines.recipes import Beside
    from hilum_training.films.library import FilmSet, Library
    from hilum_training.films.pack import Film
    from hilum_training.measures.calibration import Calibration
    from hilum_training.panel_recipe import PanelRecipe
    from hilum_training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Compared:
    """The shipped network with its films, at its own size.

    Attributes:
        recipe: Of the network.
        network: Trained.
        library: Its films; the same split as the baselines'.
        cache: Folder for what it makes of them.
    """

    recipe: Recipe
    network: keras.Model
    library: Library
    cache: Path

    def embedded(self, split: str, like: Sequence[Film]) -> tuple[FilmSet, Embedded]:
        """Features and logits of the films of a split that a baseline uses, in its order."""
        films: FilmSet = getattr(self.library, split)
        part = films.take(places(films.films, like))
        return part, embed(self.network, part, self.cache)

    def verdicts(self, panel: PanelRecipe, beside: Beside, test: FilmSet) -> Verdicts:
        """What it says of a baseline's test films, in the labels of the baseline's panel.

        Calibrated on its validation films, as it is served and as its own report measures it.
        """
        (own,) = (item for item in self.recipe.panels if item.name == beside.panel)
        _, made = self.embedded("test", test.films)
        said = self._calibration(own).probabilities(made.logits[own.name])
        mass = [
            said[:, [own.names.index(name) for name in beside.outputs[label]]].sum(axis=1)
            for label in panel.names
        ]
        return Verdicts(panel, test, np.stack(mass, axis=1))

    def _calibration(self, panel: PanelRecipe) -> Calibration:
        validation = self.library.validation
        targets = validation.targets(panel)
        logits = embed(self.network, validation, self.cache).logits[panel.name]
        return fit_calibration(panel.kind, logits[targets.whole], targets.values[targets.whole])


def places(films: Sequence[Film], like: Sequence[Film]) -> NDArray[np.int64]:
    """Where the films of one list stand in another that holds them all.

    Raises:
        KeyError: It does not: the two splits are not the same.
    """
    place = {film.file: index for index, film in enumerate(films)}
    return np.array([place[film.file] for film in like], dtype=np.int64)
