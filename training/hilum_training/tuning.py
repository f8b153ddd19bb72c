"""``python -m hilum_training tune``: a small search over a recipe's optimisation, with KerasTuner.

Random search (Bergstra and Bengio, JMLR 2012) over learning rate, dropout, weight decay and the
balance of sampling. Runs are short and on few films: what wins is a candidate for a full run, no
more, and the recipe's own values run beside the trials so that a gain can be seen at all.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum_training.baselines.recipes import read_baseline
from hilum_training.command_line import count
from hilum_training.films.library import open_library
from hilum_training.films.pack import pack_folder
from hilum_training.recipe import Recipe, read_recipe
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.recipe_files import find_recipe, tell_panel
from hilum_training.segmentation.recipe import is_segmentation

if TYPE_CHECKING:
    import argparse

    import keras_tuner

    from hilum_training.films.library import Library

TRAINING: Final = Path(__file__).resolve().parents[1]
OBJECTIVE: Final = "validation_loss"
_INTRODUCTION: Final = """# Hyperparameter searches

Each table is one search (KerasTuner, random search, seed fixed) over learning rate, dropout, weight
decay and the exponent of the sampling balance, sorted by the validation loss; the recipe's own
values ran beside the trials. The runs are short and on few films: they favour what learns fast. A
value goes into a recipe when a run of full length confirms it.

`make tune PANEL=chest TRIALS=8 EPOCHS=2 LIMIT=600` writes a table.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``tune``."""
    command = subparsers.add_parser("tune", help="search a recipe's learning rate and the like")
    command.add_argument(
        "recipe",
        help="a recipe or a panel in training/recipes, or one in training/recipes/baselines",
    )
    command.add_argument("--trials", type=count, default=8, help="settings drawn (default 8)")
    command.add_argument("--epochs", type=count, default=2, help="of each run (default 2)")
    command.add_argument("--limit", type=count, default=600, help="films per split (default 600)")
    command.add_argument("--size", type=count, help="pixels a side, instead of the recipe's")
    command.add_argument("--runs", type=Path, default=TRAINING / "runs", help="working files")
    command.add_argument("--recipes", type=Path, default=TRAINING / "recipes")
    command.add_argument("--reports", type=Path, default=TRAINING / "reports")


def run(options: argparse.Namespace) -> None:
    """Search and write ``tuning/<recipe>.json`` and ``tuning/README.md``.

    Raises:
        InvalidRecipe: It is of masks or of a gate, which are not searched.
        RecipeMissing: No recipe and no panel of this name.
        PackMissing: There are no films.
    """
    recipe = _recipe(options.recipes, options.recipe).with_epochs(options.epochs)
    if options.size:
        recipe = replace(recipe, film=replace(recipe.film, size=options.size))
    # Trials see images at one size, whatever the shipped fit saves.
    recipe = replace(recipe, fit=replace(recipe.fit, side=0))
    library = open_library(recipe, pack_folder(), options.runs)
    result = search(recipe, library, options.trials, options.limit, options.runs / "tuning")
    folder = options.reports / "tuning"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recipe.name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    write_readme(folder)
    best = result["trials"][0]
    sys.stdout.write(f"{path}: {best['values']} {OBJECTIVE} {best[OBJECTIVE]:.4f}\n")


def search(
    recipe: Recipe, library: Library, trials: int, limit: int | None, folder: Path
) -> dict[str, Any]:
    """Run the recipe's own setting and so many drawn ones.

    An interrupted search goes on: runs and draws are kept in a folder named by their setting.

    Args:
        recipe: With the epochs of one run.
        library: Its films.
        trials: Settings to draw.
        limit: Training and validation films of a run.
        folder: Working files.

    Returns:
        The setting of the search and its ``trials``, lowest validation loss first.
    """
    import keras_tuner  # noqa: PLC0415 - TensorFlow takes seconds to load

    key = hashlib.sha256(f"{recipe.training}\0{limit}".encode()).hexdigest()[:16]
    base = folder / f"{recipe.name}-{key}"
    rows = [{"who": "recipe", **_run(recipe, library, limit, base / "recipe")}]

    class RecipeSearch(keras_tuner.RandomSearch):  # type: ignore[misc,unused-ignore]
        """Trials are runs of the recipe with the drawn values."""

        def run_trial(self, trial: Any, *_args: Any, **_options: Any) -> dict[str, float]:
            changed = with_values(recipe, drawn(trial.hyperparameters, recipe))
            row = _run(changed, library, limit, base / f"trial-{trial.trial_id}")
            rows.append({"who": f"trial {trial.trial_id}", **row})
            return {OBJECTIVE: row[OBJECTIVE]}

    space = keras_tuner.HyperParameters()
    drawn(space, recipe)
    tuner = RecipeSearch(
        objective=keras_tuner.Objective(OBJECTIVE, "min"),
        max_trials=trials,
        seed=recipe.seed,
        hyperparameters=space,
        tune_new_entries=False,
        max_consecutive_failed_trials=1,
        directory=str(base),
        project_name="search",
        overwrite=True,
    )
    tuner.search(verbose=0)
    return {
        "recipe": recipe.name,
        "seed": recipe.seed,
        "size": recipe.film.size,
        "epochs": recipe.fit.epochs,
        "films": limit,
        "method": "random search",
        "trials": sorted(rows, key=lambda row: float(row[OBJECTIVE])),
    }


def drawn(parameters: keras_tuner.HyperParameters, recipe: Recipe) -> dict[str, float]:
    """One setting, and with it the space: around the recipe's own values."""
    rate, decay = recipe.fit.learning_rate, recipe.fit.weight_decay
    return {
        "learning_rate": parameters.Float(
            "learning_rate", rate / 8, rate * 8, sampling="log", default=rate
        ),
        "dropout": parameters.Choice("dropout", [0.0, 0.15, 0.3, 0.45], default=0.3),
        "weight_decay": parameters.Float(
            "weight_decay", decay / 10, decay * 10, sampling="log", default=decay
        ),
        "balance": parameters.Choice("balance", [0.0, 0.25, 0.5, 0.75, 1.0], default=0.5),
    }


def with_values(recipe: Recipe, values: dict[str, float]) -> Recipe:
    """The recipe with a setting."""
    return replace(
        recipe,
        fit=replace(
            recipe.fit,
            learning_rate=values["learning_rate"],
            weight_decay=values["weight_decay"],
            balance=values["balance"],
        ),
        network=replace(recipe.network, dropout=values["dropout"]),
    )


def write_readme(folder: Path) -> None:
    """``README.md`` of every search whose result lies in the folder."""
    parts = [_INTRODUCTION]
    for path in sorted(folder.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        parts.append(
            f"## {result['recipe']}\n\n{result['films']} films, {result['epochs']} epochs, "
            f"{result['size']} pixels a side, seed {result['seed']}.\n"
        )
        parts.append("\n".join(_table(result["trials"])) + "\n")
    (folder / "README.md").write_text("\n".join(parts), encoding="utf-8")


def _table(trials: list[dict[str, Any]]) -> list[str]:
    values, figures = list(trials[0]["values"]), list(trials[0]["figures"])
    head = ["run", *values, "validation loss", *figures]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    for row in trials:
        cells = [row["who"], *(f"{row['values'][name]:.3g}" for name in values)]
        cells += [f"{row[OBJECTIVE]:.4f}", *(f"{row['figures'][name]:.3f}" for name in figures)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _run(recipe: Recipe, library: Library, limit: int | None, folder: Path) -> dict[str, Any]:
    """One short run: its setting, and the figures of its best epoch."""
    import keras  # noqa: PLC0415 - TensorFlow takes seconds to load

    from hilum_training.learning.fit import Fit  # noqa: PLC0415 - likewise

    keras.utils.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    train, validation = library.train.first(limit), library.validation.first(limit)
    log = Fit(recipe, train, validation, folder).run()
    best = min(log, key=lambda row: row[OBJECTIVE])
    return {
        "values": {
            "learning_rate": recipe.fit.learning_rate,
            "dropout": recipe.network.dropout,
            "weight_decay": recipe.fit.weight_decay,
            "balance": recipe.fit.balance,
        },
        OBJECTIVE: round(best[OBJECTIVE], 6),
        "figures": {
            name: round(value, 4)
            for name, value in best.items()
            if name.endswith(("_auroc", "_accuracy"))
        },
    }


def _recipe(folder: Path, name: str) -> Recipe:
    baseline = folder / "baselines" / f"{name}.toml"
    if baseline.is_file():
        return read_baseline(baseline, read_recipe(folder / "chest.toml")).recipe
    path = find_recipe(folder, name)
    tell_panel(name, path)
    if is_segmentation(path):
        raise InvalidRecipe(f"{path.stem}: panels are searched, not masks")
    recipe = read_recipe(path)
    if any(panel.kind == "gate" for panel in recipe.panels):
        raise InvalidRecipe(f"{path.stem}: a gate's pictures are not in the pack")
    return recipe
