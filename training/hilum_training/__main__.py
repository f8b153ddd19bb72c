"""``python -m hilum_training``: train, evaluate and export a recipe's model."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import dataclass
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
TRY: Final = "With --epochs or --limit it is a try: everything is read and written in RUNS/try."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    # TensorFlow tells of CPU instructions at every start; its errors still come through.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    options = _parser().parse_args(arguments)
    recipe = read_recipe(_recipe_path(options.recipe)).with_epochs(options.epochs)
    commands = {"train": _train, "evaluate": _evaluate, "export": _export}
    try:
        commands[options.command](recipe, _Folders.of(options), options.limit)
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
        command = commands.add_parser(name, help=text, epilog=TRY)
        command.add_argument("recipe", help="a .toml file, or the name of one in training/recipes")
        command.add_argument("--epochs", type=int, help="instead of the recipe's")
        command.add_argument("--limit", type=int, help="films per split to train with")
        command.add_argument("--runs", type=Path, default=TRAINING / "runs", help="working files")
    return parser


@dataclass(frozen=True, slots=True)
class _Folders:
    """Where a command reads and writes: decoded films, run states, and what comes of them."""

    runs: Path
    state: Path
    weights: Path
    reports: Path
    repository: Path

    @classmethod
    def of(cls, options: argparse.Namespace) -> _Folders:
        """A try stays among the working files: it must not replace the model that is served."""
        runs: Path = options.runs
        if options.epochs is None and options.limit is None:
            reports = TRAINING / "reports"
            repository = TRAINING.parent / "model_repository"
            return cls(runs, runs, TRAINING / "weights", reports, repository)
        base = runs / "try"
        return cls(runs, base, base / "weights", base / "reports", base / "model_repository")


def _recipe_path(named: str) -> Path:
    path = Path(named)
    return path if path.suffix == ".toml" else TRAINING / "recipes" / f"{named}.toml"


def _train(recipe: Recipe, folders: _Folders, limit: int | None) -> None:
    import keras  # noqa: PLC0415 - TensorFlow takes seconds to load; --help must not

    from hilum_training.learning.fit import Fit  # noqa: PLC0415 - likewise

    keras.utils.set_random_seed(recipe.seed)
    library = open_library(recipe, pack_folder(), folders.runs)
    run = folders.state / recipe.name
    log = Fit(recipe, library.train.first(limit), library.validation.first(limit), run).run()
    folders.weights.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run / "best.keras", weights_path(folders.weights, recipe.name))
    write_log(log, folders.reports / recipe.name / "epochs.csv")


def _evaluate(recipe: Recipe, folders: _Folders, _limit: int | None) -> None:
    from hilum_training.evaluation.evaluate import evaluate  # noqa: PLC0415 - loads TensorFlow

    library = open_library(recipe, pack_folder(), folders.runs)
    metrics = evaluate(recipe, library, folders.weights, folders.reports / recipe.name)
    for row in metrics["within_source"]:
        low, high = row["interval"]
        sys.stdout.write(f"{row['auroc']:.3f} ({low:.3f} to {high:.3f})  {row['question']}\n")


def _export(recipe: Recipe, folders: _Folders, _limit: int | None) -> None:
    from hilum_training.export.publish import publish  # noqa: PLC0415 - loads TensorFlow

    folder = publish(
        recipe,
        weights=folders.weights,
        report=folders.reports / recipe.name,
        repository=folders.repository,
    )
    sys.stdout.write(f"{folder}\n")


if __name__ == "__main__":
    sys.exit(main())
