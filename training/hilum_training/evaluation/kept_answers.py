"""Choose operating points again without another pass over the images.

``evaluate`` takes an hour, since it also asks changed and copied images. What a recipe's operating
points give needs the logits alone. They are kept beside the decoded images, so that trying another
value takes seconds. Nothing here writes a report.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.evaluation.answers import Answers
from hilum_training.evaluation.headline import headline
from hilum_training.evaluation.headline_tables import headline_lines
from hilum_training.evaluation.measure import child_thresholds_of, choose_points, thresholds_of
from hilum_training.evaluation.verdicts import PanelPoints
from hilum_training.weights import load_network, weights_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.evaluation.worst_source import LabelPoint
    from hilum_training.films.library import Library
    from hilum_training.recipe import Recipe

    Logits = Mapping[str, NDArray[np.float64]]

SPLITS: Final = ("validation", "test")


def kept_logits(
    recipe: Recipe, library: Library, weights: Path, runs: Path
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return the logits of validation and test images by split and panel, predicted at most once.

    Args:
        recipe: What was trained.
        library: Its images.
        weights: Folder of the weights.
        runs: Where the logits are kept. The file's name says of which weights and images they are.

    Raises:
        WeightsMissing: The recipe was not trained.
    """
    path = runs / f"logits-{_digest(recipe, library, weights)}.npz"
    if not path.is_file():
        _predict(recipe, library, weights, path)
    with np.load(path) as stored:
        return {
            split: {panel.name: stored[f"{split}.{panel.name}"] for panel in recipe.panels}
            for split in SPLITS
        }


def points_lines(recipe: Recipe, library: Library, logits: Mapping[str, Logits]) -> list[str]:
    """Return each label's operating point, or why it has none, and the headline that they give.

    Args:
        recipe: With the rules.
        library: Its images.
        logits: From :func:`kept_logits`.
    """
    chosen, points, chances = [], [], {}
    for panel in recipe.panels:
        validation, test = (
            Answers.of(panel, getattr(library, split), logits[split][panel.name])
            for split in SPLITS
        )
        calibration = validation.calibration()
        found = choose_points(validation, calibration)
        chosen += [_line(panel.name, label, point) for label, point in found.items()]
        thresholds = thresholds_of(found), child_thresholds_of(found)
        points.append(PanelPoints.of_recipe(panel, *thresholds))
        chances[panel.name] = calibration.probabilities(test.logits)
    said = headline(library.test.films, library.test.clusters, points, chances)
    return [*chosen, *headline_lines(said)]


def _line(panel: str, label: str, point: LabelPoint) -> str:
    if point.threshold is None:
        return f"{panel}/{label}: no operating point: {point.no_point}"
    return f"{panel}/{label}: {point.threshold:.4f} by {point.rule}"


def _digest(recipe: Recipe, library: Library, weights: Path) -> str:
    path = weights_path(weights, recipe.name)
    digest = hashlib.sha256(path.read_bytes() if path.is_file() else b"")
    for part in (library.validation, library.test):
        digest.update("\0".join(film.file for film in part.films).encode())
    return digest.hexdigest()[:16]


def _predict(recipe: Recipe, library: Library, weights: Path, path: Path) -> None:
    from hilum_training.prediction import predict_logits  # noqa: PLC0415 - loads TensorFlow

    network = load_network(weights, recipe)
    found: dict[str, Any] = {}
    for split in SPLITS:
        logits = predict_logits(network, getattr(library, split).inputs)
        found |= {f"{split}.{panel}": values for panel, values in logits.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.partial.npz")
    np.savez(partial, **found)
    partial.replace(path)
