"""From a recipe's weights and report to what is published."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.domain.model import Rank
from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.export.cards import card_of, later_fits_of
from hilum_training.export.graph import Scaling, ServedGraph, export_onnx
from hilum_training.export.manifest import Publication, coded_label, panel_of, training_data
from hilum_training.export.other_reports import with_other_reports
from hilum_training.export.publish import Published, TrainedNetwork, publish
from hilum_training.films.pack import PackMissing, pack_films, pack_folder, read_film, wanted
from hilum_training.population.inside import scope_of
from hilum_training.population.probe import load_probe, measures_of, probe_path
from hilum_training.weights import WeightsMissing, load_network, weights_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from hilum.domain.model import Label, Panel
    from hilum_training.panel_recipe import LabelRecipe, PanelRecipe
    from hilum_training.recipe import DataRecipe, FilmRecipe, Recipe

_PACK_FILMS: Final = 16


def export_recipe(
    recipe: Recipe,
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
        report: Folder of its ``metrics.json``, among the other reports.
        repository: The model repository.
        replace: See :func:`hilum_training.export.publish.publish`.

    Raises:
        WeightsMissing: No weights, or the report measured other weights.
    """
    network = load_network(weights, recipe)
    metrics = with_other_reports(read_report(report, weights_digest(network)), report.parent)
    graph = _served_graph(recipe, network, metrics, weights)
    size = recipe.film.size
    return publish(
        _publication(recipe, metrics),
        TrainedNetwork(graph, lambda path: export_onnx(graph, size, path), size),
        card_of(path, recipe.data, metrics, later_fits_of(recipe)),
        repository,
        films=parity_films(recipe.film, recipe.data),
        replace=replace,
    )


def _served_graph(
    recipe: Recipe, network: keras.Model, metrics: Mapping[str, Any], weights: Path
) -> ServedGraph:
    calibration = {}
    for panel in recipe.panels:
        fitted = metrics["panels"][panel.name]["calibration"]
        calibration[panel.name] = Scaling(
            panel.kind, tuple(fitted["scale"]), tuple(fitted["shift"])
        )
    probe = load_probe(probe_path(weights, recipe.name)) if measures_of(recipe) else None
    return ServedGraph(network, calibration, probe)


def _publication(recipe: Recipe, metrics: Mapping[str, Any]) -> Publication:
    return Publication(
        name=recipe.name,
        version=recipe.version,
        created=metrics["created"],
        preprocessing=recipe.film.preprocessing,
        panels=tuple(_panel(panel, metrics["panels"][panel.name]) for panel in recipe.panels),
        training_data=training_data(metrics["films_used"]),
        scope_measures=measures_of(recipe),
    )


def _panel(recipe: PanelRecipe, measured: Mapping[str, Any]) -> Panel:
    labels = coded_labels(recipe.labels)
    scope = scope_of(recipe.scope, measured.get("scope", {}))
    kind, caution = recipe.kind, recipe.caution
    return panel_of(recipe.name, recipe.display, kind, labels, measured, caution, scope)


def coded_labels(labels: Sequence[LabelRecipe]) -> list[Label]:
    """A recipe's labels as the manifest holds them."""
    return [_coded_label(label) for label in labels]


def _coded_label(recipe: LabelRecipe) -> Label:
    label = coded_label(
        recipe.name,
        recipe.display,
        recipe.code,
        recipe.meaning,
        abnormal=recipe.abnormal,
        rank=Rank(recipe.rank),
        prevalence=recipe.prevalence,
    )
    return dataclasses.replace(label, weak=label.weak or recipe.weak)


def read_report(report: Path, digest: str) -> dict[str, Any]:
    """The ``metrics.json`` of a report.

    Args:
        report: Its folder.
        digest: Of the weights that are to be published.

    Raises:
        WeightsMissing: There is none, or it measured other weights.
    """
    path = report / "metrics.json"
    if not path.is_file():
        raise WeightsMissing(f"no report in {path}: evaluate the recipe first")
    metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if metrics["weights"] != digest:
        raise WeightsMissing(f"{path} measured other weights: evaluate the recipe again")
    return metrics


def parity_films(film_recipe: FilmRecipe, data: DataRecipe) -> NDArray[np.uint8] | None:
    """Some real films, spread over the pack: uint8 [N, size, size, 1], or None without a pack."""
    try:
        pack = pack_folder()
    except PackMissing:
        return None
    films = [film for film in pack_films(pack) if wanted(film, data)]
    prepare, size = PREPROCESSING[film_recipe.preprocessing], film_recipe.size
    chosen = films[:: max(len(films) // _PACK_FILMS, 1)]
    return np.stack([prepare(read_film(pack / film.file), size, size) for film in chosen])
