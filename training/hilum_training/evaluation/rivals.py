"""``python -m hilum_training.evaluation.rivals``: would another network be better, or two together?

A rival is a shipped recipe with a change, trained as long, on the same films. It answers the same
test films, panel by panel, beside the shipped network, and so does the mean of the two. A rival is
a few lines of TOML in ``training/recipes/rivals``, see :class:`Rival`.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum_training.command_line import run_told
from hilum_training.evaluation.report_files import METRICS, NOTICE, write_json
from hilum_training.films.library import open_library
from hilum_training.films.pack import pack_folder
from hilum_training.learning.log import write_log
from hilum_training.panel_recipe import LossRecipe
from hilum_training.recipe import Recipe, read_recipe
from hilum_training.recipe_checks import check_part
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.recipe_files import named_files
from hilum_training.recipe_toml import built, naming, read_toml, taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras

    from hilum_training.evaluation.rival_figures import Said
    from hilum_training.films.library import Library

TRAINING: Final = Path(__file__).resolve().parents[2]
RIVALS: Final = "rivals"


@dataclass(frozen=True, slots=True)
class Rival:
    """One other network.

    Attributes:
        name: Of its file.
        about: What sets it apart, for people.
        base: The shipped recipe that it changes.
        seed: Of the order of films and of dropout; which patients are unseen stays the base's.
        loss: By panel, instead of the base's.
    """

    name: str
    about: str
    base: str
    seed: int
    loss: dict[str, LossRecipe]

    def recipe(self, base: Recipe) -> Recipe:
        """The base recipe with this rival's changes.

        Raises:
            InvalidRecipe: The base has no such panel.
        """
        if unknown := set(self.loss) - {panel.name for panel in base.panels}:
            raise InvalidRecipe(f"{self.name}: {base.name} has no panel {', '.join(unknown)}")
        panels = tuple(
            replace(panel, loss=self.loss.get(panel.name, panel.loss)) for panel in base.panels
        )
        return replace(base, name=self.name, seed=self.seed, panels=panels)


def read_rival(path: Path) -> Rival:
    """Read a rival.

    Raises:
        InvalidRecipe: It is no TOML, or a key is missing, unknown or out of bounds.
    """
    document = read_toml(path)
    with naming(path):
        losses = taken(document, "loss", dict, {})
        loss = {name: built(LossRecipe, table, f"[loss.{name}]") for name, table in losses.items()}
        for name, item in loss.items():
            check_part("panel.loss", item, f"[loss.{name}]")
        return built(Rival, {**document, "name": path.stem, "loss": loss})


def run_rival(rival: Rival, runs: Path, weights: Path, reports: Path) -> dict[str, Any]:
    """Train a rival, ask it beside the shipped network and write the report.

    An interrupted run goes on where it stopped.

    Args:
        rival: What to train.
        runs: Folder of working files.
        weights: Folder of the shipped weights.
        reports: ``training/reports``.

    Returns:
        What was written to ``rivals/<name>/metrics.json``.

    Raises:
        WeightsMissing: The shipped network is not there.
    """
    import keras  # noqa: PLC0415 - TensorFlow takes seconds to load; --help must not

    from hilum_training.evaluation.rival_figures import compare_rival  # noqa: PLC0415 - likewise
    from hilum_training.weights import load_network, weights_digest  # noqa: PLC0415 - likewise

    base = read_recipe(TRAINING / "recipes" / f"{rival.base}.toml")
    shipped = load_network(weights, base)
    # The split is the base's, whatever the rival's seed.
    library = open_library(base, pack_folder(), runs)
    recipe = rival.recipe(base)
    keras.utils.set_random_seed(recipe.seed)
    report = reports / RIVALS / rival.name
    network = train_rival(recipe, library, runs / RIVALS / rival.name, report)
    said = [_said(item, library) for item in (shipped, network)]
    metrics = {
        "rival": rival.name,
        "about": rival.about,
        "base": rival.base,
        "epochs": recipe.fit.epochs,
        "shipped_weights": weights_digest(shipped),
        "rows": compare_rival(base.panels, library, *said),
        "notice": NOTICE,
    }
    write_json(report / METRICS, metrics)
    return metrics


def train_rival(recipe: Recipe, library: Library, state: Path, report: Path) -> keras.Model:
    """Both fits of a rival, with their logs in its report."""
    from hilum_training.learning.fit import Fit  # noqa: PLC0415 - loads TensorFlow
    from hilum_training.learning.settling import SettlingFit  # noqa: PLC0415 - likewise

    parts = (library.train, library.validation)
    fit = Fit(recipe, *parts, state)
    write_log(fit.run(), report / "epochs.csv")
    if recipe.settle:
        fit = SettlingFit(recipe, fit.result(), *parts, state / "settling")
        write_log(fit.run(), report / "settling.csv")
    return fit.result()


def _said(network: keras.Model, library: Library) -> Said:
    from hilum_training.evaluation.rival_figures import Said  # noqa: PLC0415 - loads TensorFlow
    from hilum_training.prediction import predict_logits  # noqa: PLC0415 - likewise

    return Said(
        predict_logits(network, library.validation.inputs),
        predict_logits(network, library.test.inputs),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named rivals, or all of them; returns the exit code."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    parser = argparse.ArgumentParser(prog="python -m hilum_training.evaluation.rivals")
    parser.add_argument("name", nargs="*", help="files of training/recipes/rivals; none: all")
    parser.add_argument("--runs", type=Path, default=TRAINING / "runs", help="working files")
    options = parser.parse_args(arguments)
    return run_told(lambda: _run_all(options.name, options.runs))


def _run_all(names: Sequence[str], runs: Path) -> None:
    # All of them first: a mistake in the last is told before the first has run for an hour.
    folder = TRAINING / "recipes" / RIVALS
    rivals = [read_rival(path) for path in named_files(folder, names)]
    pack_folder()
    for rival in rivals:
        metrics = run_rival(rival, runs, TRAINING / "weights", TRAINING / "reports")
        for row in metrics["rows"]:
            told = f"{row['shipped']} shipped, {row['rival']} rival, {row['mean']} mean"
            sys.stdout.write(f"{rival.name}: {row['panel']}, {row['figure']}: {told}\n")


if __name__ == "__main__":
    sys.exit(main())
