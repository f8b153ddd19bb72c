"""Choose operating points again without another pass over the images.

``evaluate`` takes an hour, since it also asks changed and copied images. What a recipe's operating
points give needs the logits alone, and scopes need the features. Both are kept beside the decoded
images, so that trying another value takes seconds. Nothing here writes a report.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.evaluation.answers import Answers
from hilum_training.evaluation.headline import headline
from hilum_training.evaluation.headline_tables import headline_lines
from hilum_training.evaluation.measure import child_thresholds_of, choose_points, thresholds_of
from hilum_training.evaluation.verdicts import PanelPoints
from hilum_training.population.inside import Population, scope_of
from hilum_training.population.limits import Measured, choose_limits, panel_scope
from hilum_training.population.probe import load_probe, measures_of
from hilum_training.weights import load_network, weights_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.evaluation.worst_source import LabelPoint
    from hilum_training.films.library import Library
    from hilum_training.recipe import Recipe

SPLITS: Final = ("validation", "test")
_FEATURES: Final = "features"


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """A network's answers to validation and test images.

    Attributes:
        logits: float64 [N, K] by split and panel.
        features: float32 [N, C] by split, pooled.
    """

    logits: Mapping[str, Mapping[str, NDArray[np.float64]]]
    features: Mapping[str, NDArray[np.float32]]


def kept_answers(recipe: Recipe, library: Library, weights: Path, runs: Path) -> KeptAnswers:
    """Return the answers of a recipe's weights, predicted at most once.

    Args:
        recipe: What was trained.
        library: Its images.
        weights: Folder of the weights.
        runs: Where the answers are kept. The file's name says of which weights and images they are.

    Raises:
        WeightsMissing: The recipe was not trained.
    """
    path = runs / f"answers-{_digest(recipe, library, weights)}.npz"
    if not path.is_file():
        _predict(recipe, library, weights, path)
    with np.load(path) as stored:
        return KeptAnswers(
            {
                split: {panel.name: stored[f"{split}.{panel.name}"] for panel in recipe.panels}
                for split in SPLITS
            },
            {split: stored[f"{split}.{_FEATURES}"] for split in SPLITS},
        )


def points_lines(
    recipe: Recipe, library: Library, kept: KeptAnswers, probe: Path | None = None
) -> list[str]:
    """Return each label's operating point, or why it has none, and the headline that they give.

    Args:
        recipe: With the rules.
        library: Its images.
        kept: From :func:`kept_answers`.
        probe: What measures the population, as the last evaluation left it. Without it every image
            lies inside every scope.
    """
    chosen, points, chances = [], [], {}
    for panel in recipe.panels:
        validation, test = (
            Answers.of(panel, getattr(library, split), kept.logits[split][panel.name])
            for split in SPLITS
        )
        calibration = validation.calibration()
        found = choose_points(validation, calibration)
        chosen += [_line(panel.name, label, point) for label, point in found.items()]
        thresholds = thresholds_of(found), child_thresholds_of(found)
        points.append(PanelPoints.of_recipe(panel, *thresholds))
        chances[panel.name] = calibration.probabilities(test.logits)
    known = _population(recipe, library, kept, probe)
    said = headline(
        library.test.films,
        library.test.clusters,
        points,
        chances,
        inside=known.inside if known else None,
        children=known.children if known else None,
    )
    return [*chosen, *headline_lines(said)]


def _population(
    recipe: Recipe, library: Library, kept: KeptAnswers, path: Path | None
) -> Population | None:
    if path is None or not path.is_file() or not measures_of(recipe):
        return None
    probe = load_probe(path)
    validation, test = (kept.features[split] for split in SPLITS)
    limits = choose_limits(probe, Measured(library.validation, validation))
    scopes = {
        panel.name: scope_of(panel.scope, panel_scope(panel, limits)) for panel in recipe.panels
    }
    return Population.of(scopes, probe.measures(test))


def _line(panel: str, label: str, point: LabelPoint) -> str:
    if point.threshold is None:
        return f"{panel}/{label}: no operating point: {point.no_point}"
    own = "" if point.child_threshold is None else f", {point.child_threshold:.4f} for children,"
    return f"{panel}/{label}: {point.threshold:.4f}{own} by {point.rule}"


def _digest(recipe: Recipe, library: Library, weights: Path) -> str:
    path = weights_path(weights, recipe.name)
    digest = hashlib.sha256(path.read_bytes() if path.is_file() else b"")
    for part in (library.validation, library.test):
        digest.update("\0".join(film.file for film in part.films).encode())
    return digest.hexdigest()[:16]


def _predict(recipe: Recipe, library: Library, weights: Path, path: Path) -> None:
    from hilum_training.prediction import predict_pooled  # noqa: PLC0415 - loads TensorFlow

    network = load_network(weights, recipe)
    found: dict[str, Any] = {}
    for split in SPLITS:
        found[f"{split}.{_FEATURES}"], logits = predict_pooled(
            network, getattr(library, split).inputs
        )
        found |= {f"{split}.{panel}": values for panel, values in logits.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.partial.npz")
    np.savez(partial, **found)
    partial.replace(path)
