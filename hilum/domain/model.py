"""A served model, as its manifest describes it.

``model_repository/<model>/manifest.json`` is written by training and read by the gateway (which
shows it) and by the worker (which obeys it). This module is that file's schema.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.errors import InvalidManifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of the graph.

    Attributes:
        name: Tensor name.
        shape: Axes after the batch axis, e.g. ``(192, 192, 1)``.
        dtype: numpy name, e.g. ``uint8``.
        meaning: What it holds; outputs use ``probabilities`` [K] and ``heatmaps`` [h, w, K].
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    meaning: str


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


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """Everything that serving and showing a model needs.

    Attributes:
        name: Model name, the folder in the repository and the name that Triton serves.
        version: Semantic version of the trained weights.
        serving_version: The numbered folder that Triton serves; requests are pinned to it.
        panel: The reading it gives, e.g. ``pneumonia``.
        artefacts: Files with their digests; ``onnx`` is the path of the graph among them.
        onnx: Path of the ONNX graph, relative to the model's folder.
        inputs: Exactly one film tensor today.
        outputs: ``probabilities`` and ``heatmaps``.
        preprocessing: Id in :data:`hilum.imaging.preprocessing.PREPROCESSING`.
        labels: In the order of the output axis K.
        operating_points: One per label.
        calibration: Method and parameters, and whether the graph already applies them.
        training_data: Sources with licence and counts.
        metrics: Measured metrics with intervals and the split they were measured on.
        created: ISO 8601 date of training.
    """

    name: str
    version: str
    serving_version: int
    panel: str
    artefacts: tuple[Artefact, ...]
    onnx: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    preprocessing: str
    labels: tuple[Label, ...]
    operating_points: tuple[OperatingPoint, ...]
    calibration: Mapping[str, Any] = field(default_factory=dict)
    training_data: Sequence[Mapping[str, Any]] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""

    def __post_init__(self) -> None:
        """Check what serving relies on.

        Raises:
            InvalidManifest: The parts of the manifest do not fit one another.
        """
        names = [label.name for label in self.labels]
        if len(set(names)) != len(names):
            raise InvalidManifest(f"{self.name}: a label stands twice")
        if sorted(point.label for point in self.operating_points) != sorted(names):
            raise InvalidManifest(f"{self.name}: operating points and labels differ")
        if not all(0.0 <= point.threshold <= 1.0 for point in self.operating_points):
            raise InvalidManifest(f"{self.name}: an operating point lies outside [0, 1]")
        if len(self.inputs) != 1:
            raise InvalidManifest(f"{self.name}: {len(self.inputs)} inputs, one film is read")
        if self.onnx not in {artefact.path for artefact in self.artefacts}:
            raise InvalidManifest(f"{self.name}: the graph {self.onnx} is not among the artefacts")
        probabilities = self.output("probabilities")
        if probabilities.shape != (len(names),):
            raise InvalidManifest(f"{self.name}: {len(names)} labels, but {probabilities.shape}")
        heatmaps = self.output("heatmaps")
        if heatmaps.shape[2:] != (len(names),):
            raise InvalidManifest(f"{self.name}: {len(names)} labels, but {heatmaps.shape}")

    @property
    def film_input(self) -> TensorSpec:
        """The tensor that takes the film, uint8 [H, W, 1]."""
        return self.inputs[0]

    def output(self, meaning: str) -> TensorSpec:
        """The output with this meaning.

        Raises:
            InvalidManifest: There is none.
        """
        for spec in self.outputs:
            if spec.meaning == meaning:
                return spec
        raise InvalidManifest(f"{self.name}: no output means {meaning}")

    def operating_point(self, label: str) -> OperatingPoint:
        """The operating point of a label.

        Raises:
            InvalidManifest: The model has no such label.
        """
        for point in self.operating_points:
            if point.label == label:
                return point
        raise InvalidManifest(f"{self.name}: no operating point for {label}")

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
                    "labels": tuple(_label(item) for item in document["labels"]),
                    "operating_points": tuple(
                        OperatingPoint(**item) for item in document["operating_points"]
                    ),
                    "training_data": tuple(document.get("training_data", ())),
                }
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidManifest(f"the manifest cannot be read: {error!r}") from error


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models that read a film together; results are keyed by its version.

    Attributes:
        models: In the order in which panels are shown.
    """

    models: tuple[ModelManifest, ...]

    @property
    def version(self) -> str:
        """Changes when, and only when, any artefact, model or operating point of it changes."""
        digest = hashlib.sha256()
        for model in sorted(self.models, key=lambda model: model.name):
            digest.update(f"{model.name}\0{model.version}\0{model.preprocessing}\0".encode())
            for artefact in sorted(model.artefacts, key=lambda artefact: artefact.path):
                digest.update(f"{artefact.path}\0{artefact.sha256}\0".encode())
            for point in model.operating_points:
                digest.update(f"{point.label}\0{point.threshold!r}\0".encode())
        return f"ms-{digest.hexdigest()[:12]}"

    def panel(self, name: str) -> ModelManifest | None:
        """The model of a panel, or None."""
        return next((model for model in self.models if model.panel == name), None)


def _tensor(item: dict[str, Any]) -> TensorSpec:
    return TensorSpec(**{**item, "shape": tuple(item["shape"])})


def _label(item: dict[str, Any]) -> Label:
    code = item.get("code")
    return Label(**{**item, "code": CodedConcept(**code) if code else None})
