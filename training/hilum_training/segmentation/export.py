"""From weights and report to ``model_repository/<name>``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.export.graph import export_onnx
from hilum_training.export.manifest import Publication, coded_label, panel_of, training_data
from hilum_training.export.publish import Card, Published, TrainedNetwork, publish
from hilum_training.films.pack import PackMissing, pack_films, pack_folder, read_film, wanted
from hilum_training.segmentation.graph import SegmentationGraph
from hilum_training.weights import WeightsMissing, load_network, weights_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hilum_training.segmentation.recipe import SegmentationRecipe

CARDS: Final = Path(__file__).resolve().parents[2] / "recipes"
_PACK_FILMS: Final = 16


def export_masks(
    recipe: SegmentationRecipe,
    *,
    weights: Path,
    report: Path,
    repository: Path,
    replace: bool = False,
) -> Published:
    """Export the network of a recipe; see :func:`hilum_training.export.publish.publish`.

    Args:
        recipe: What was trained.
        weights: Folder of the reference weights.
        report: Folder of its ``metrics.json``.
        repository: The model repository.
        replace: Take the place of the newest version instead of the next number.

    Raises:
        WeightsMissing: No weights, or the report measured other weights.
    """
    network = load_network(weights, recipe)
    metrics = _read_metrics(report, weights_digest(network))
    graph, size = SegmentationGraph(network), recipe.film.size
    template = (CARDS / f"{recipe.name}.card.md").read_text(encoding="utf-8")
    return publish(
        _publication(recipe, metrics),
        TrainedNetwork(graph, lambda path: export_onnx(graph, size, path), size),
        Card(template, metrics),
        repository,
        films=_pack_films(recipe),
        replace=replace,
    )


def _publication(recipe: SegmentationRecipe, metrics: Mapping[str, Any]) -> Publication:
    labels = [
        coded_label(
            label.name,
            label.display,
            label.code,
            label.meaning,
            weak=label.weak,
            abnormal=label.abnormal,
        )
        for label in recipe.labels
    ]
    measured = metrics["panels"][recipe.name]
    panel = panel_of(recipe.name, recipe.display, recipe.kind, labels, measured, recipe.caution)
    return Publication(
        name=recipe.name,
        version=recipe.version,
        created=metrics["created"],
        preprocessing=recipe.film.preprocessing,
        panels=(panel,),
        training_data=training_data(metrics["films_used"]),
    )


def _read_metrics(report: Path, digest: str) -> dict[str, Any]:
    path = report / "metrics.json"
    if not path.is_file():
        raise WeightsMissing(f"no report in {path}: evaluate the recipe first")
    metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if metrics["weights"] != digest:
        raise WeightsMissing(f"{path} measured other weights: evaluate the recipe again")
    return metrics


def _pack_films(recipe: SegmentationRecipe) -> NDArray[np.uint8] | None:
    """Some real films, spread over the pack, where it is present."""
    try:
        pack = pack_folder()
    except PackMissing:
        return None
    films = [film for film in pack_films(pack) if wanted(film, recipe.data)]
    prepare, size = PREPROCESSING[recipe.film.preprocessing], recipe.film.size
    chosen = films[:: max(len(films) // _PACK_FILMS, 1)]
    return np.stack([prepare(read_film(pack / film.file), size, size) for film in chosen])
