"""Write ``model_repository/<name>``: graph, parity check, configuration, manifest, card."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.export.graph import ServedGraph, export_onnx
from hilum_training.export.manifest import ONNX, TRITON_MODEL, build_manifest
from hilum_training.export.model_card import render_card
from hilum_training.export.parity import check_parity
from hilum_training.export.triton_config import render_config
from hilum_training.films.pack import PackMissing, pack_folder, read_film, select_films
from hilum_training.weights import WeightsMissing, load_network, weights_digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest
    from hilum_training.recipe import Recipe

RECIPES: Final = Path(__file__).resolve().parents[2] / "recipes"
LARGEST_GRAPH: Final = 10_000_000
_PACK_FILMS: Final = 16


def publish(recipe: Recipe, *, weights: Path, report: Path, repository: Path) -> Path:
    """Export the trained network; the same weights and report give the same bytes.

    Everything is made and checked in a temporary folder first, so that a failed export leaves the
    model that is being served as it was.

    Args:
        recipe: What was trained.
        weights: Folder of the reference weights.
        report: Folder of its ``metrics.json``.
        repository: The model repository.

    Returns:
        The model's folder.

    Raises:
        WeightsMissing: No weights, or the report measured other weights.
        ParityLost: The graph is not the network.
    """
    network = load_network(weights, recipe.name)
    metrics = _read_metrics(report, weights_digest(network))
    graph = ServedGraph(network, metrics["temperature"])
    size = recipe.film.size
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / recipe.name
        export_onnx(graph, size, folder / ONNX)
        if (folder / ONNX).stat().st_size > LARGEST_GRAPH:
            raise ValueError(f"the graph is larger than {LARGEST_GRAPH} bytes")
        check_parity(graph, folder / ONNX, size, _pack_films(recipe))
        shutil.copyfile(Path(__file__).with_name("served_model.py"), folder / TRITON_MODEL)
        manifest = build_manifest(recipe, metrics, folder)
        _write_texts(folder, recipe, manifest, metrics)
        target = repository / recipe.name
        shutil.copytree(folder, target, dirs_exist_ok=True)
    return target


def _write_texts(
    folder: Path, recipe: Recipe, manifest: ModelManifest, metrics: dict[str, Any]
) -> None:
    card = (RECIPES / f"{recipe.name}.card.md").read_text(encoding="utf-8")
    for name, text in (
        ("labels.txt", "".join(f"{label.name}\n" for label in manifest.labels)),
        ("config.pbtxt", render_config(manifest)),
        ("MODEL_CARD.md", render_card(card, manifest, metrics)),
        ("manifest.json", manifest.to_json()),
    ):
        (folder / name).write_text(text, encoding="utf-8")


def _read_metrics(report: Path, digest: str) -> dict[str, Any]:
    path = report / "metrics.json"
    if not path.is_file():
        raise WeightsMissing(f"no report in {path}: evaluate the recipe first")
    metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if metrics["weights"] != digest:
        raise WeightsMissing(f"{path} measured other weights: evaluate the recipe again")
    return metrics


def _pack_films(recipe: Recipe) -> NDArray[np.uint8] | None:
    """Some real films, spread over the pack, where it is present."""
    try:
        pack = pack_folder()
    except PackMissing:
        return None
    films = select_films(pack, recipe.data)
    prepare, size = PREPROCESSING[recipe.film.preprocessing], recipe.film.size
    chosen = films[:: max(len(films) // _PACK_FILMS, 1)]
    return np.stack([prepare(read_film(pack / film.file), size, size) for film in chosen])
