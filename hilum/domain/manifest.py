"""A model's manifest: the schema of ``model_repository/<model>/manifest.json``.

Training writes the file; the gateway shows it and the worker obeys it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.errors import InvalidManifest
from hilum.domain.panel import CodedConcept, Label, OperatingPoint, Panel, PanelKind, Rank
from hilum.domain.scope import Scope, ScopeLimit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA_VERSION: Final = 3
_READABLE: Final = frozenset({2, SCHEMA_VERSION})
"""Version 3 adds ranks, prevalences, scopes, and labels without an operating point."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of the graph.

    Attributes:
        name: Tensor name.
        shape: Axes after the batch axis, e.g. ``(192, 192, 1)``.
        dtype: numpy name, e.g. ``uint8``.
        meaning: What it holds: ``film``; ``probabilities`` [K]; ``heatmaps`` [h, w, K], in logit
            units; ``masks`` [H, W, K], uint8, 255 times the probability that the pixel belongs to
            the structure; ``scope`` [S], what the pixels say of the population.
        panel: The panel whose output it is; empty for the input.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    meaning: str
    panel: str = ""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file of the model: path relative to the model's folder, sha256 in hex, size in bytes."""

    path: str
    sha256: str
    size_bytes: int


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
        scope_measures: Names along the axis S of the output ``scope``; empty without one.
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
    scope_measures: tuple[str, ...] = ()

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
        self._check_scope()

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

    def _check_scope(self) -> None:
        shapes = [spec.shape for spec in self.outputs if spec.meaning == "scope"]
        if shapes != ([(len(self.scope_measures),)] if self.scope_measures else []):
            raise InvalidManifest(f"{self.name}: the output scope and its measures differ")
        for panel in self.panels:
            for limit in panel.scope.limits:
                if limit.measure not in self.scope_measures:
                    raise InvalidManifest(f"{panel.name}: nothing measures {limit.measure}")

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
            if schema_version not in _READABLE:
                raise InvalidManifest(f"manifest schema {schema_version} is not {SCHEMA_VERSION}")
            return cls(
                **{
                    **document,
                    "artefacts": tuple(Artefact(**item) for item in document["artefacts"]),
                    "inputs": tuple(_tensor(item) for item in document["inputs"]),
                    "outputs": tuple(_tensor(item) for item in document["outputs"]),
                    "panels": tuple(_panel(item) for item in document["panels"]),
                    "training_data": tuple(document.get("training_data", ())),
                    "scope_measures": tuple(document.get("scope_measures", ())),
                }
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidManifest(f"the manifest cannot be read: {error!r}") from error


def _panel(item: dict[str, Any]) -> Panel:
    return Panel(
        **{
            **item,
            "kind": PanelKind(item["kind"]),
            "labels": tuple(_label(label) for label in item["labels"]),
            "operating_points": tuple(
                # Whether a point holds beyond the scope is the site's own decision.
                OperatingPoint(**{**point, "beyond_scope": ()})
                for point in item.get("operating_points", ())
            ),
            "scope": _scope(item.get("scope", {})),
        }
    )


def _scope(item: dict[str, Any]) -> Scope:
    texts = {name: tuple(item.get(name, ())) for name in ("views", "sources", "never_shown")}
    limits = tuple(ScopeLimit(**limit) for limit in item.get("limits", ()))
    return Scope(**{**item, **texts, "limits": limits})


def _tensor(item: dict[str, Any]) -> TensorSpec:
    return TensorSpec(**{**item, "shape": tuple(item["shape"])})


def _label(item: dict[str, Any]) -> Label:
    code = item.get("code")
    rank = Rank(item.get("rank", Rank.VALIDATED))
    return Label(**{**item, "code": CodedConcept(**code) if code else None, "rank": rank})
