"""Run the trained network over validation and test films and write its report."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hilum_training.evaluation.figures import draw_figures
from hilum_training.evaluation.measure import Predictions, measure
from hilum_training.prediction import predict_logits
from hilum_training.weights import load_network, weights_digest

if TYPE_CHECKING:
    from pathlib import Path

    from hilum_training.films.library import FilmSet, Library
    from hilum_training.recipe import Recipe


def evaluate(recipe: Recipe, library: Library, weights: Path, report: Path) -> dict[str, Any]:
    """Measure the trained network.

    Args:
        recipe: What was trained.
        library: Its films.
        weights: Folder of the reference weights.
        report: Folder for ``metrics.json`` and the figures.

    Returns:
        What was written to ``metrics.json``.
    """
    network = load_network(weights, recipe.name)

    def predict(films: FilmSet) -> Predictions:
        return Predictions.of(films, predict_logits(network, films.inputs))

    validation, test = predict(library.validation), predict(library.test)
    figures = measure(recipe, validation, test, predict(library.probes))
    path = report / "metrics.json"
    digest = weights_digest(network)
    metrics = {
        "model": recipe.name,
        "version": recipe.version,
        "created": _created(path, digest),
        "weights": digest,
        **figures,
        "films_used": count_films(library),
    }
    report.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    draw_figures(recipe, test, metrics, report)
    return metrics


def count_films(library: Library) -> list[dict[str, Any]]:
    """Films and patient groups by source, licence and label, in each split."""
    splits = {
        "train": library.train,
        "validation": library.validation,
        "test": library.test,
    }
    counts = {
        name: Counter((film.source, film.licence, film.label) for film in part.films)
        for name, part in splits.items()
    }
    kinds = sorted(set().union(*counts.values()))
    return [
        {
            "source": source,
            "licence": licence,
            "label": label,
            **{name: counts[name][source, licence, label] for name in splits},
        }
        for source, licence, label in kinds
    ]


def _created(path: Path, digest: str) -> str:
    """The date on which these weights were first measured, so that a rerun changes nothing."""
    if path.is_file():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        if earlier.get("weights") == digest:
            return str(earlier["created"])
    return datetime.now(UTC).date().isoformat()
