"""A model catalogue in memory, and a small model to put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.errors import InvalidManifest
from hilum.domain.model import Artefact, Label, ModelManifest, ModelSet, OperatingPoint, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LABELS = ("normal", "pneumonia_bacterial", "pneumonia_viral", "covid19")


def small_model(
    name: str = "pneumonia", *, panel: str = "pneumonia", version: str = "1.0.0"
) -> ModelManifest:
    """A manifest with the pneumonia panel's labels, for films of 32 x 32."""
    return ModelManifest(
        name=name,
        version=version,
        serving_version=1,
        panel=panel,
        artefacts=(Artefact("1/model.onnx", "0" * 64, 1),),
        onnx="1/model.onnx",
        inputs=(TensorSpec("film", (32, 32, 1), "uint8", "film"),),
        outputs=(
            TensorSpec("probabilities", (len(LABELS),), "float32", "probabilities"),
            TensorSpec("heatmaps", (4, 4, len(LABELS)), "float32", "heatmaps"),
        ),
        preprocessing="square-area-v1",
        labels=tuple(
            Label(label, label.replace("_", " "), abnormal=label != "normal") for label in LABELS
        ),
        operating_points=tuple(OperatingPoint(label, 0.25) for label in LABELS),
    )


class InMemoryModelCatalogue:
    """Fake of :class:`hilum.application.ports.model_catalogue.ModelCatalogue`.

    Attributes:
        models: Assign others to change the set in force.
    """

    def __init__(
        self, models: Iterable[ModelManifest], cards: Mapping[str, str] | None = None
    ) -> None:
        self.models = tuple(models)
        self._cards = dict(cards or {})

    def current(self) -> ModelSet:
        if not self.models:
            raise InvalidManifest("the model repository holds no model")
        return ModelSet(tuple(sorted(self.models, key=lambda model: (model.panel, model.name))))

    def card(self, model: ModelManifest) -> str:
        return self._cards.get(model.name, "")
