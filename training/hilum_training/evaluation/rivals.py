"""``python -m hilum_training.evaluation.rivals``: would another network be better, or two together?

A rival (:mod:`hilum_training.rival`) answers the same test images, panel by panel, beside the
shipped network, and so does the mean of the two.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum_training.command_line import run_told
from hilum_training.evaluation.report_files import METRICS, NOTICE, write_json
from hilum_training.films.library import open_library
from hilum_training.films.pack import pack_folder
from hilum_training.recipe import read_recipe
from hilum_training.recipe_files import named_files
from hilum_training.rival import RIVALS, Rival, read_rival

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras

    from hilum_training.evaluation.rival_figures import Said
    from hilum_training.films.library import Library

TRAINING: Final = Path(__file__).resolve().parents[2]


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
    from hilum_training.learning.whole_training import train_network  # noqa: PLC0415 - likewise
    from hilum_training.weights import load_network, weights_digest  # noqa: PLC0415 - likewise

    base = read_recipe(TRAINING / "recipes" / f"{rival.base}.toml")
    shipped = load_network(weights, base)
    # The split is the base's, whatever the rival's seed.
    library = open_library(base, pack_folder(), runs)
    recipe = rival.recipe(base)
    keras.utils.set_random_seed(recipe.seed)
    folders = (runs / RIVALS, reports / RIVALS)
    network = train_network(recipe, library.train, library.validation, *folders)
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
    write_json(reports / RIVALS / rival.name / METRICS, metrics)
    return metrics


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
