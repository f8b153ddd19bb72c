"""``python -m tests.unit.training.fit_on_backend PACK INITIAL OUT``: both fits of the tiny recipe.

A process of its own, since Keras chooses its backend once, from ``KERAS_BACKEND``.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import keras

from hilum_training.films.library import open_library
from hilum_training.learning.fit import Fit
from hilum_training.learning.settling import SettlingFit
from hilum_training.panel_recipe import LossRecipe
from hilum_training.weights import save_weights
from tests.unit.training.tiny_recipe import SETTLED


def main(pack: Path, initial: Path, out: Path) -> None:
    """Train from the weights in a file, and write what was learnt."""
    keras.utils.set_random_seed(1)
    network = replace(SETTLED.network, initial=str(initial))
    # The weights of classes are in the loss, so that they too are the same on every backend.
    loss = LossRecipe(class_weights=0.5, focus=1.0)
    panels = tuple(replace(panel, loss=loss) for panel in SETTLED.panels)
    recipe = replace(SETTLED, network=network, panels=panels)
    library = open_library(recipe, pack, out / "cache")
    fit = Fit(recipe, library.train, library.validation, out / "first")
    log = fit.run()
    settling = SettlingFit(
        recipe, fit.result(), library.train, library.validation, out / "settling"
    )
    log += settling.run()
    save_weights(settling.result(), out / "weights.npz")
    losses = " ".join(f"{row['loss']:.6f}" for row in log)
    sys.stdout.write(f"{keras.config.backend()} {losses}\n")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
