"""The manifest of an exported model, from its recipe and its report."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.model import (
    Artefact,
    CodedConcept,
    Label,
    ModelManifest,
    OperatingPoint,
    TensorSpec,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hilum_training.recipe import LabelRecipe, Recipe

SERVING_VERSION: Final = 1
ONNX: Final = f"{SERVING_VERSION}/model.onnx"
TRITON_MODEL: Final = f"{SERVING_VERSION}/model.py"


def build_manifest(recipe: Recipe, metrics: Mapping[str, Any], folder: Path) -> ModelManifest:
    """The manifest of a model whose artefacts lie in a folder.

    Args:
        recipe: What was trained.
        metrics: Its report.
        folder: ``model_repository/<name>`` with the artefacts in place.
    """
    size, count = recipe.film.size, len(recipe.data.labels)
    grid = size // 2 ** (len(recipe.network.widths) + 1)
    return ModelManifest(
        name=recipe.name,
        version=recipe.version,
        serving_version=SERVING_VERSION,
        panel=recipe.name,
        artefacts=tuple(_artefact(folder, path) for path in (ONNX, TRITON_MODEL)),
        onnx=ONNX,
        inputs=(TensorSpec("film", (size, size, 1), "uint8", "film"),),
        outputs=(
            TensorSpec("probabilities", (count,), "float32", "probabilities"),
            TensorSpec("heatmaps", (grid, grid, count), "float32", "heatmaps"),
        ),
        preprocessing=recipe.film.preprocessing,
        labels=tuple(_label(label) for label in recipe.labels),
        operating_points=tuple(
            OperatingPoint(
                label=name,
                threshold=row["threshold"],
                sensitivity=row["validation"]["sensitivity"],
                specificity=row["validation"]["specificity"],
                fitted_on="validation films of all sources, one label against the others",
            )
            for name, row in metrics["labels"].items()
        ),
        calibration={
            "method": "temperature",
            "temperature": metrics["temperature"],
            "applied_in_graph": True,
            "fitted_on": "validation films",
        },
        training_data=_training_data(metrics["films_used"]),
        metrics={
            "split": "test films of the project's own split; patients not seen in training",
            "intervals": "95 %, bootstrap over patient groups",
            **{
                key: metrics[key]
                for key in (
                    "within_source",
                    "accuracy",
                    "labels",
                    "per_source",
                    "expected_calibration_error",
                )
            },
        },
        created=metrics["created"],
    )


def _artefact(folder: Path, path: str) -> Artefact:
    content = (folder / path).read_bytes()
    return Artefact(path, hashlib.sha256(content).hexdigest(), len(content))


def _label(label: LabelRecipe) -> Label:
    return Label(
        name=label.name,
        display=label.display,
        code=CodedConcept("SCT", label.code, label.meaning),
        weak=label.weak,
        abnormal=label.abnormal,
    )


def _training_data(films_used: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """One entry per source and licence, with counts by split and recorded label."""
    counts: dict[tuple[str, str], dict[str, dict[str, int]]] = defaultdict(dict)
    for row in films_used:
        by_split = {split: row[split] for split in ("train", "validation", "test")}
        counts[row["source"], row["licence"]][row["label"]] = by_split
    return tuple(
        {"source": source, "licence": licence, "films": labels}
        for (source, licence), labels in sorted(counts.items())
    )
