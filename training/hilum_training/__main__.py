"""``python -m hilum_training``: train, evaluate and export a recipe's model."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum_training.films.library import open_library
from hilum_training.films.pack import PackMissing, pack_folder
from hilum_training.learning.log import write_log
from hilum_training.recipe import Recipe, read_recipe
from hilum_training.weights import WeightsMissing, weights_path

if TYPE_CHECKING:
    from collections.abc import Sequence

TRAINING: Final = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    # TensorFlow tells of CPU instructions at every start; its errors still come through.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    options = _parser().parse_args(arguments)
    recipe = read_recipe(_recipe_path(options.recipe)).with_epochs(options.epochs)
    commands = {"train": _train, "evaluate": _evaluate, "export": _export}
    try:
        commands[options.command](recipe, options)
    except (PackMissing, WeightsMissing) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hilum_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("train", "fit the network; goes on where an interrupted run stopped"),
        ("evaluate", "measure it on the test split and choose operating points"),
        ("export", "write model_repository/<name>"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("recipe", help="a .toml file, or the name of one in training/recipes")
        command.add_argument("--epochs", type=int, help="instead of the recipe's")
        command.add_argument("--limit", type=int, help="films per split, for a quick try")
        command.add_argument("--runs", type=Path, default=TRAINING / "runs")
        command.add_argument("--weights", type=Path, default=TRAINING / "weights")
        command.add_argument("--reports", type=Path, default=TRAINING / "reports")
        command.add_argument(
            "--repository", type=Path, default=TRAINING.parent / "model_repository"
        )
    return parser


def _recipe_path(named: str) -> Path:
    path = Path(named)
    return path if path.suffix == ".toml" else TRAINING / "recipes" / f"{named}.toml"


def _train(recipe: Recipe, options: argparse.Namespace) -> None:
    import keras  # noqa: PLC0415 - TensorFlow takes seconds to load; --help must not

    from hilum_training.learning.fit import Fit  # noqa: PLC0415 - likewise

    keras.utils.set_random_seed(recipe.seed)
    library = open_library(recipe, pack_folder(), options.runs)
    run = options.runs / recipe.name
    fit = Fit(
        recipe, library.train.first(options.limit), library.validation.first(options.limit), run
    )
    log = fit.run()
    options.weights.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run / "best.keras", weights_path(options.weights, recipe.name))
    write_log(log, options.reports / recipe.name / "epochs.csv")


def _evaluate(recipe: Recipe, options: argparse.Namespace) -> None:
    from hilum_training.evaluation.evaluate import evaluate  # noqa: PLC0415 - loads TensorFlow

    library = open_library(recipe, pack_folder(), options.runs)
    metrics = evaluate(recipe, library, options.weights, options.reports / recipe.name)
    for row in metrics["within_source"]:
        low, high = row["interval"]
        sys.stdout.write(f"{row['auroc']:.3f} ({low:.3f} to {high:.3f})  {row['question']}\n")


def _export(recipe: Recipe, options: argparse.Namespace) -> None:
    from hilum_training.export.publish import publish  # noqa: PLC0415 - loads TensorFlow

    folder = publish(
        recipe,
        weights=options.weights,
        report=options.reports / recipe.name,
        repository=options.repository,
    )
    sys.stdout.write(f"{folder}\n")


if __name__ == "__main__":
    sys.exit(main())
