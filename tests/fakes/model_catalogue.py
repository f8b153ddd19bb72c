"""A model catalogue in memory, and small models to put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.errors import InvalidManifest
from hilum.domain.model import (
    Artefact,
    Label,
    ModelManifest,
    ModelSet,
    OperatingPoint,
    Panel,
    PanelKind,
    TensorSpec,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hilum.domain.model import Ensemble

LABELS = ("normal", "pneumonia_bacterial", "pneumonia_viral", "covid19")
PATHOLOGIES = ("effusion", "cardiomegaly", "nodule")
GATE_LABELS = ("frontal", "lateral", "not_chest", "inverted", "rotated")
STRUCTURE_LABELS = ("right_lung", "left_lung", "lungs_with_heart", "heart")
SIDE = 32
"""Rows and columns of the models' input and masks."""


def small_panel(
    name: str = "pneumonia",
    labels: Sequence[str] = LABELS,
    *,
    kind: PanelKind = PanelKind.SINGLE_LABEL,
    threshold: float = 0.25,
    caution: str = "",
) -> Panel:
    """A panel; ``normal`` and what a gate or a mask names are not abnormal."""
    normal = {"normal", *GATE_LABELS, *STRUCTURE_LABELS}
    return Panel(
        name=name,
        display=name.capitalize(),
        kind=kind,
        labels=tuple(
            Label(label, label.replace("_", " "), abnormal=label not in normal) for label in labels
        ),
        operating_points=()
        if kind is PanelKind.STRUCTURES
        else tuple(OperatingPoint(label, threshold) for label in labels),
        caution=caution,
    )


def model_of(name: str, *panels: Panel, version: str = "1.0.0") -> ModelManifest:
    """A manifest of these panels, for films of 32 x 32: heatmaps but of the gate, and masks."""
    outputs = [spec for panel in panels for spec in _outputs(panel)]
    return ModelManifest(
        name=name,
        version=version,
        serving_version=1,
        artefacts=(Artefact("1/model.onnx", "0" * 64, 1),),
        onnx="1/model.onnx",
        inputs=(TensorSpec("film", (SIDE, SIDE, 1), "uint8", "film"),),
        outputs=tuple(outputs),
        preprocessing="square-area-v1",
        panels=panels,
    )


def small_model(
    name: str = "pneumonia", *, panel: str = "pneumonia", version: str = "1.0.0"
) -> ModelManifest:
    """A model of one panel with the pneumonia panel's labels."""
    return model_of(name, small_panel(panel), version=version)


def small_chest() -> ModelManifest:
    """A model of two panels: one label of several, and several labels at once."""
    return model_of(
        "chest",
        small_panel(),
        small_panel(
            "pathology",
            PATHOLOGIES,
            kind=PanelKind.MULTI_LABEL,
            threshold=0.3,
            caution="Trained on labels that were mined from reports.",
        ),
    )


def small_gate() -> ModelManifest:
    """A model that is the gate."""
    return model_of("gate", small_panel("gate", GATE_LABELS, kind=PanelKind.GATE, threshold=0.5))


def small_lungs() -> ModelManifest:
    """A model that outlines lungs and heart."""
    return model_of("lungs", small_panel("lungs", STRUCTURE_LABELS, kind=PanelKind.STRUCTURES))


def whole_set() -> list[ModelManifest]:
    """The gate, two panels and the lungs, as the shipped repository has them."""
    return [small_gate(), small_chest(), small_lungs()]


def _outputs(panel: Panel) -> list[TensorSpec]:
    count = len(panel.labels)
    if panel.kind is PanelKind.STRUCTURES:
        shape = (SIDE, SIDE, count)
        return [TensorSpec(f"{panel.name}_masks", shape, "uint8", "masks", panel.name)]
    outputs = [
        TensorSpec(f"{panel.name}_probabilities", (count,), "float32", "probabilities", panel.name)
    ]
    if panel.kind is not PanelKind.GATE:
        name = f"{panel.name}_heatmaps"
        outputs.append(TensorSpec(name, (4, 4, count), "float32", "heatmaps", panel.name))
    return outputs


class InMemoryModelCatalogue:
    """Fake of :class:`hilum.application.ports.model_catalogue.ModelCatalogue`.

    Attributes:
        models: Assign others to change the set in force.
        older: Versions that lie beside these.
        cards: By the name of the model.
        ensemble: What serves them together.
    """

    def __init__(
        self, models: Iterable[ModelManifest], cards: Mapping[str, str] | None = None
    ) -> None:
        self.models = tuple(models)
        self.older: tuple[ModelManifest, ...] = ()
        self.ensemble: Ensemble | None = None
        self.cards = dict(cards or {})

    def current(self) -> ModelSet:
        if not self.models:
            raise InvalidManifest("the model repository holds no model")
        return ModelSet(tuple(sorted(self.models, key=_in_order)), self.ensemble)

    def of_site(self, site: str) -> ModelSet:  # noqa: ARG002 - the port's
        return self.current()

    def installed(self) -> Sequence[ModelManifest]:
        every = [*self.older, *self.current().models]
        return sorted(every, key=lambda model: (model.name, model.serving_version))

    def card(self, model: ModelManifest) -> str:
        return self.cards.get(model.name, "")


def _in_order(model: ModelManifest) -> tuple[int, str, str]:
    """The gate first, structures last; by panel in between."""
    first = model.panels[0]
    ranks = {PanelKind.GATE: 0, PanelKind.STRUCTURES: 2}
    return ranks.get(first.kind, 1), first.name, model.name
