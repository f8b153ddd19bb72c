"""Every fit that a recipe names, one after another, with their logs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hilum_training.learning.distilling import DistillingFit
from hilum_training.learning.fit import Fit
from hilum_training.learning.log import write_log
from hilum_training.learning.settling import SettlingFit
from hilum_training.rival import RIVALS

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from hilum_training.films.library import FilmSet
    from hilum_training.recipe import Recipe


def train_network(
    recipe: Recipe,
    train: FilmSet,
    validation: FilmSet,
    runs: Path,
    reports: Path,
    rival: Recipe | None = None,
) -> keras.Model:
    """Train a network. What an interrupted run has finished is taken as it is.

    Args:
        recipe: What to do.
        train: Images to learn from.
        validation: Images that choose among the epochs.
        runs: Folder of working files; the network's are in one of its own name.
        reports: Folder of logs, likewise.
        rival: The other network's recipe, for one that is distilled from two; otherwise None.

    Raises:
        ValueError: The recipe distils, and there is no rival.
    """
    if recipe.distil and rival is None:
        raise ValueError(f"{recipe.name} is distilled from two networks, and one is missing")
    state, report = runs / recipe.name, reports / recipe.name
    fit = Fit(recipe, train, validation, state)
    write_log(fit.run(), report / "epochs.csv")
    if recipe.settle:
        fit = SettlingFit(recipe, fit.result(), train, validation, state / "settling")
        write_log(fit.run(), report / "settling.csv")
    if rival:
        folders = (runs / RIVALS, reports / RIVALS)
        alone = replace(rival, distil=None)
        teachers = (fit.result(), train_network(alone, train, validation, *folders))
        told = f"{rival.training} then {rival.settle}"
        fit = DistillingFit(recipe, teachers, told, train, validation, state / "distilling")
        write_log(fit.run(), report / "distilling.csv")
    return fit.result()
