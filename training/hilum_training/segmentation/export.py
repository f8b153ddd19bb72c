"""From weights and report to ``model_repository/<name>``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilum_training.export.cards import card_of
from hilum_training.export.export_recipe import coded_labels, parity_films, read_report
from hilum_training.export.graph import export_onnx
from hilum_training.export.manifest import Publication, panel_of, training_data
from hilum_training.export.other_reports import with_other_reports
from hilum_training.export.publish import Published, TrainedNetwork, publish
from hilum_training.segmentation.graph import SegmentationGraph
from hilum_training.segmentation.network import load_unet
from hilum_training.weights import weights_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hilum_training.segmentation.recipe import SegmentationRecipe


def export_masks(
    recipe: SegmentationRecipe,
    path: Path,
    *,
    weights: Path,
    report: Path,
    repository: Path,
    replace: bool = False,
) -> Published:
    """Export the network of a recipe; see :func:`hilum_training.export.publish.publish`.

    Args:
        recipe: What was trained.
        path: Of its file; the card's template lies beside it.
        weights: Folder of the reference weights.
        report: Folder of its ``metrics.json``.
        repository: The model repository.
        replace: See :func:`hilum_training.export.publish.publish`.

    Raises:
        WeightsMissing: No weights, or the report measured other weights.
    """
    network = load_unet(weights, recipe)
    metrics = with_other_reports(read_report(report, weights_digest(network)), report.parent)
    graph, size = SegmentationGraph(network), recipe.film.size
    return publish(
        _publication(recipe, metrics),
        TrainedNetwork(graph, lambda path: export_onnx(graph, size, path), size),
        card_of(path, recipe.data, metrics),
        repository,
        films=parity_films(recipe.film, recipe.data),
        replace=replace,
    )


def _publication(recipe: SegmentationRecipe, metrics: Mapping[str, Any]) -> Publication:
    labels = coded_labels(recipe.labels)
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
