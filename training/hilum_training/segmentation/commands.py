"""Train, evaluate and export a segmentation recipe: what the command line calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilum_training.films.pack import pack_folder
from hilum_training.learning.log import write_log
from hilum_training.segmentation.library import open_masks
from hilum_training.weights import save_weights, weights_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hilum_training.export.publish import Published
    from hilum_training.segmentation.recipe import SegmentationRecipe


def train(
    recipe: SegmentationRecipe,
    *,
    cache: Path,
    state: Path,
    weights: Path,
    reports: Path,
    limit: int | None = None,
) -> None:
    """Fit the network; goes on where an interrupted run stopped.

    Args:
        recipe: What to train.
        cache: Folder for decoded films.
        state: Folder for the states of runs.
        weights: Folder for the weights.
        reports: Folder for reports; the log goes to ``<reports>/<recipe>/epochs.csv``.
        limit: Films per split to train with; None takes all.
    """
    import keras  # noqa: PLC0415 - TensorFlow takes seconds to load; --help must not

    from hilum_training.segmentation.fit import SegmentationFit  # noqa: PLC0415 - likewise

    keras.utils.set_random_seed(recipe.seed)
    library = open_masks(recipe, pack_folder(), cache)
    run = state / recipe.name
    fit = SegmentationFit(recipe, library.train.first(limit), library.validation.first(limit), run)
    log = fit.run()
    save_weights(fit.result(), weights_path(weights, recipe.name))
    write_log(log, reports / recipe.name / "epochs.csv")


def evaluate(
    recipe: SegmentationRecipe, *, cache: Path, weights: Path, reports: Path
) -> dict[str, Any]:
    """Measure the network on the test films and write ``<reports>/<recipe>/``.

    Raises:
        WeightsMissing: The recipe was not trained.
    """
    from hilum_training.segmentation.evaluate import evaluate_masks  # noqa: PLC0415 - TensorFlow

    pack = pack_folder()
    library = open_masks(recipe, pack, cache)
    return evaluate_masks(recipe, library, pack, weights, reports / recipe.name)


def headlines(metrics: Mapping[str, Any]) -> list[str]:
    """Lines for people: Dice by structure and source."""
    rows = [row for panel in metrics["panels"].values() for row in panel["structures"]]
    lines = []
    for row in rows:
        value, interval = row["dice"]["value"], row["dice"]["interval"]
        span = "" if interval is None else f" ({interval[0]:.3f} to {interval[1]:.3f})"
        name = f"{row['structure']}, {row['source']}, {row['annotator']}, {row['films']} films"
        lines.append(f"Dice {value:.3f}{span}  {name}")
    return lines


def export(
    recipe: SegmentationRecipe,
    path: Path,
    *,
    weights: Path,
    reports: Path,
    repository: Path,
    replace: bool = False,
) -> Published:
    """Write ``<repository>/<recipe>``: graph, parity check, configuration, manifest, card.

    Raises:
        WeightsMissing: No weights, or the report measured other weights.
    """
    from hilum_training.segmentation.export import export_masks  # noqa: PLC0415 - TensorFlow

    return export_masks(
        recipe,
        path,
        weights=weights,
        report=reports / recipe.name,
        repository=repository,
        replace=replace,
    )
