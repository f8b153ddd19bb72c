"""``python -m hilum_training.evaluation.mask_shares``: would more films with masks help?

The shipped recipe on a part of its training films, in as many steps as all of them take, measured
on the same test films as the shipped network. Where Dice is the same with a quarter of them, more
films are not what is missing.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum_training.command_line import run_told
from hilum_training.evaluation.report_files import NOTICE, write_json
from hilum_training.films.pack import pack_folder
from hilum_training.learning.log import write_log
from hilum_training.segmentation.library import open_masks
from hilum_training.segmentation.measure import summarise
from hilum_training.segmentation.recipe import read_segmentation_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum_training.segmentation.library import MaskLibrary
    from hilum_training.segmentation.recipe import SegmentationRecipe

TRAINING: Final = Path(__file__).resolve().parents[2]
RECIPE: Final = "lungs"
SHARES: Final = "shares"
_FIGURES: Final = ("source", "annotator", "structure", "films", "patients", "dice")


def share_recipe(recipe: SegmentationRecipe, share: float) -> SegmentationRecipe:
    """The recipe for a part of its films: more epochs, so that the steps are as many.

    Args:
        recipe: Of all films.
        share: In 0..1, above 0.
    """
    plan = recipe.fit
    changed = replace(
        plan,
        epochs=round(plan.epochs / share),
        # The shipped run warmed up for as many steps.
        warmup_epochs=round(plan.warmup_epochs / share),
    )
    return replace(recipe, fit=changed)


def run_share(
    recipe: SegmentationRecipe,
    library: MaskLibrary,
    share: float,
    *,
    pack: Path,
    state: Path,
    report: Path,
) -> dict[str, Any]:
    """Train on a part of the films, taken evenly, and measure on all test films.

    An interrupted run goes on where it stopped.

    Args:
        recipe: Of all films.
        library: Its films.
        share: Of the training films.
        pack: Folder of the film pack, for masks in full size.
        state: Folder of the run's state.
        report: Folder for ``epochs.csv`` and ``metrics.json``.

    Returns:
        What was written to ``metrics.json``.
    """
    import keras  # noqa: PLC0415 - TensorFlow takes seconds to load; --help must not

    from hilum_training.segmentation.evaluate import compare_films  # noqa: PLC0415 - likewise
    from hilum_training.segmentation.fit import SegmentationFit  # noqa: PLC0415 - likewise
    from hilum_training.segmentation.predict import graph_masks  # noqa: PLC0415 - likewise

    keras.utils.set_random_seed(recipe.seed)
    part = library.train.first(round(len(library.train.outlines) * share))
    changed = share_recipe(recipe, share)
    fit = SegmentationFit(changed, part, library.validation, state)
    write_log(fit.run(), report / "epochs.csv")
    masks = graph_masks(fit.result(), library.test.films.inputs)
    agreements, _ = compare_films(library.test, masks, pack)
    metrics = {
        "share_of_training_films": share,
        "training_films": len(part.outlines),
        "epochs": changed.fit.epochs,
        "structures": [{key: row[key] for key in _FIGURES} for row in summarise(agreements)],
        "notice": NOTICE,
    }
    write_json(report / "metrics.json", metrics)
    return metrics


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the shares that are named, or a quarter and a half; returns the exit code."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    parser = argparse.ArgumentParser(prog="python -m hilum_training.evaluation.mask_shares")
    parser.add_argument("share", nargs="*", type=_share, default=[0.25, 0.5], help="in 0..1")
    parser.add_argument("--runs", type=Path, default=TRAINING / "runs", help="working files")
    options = parser.parse_args(arguments)
    return run_told(lambda: _run_all(options.share, options.runs))


def _run_all(shares: Sequence[float], runs: Path) -> None:
    recipe = read_segmentation_recipe(TRAINING / "recipes" / f"{RECIPE}.toml")
    pack = pack_folder()
    library = open_masks(recipe, pack, runs)
    for share in shares:
        name = f"{share * 100:g}-percent"
        metrics = run_share(
            recipe,
            library,
            share,
            pack=pack,
            state=runs / RECIPE / SHARES / name,
            report=TRAINING / "reports" / RECIPE / SHARES / name,
        )
        sys.stdout.write(f"{name}: {metrics['training_films']} films\n")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is no part of the films: 0.25, 0.5")
    return value


if __name__ == "__main__":
    sys.exit(main())
