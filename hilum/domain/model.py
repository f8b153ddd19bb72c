"""A served model, as its manifest describes it.

``model_repository/<model>/manifest.json`` is written by training and read by the gateway (which
shows it) and by the worker (which obeys it). This module is that file's schema.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.errors import InvalidManifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA_VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of the graph.

    Attributes:
        name: Tensor name.
        shape: Axes after the batch axis, e.g. ``(192, 192, 1)``.
        dtype: numpy name, e.g. ``uint8``.
        meaning: What it holds: ``film``; ``probabilities`` [K]; ``heatmaps`` [h, w, K], in logit
            units; ``masks`` [H, W, K], uint8, 255 times the probability that the pixel belongs to
            the structure.
        panel: The panel whose output it is; empty for the input.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    meaning: str
    panel: str = ""


@dataclass(frozen=True, slots=True)
class CodedConcept:
    """A code from a terminology (DICOM PS3.16 section 8): scheme, value and meaning."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Label:
    """One output class.

    Attributes:
        name: Stable identifier, e.g. ``pneumonia_bacterial``.
        display: For people, e.g. ``Bacterial pneumonia``.
        code: SNOMED CT or RadLex concept, where one fits.
        weak: The evidence does not carry this label; surfaces say so.
        abnormal: A positive reading is a finding (``normal`` is not).
    """

    name: str
    display: str
    code: CodedConcept | None = None
    weak: bool = False
    abnormal: bool = True


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The probability at and above which a label is read as positive.

    Attributes:
        label: Label name.
        threshold: In [0, 1], compared to the calibrated probability.
        sensitivity: Measured on the split named in ``fitted_on``.
        specificity: Likewise.
        fitted_on: Which films chose it.
    """

    label: str
    threshold: float
    sensitivity: float | None = None
    specificity: float | None = None
    fitted_on: str = ""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file of the model: path relative to the model's folder, sha256 in hex, size in bytes."""

    path: str
    sha256: str
    size_bytes: int


class PanelKind(StrEnum):
    """How a panel's outputs are read.

    ``single_label``: K probabilities that sum to 1. ``multi_label``: K probabilities, each of its
    own. ``gate``: like ``single_label``, the film is read further only if the label ``frontal`` is
    positive. ``structures``: K masks.
    """

    SINGLE_LABEL = "single_label"
    MULTI_LABEL = "multi_label"
    GATE = "gate"
    STRUCTURES = "structures"


FRONTAL: Final = "frontal"
"""The label of the gate that lets a film through."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One reading that a model gives.

    Attributes:
        name: Stable identifier, e.g. ``pneumonia``.
        display: For people, e.g. ``Pneumonia``.
        kind: How its outputs are read.
        labels: In the order of the output axis K.
        operating_points: One per label; none for structures.
        calibration: Method and parameters, and whether the graph already applies them.
        metrics: Measured metrics with intervals and the split they were measured on.
        caution: One sentence that every surface shows with the panel, or empty.
    """

    name: str
    display: str
    kind: PanelKind
    labels: tuple[Label, ...]
    operating_points: tuple[OperatingPoint, ...] = ()
    calibration: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    caution: str = ""

    def __post_init__(self) -> None:
        """Check what reading relies on.

        Raises:
            InvalidManifest: Labels and operating points do not fit one another.
        """
        names = [label.name for label in self.labels]
        if not names or len(set(names)) != len(names):
            raise InvalidManifest(f"{self.name}: no label, or a label stands twice")
        wanted = [] if self.kind is PanelKind.STRUCTURES else sorted(names)
        if sorted(point.label for point in self.operating_points) != wanted:
            raise InvalidManifest(f"{self.name}: operating points and labels differ")
        if not all(0.0 <= point.threshold <= 1.0 for point in self.operating_points):
            raise InvalidManifest(f"{self.name}: an operating point lies outside [0, 1]")
        if self.kind is PanelKind.GATE and FRONTAL not in names:
            raise InvalidManifest(f"{self.name}: a gate needs the label {FRONTAL}")

    def operating_point(self, label: str) -> OperatingPoint:
        """The operating point of a label.

        Raises:
            InvalidManifest: The panel has no such label.
        """
        for point in self.operating_points:
            if point.label == label:
                return point
        raise InvalidManifest(f"{self.name}: no operating point for {label}")


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """Everything that serving and showing a model needs: one network, one or more panels.

    Attributes:
        name: Model name, the folder in the repository and the name that Triton serves.
        version: Semantic version of the trained weights.
        serving_version: The numbered folder that Triton serves; requests are pinned to it.
        artefacts: Files with their digests; ``onnx`` is the path of the graph among them.
        onnx: Path of the ONNX graph, relative to the model's folder.
        inputs: Exactly one film tensor today.
        outputs: Of each panel ``probabilities``, or ``masks`` for structures; ``heatmaps`` where
            the panel has any. Names are unique.
        preprocessing: Id in :data:`hilum.imaging.preprocessing.PREPROCESSING`.
        panels: In the order in which they are shown.
        training_data: Sources with licence and counts.
        created: ISO 8601 date of training.
    """

    name: str
    version: str
    serving_version: int
    artefacts: tuple[Artefact, ...]
    onnx: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    preprocessing: str
    panels: tuple[Panel, ...]
    training_data: Sequence[Mapping[str, Any]] = ()
    created: str = ""

    def __post_init__(self) -> None:
        """Check what serving relies on.

        Raises:
            InvalidManifest: The parts of the manifest do not fit one another.
        """
        names = [panel.name for panel in self.panels]
        if not names or len(set(names)) != len(names):
            raise InvalidManifest(f"{self.name}: no panel, or a panel stands twice")
        if len(self.inputs) != 1:
            raise InvalidManifest(f"{self.name}: {len(self.inputs)} inputs, one film is read")
        if len({output.name for output in self.outputs}) != len(self.outputs):
            raise InvalidManifest(f"{self.name}: two outputs share a name")
        if self.onnx not in {artefact.path for artefact in self.artefacts}:
            raise InvalidManifest(f"{self.name}: the graph {self.onnx} is not among the artefacts")
        for panel in self.panels:
            self._check_outputs(panel)

    def _check_outputs(self, panel: Panel) -> None:
        count = len(panel.labels)
        if panel.kind is PanelKind.STRUCTURES:
            masks = self.output("masks", panel.name)
            if masks.dtype != "uint8":
                raise InvalidManifest(f"{self.name}: masks are uint8, not {masks.dtype}")
            shapes = [masks.shape[2:]]
        else:
            shapes = [self.output("probabilities", panel.name).shape]
        if self.has_output("heatmaps", panel.name):
            shapes.append(self.output("heatmaps", panel.name).shape[2:])
        for shape in shapes:
            if shape != (count,):
                raise InvalidManifest(f"{self.name}: {panel.name} has {count} labels, not {shape}")

    @property
    def film_input(self) -> TensorSpec:
        """The tensor that takes the film, uint8 [H, W, 1]."""
        return self.inputs[0]

    def has_output(self, meaning: str, panel: str) -> bool:
        """Whether the panel has an output with this meaning."""
        return any((spec.meaning, spec.panel) == (meaning, panel) for spec in self.outputs)

    def output(self, meaning: str, panel: str) -> TensorSpec:
        """The output of a panel with this meaning.

        Raises:
            InvalidManifest: There is none.
        """
        for spec in self.outputs:
            if (spec.meaning, spec.panel) == (meaning, panel):
                return spec
        raise InvalidManifest(f"{self.name}: no output gives the {meaning} of {panel}")

    def panel(self, name: str) -> Panel | None:
        """The panel of this name, or None."""
        return next((panel for panel in self.panels if panel.name == name), None)

    def to_json(self) -> str:
        """The manifest as stable, diffable JSON (keys in declaration order, newline at the end)."""
        document = {"schema_version": SCHEMA_VERSION, **asdict(self)}
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelManifest:
        """Read a manifest.

        Raises:
            InvalidManifest: Not JSON, another schema version, or a missing or unknown field.
        """
        try:
            document = json.loads(text)
            schema_version = document.pop("schema_version")
            if schema_version != SCHEMA_VERSION:
                raise InvalidManifest(f"manifest schema {schema_version} is not {SCHEMA_VERSION}")
            return cls(
                **{
                    **document,
                    "artefacts": tuple(Artefact(**item) for item in document["artefacts"]),
                    "inputs": tuple(_tensor(item) for item in document["inputs"]),
                    "outputs": tuple(_tensor(item) for item in document["outputs"]),
                    "panels": tuple(_panel(item) for item in document["panels"]),
                    "training_data": tuple(document.get("training_data", ())),
                }
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidManifest(f"the manifest cannot be read: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A model of the inference server that runs several of the repository's models at once.

    Attributes:
        name: The name that the inference server serves it under.
        models: Serving version of each model that it runs, by the model's name.
        version: Its own serving version, another one for other models; requests are pinned to it.
    """

    name: str
    models: Mapping[str, int]
    version: int = 1


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models that read a film together; results are keyed by its version.

    Attributes:
        models: In the order in which panels are shown.
        ensemble: What runs models of the repository in one request, where there is such a thing.
    """

    models: tuple[ModelManifest, ...]
    ensemble: Ensemble | None = None

    @property
    def version(self) -> str:
        """Changes when, and only when, any artefact, model or operating point of it changes."""
        digest = hashlib.sha256()
        for model in sorted(self.models, key=lambda model: model.name):
            digest.update(f"{model.name}\0{model.version}\0{model.preprocessing}\0".encode())
            for artefact in sorted(model.artefacts, key=lambda artefact: artefact.path):
                digest.update(f"{artefact.path}\0{artefact.sha256}\0".encode())
            for panel in model.panels:
                for point in panel.operating_points:
                    digest.update(f"{panel.name}\0{point.label}\0{point.threshold!r}\0".encode())
        return f"ms-{digest.hexdigest()[:12]}"

    @property
    def together(self) -> Ensemble | None:
        """The ensemble, if it runs exactly the models of this set, and in the same versions.

        They must also take one and the same tensor, and no two may give an output of one name.
        """
        pinned = {model.name: model.serving_version for model in self.models}
        if self.ensemble is None or dict(self.ensemble.models) != pinned:
            return None
        inputs = {(model.preprocessing, model.film_input) for model in self.models}
        names = [output.name for model in self.models for output in model.outputs]
        return self.ensemble if len(inputs) == 1 and len(set(names)) == len(names) else None

    def panel(self, name: str) -> tuple[ModelManifest, Panel] | None:
        """The panel of this name with the model that gives it, or None."""
        for model in self.models:
            panel = model.panel(name)
            if panel is not None:
                return model, panel
        return None

    @property
    def gate(self) -> tuple[ModelManifest, Panel] | None:
        """The gate with its model, or None where the set has none."""
        for model in self.models:
            for panel in model.panels:
                if panel.kind is PanelKind.GATE:
                    return model, panel
        return None


def _panel(item: dict[str, Any]) -> Panel:
    return Panel(
        **{
            **item,
            "kind": PanelKind(item["kind"]),
            "labels": tuple(_label(label) for label in item["labels"]),
            "operating_points": tuple(
                OperatingPoint(**point) for point in item.get("operating_points", ())
            ),
        }
    )


def _tensor(item: dict[str, Any]) -> TensorSpec:
    return TensorSpec(**{**item, "shape": tuple(item["shape"])})


def _label(item: dict[str, Any]) -> Label:
    code = item.get("code")
    return Label(**{**item, "code": CodedConcept(**code) if code else None})
