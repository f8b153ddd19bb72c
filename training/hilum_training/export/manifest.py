"""The manifest of an exported network, from plain data and the graph itself."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime

from hilum.domain.model import (
    Artefact,
    CodedConcept,
    Label,
    ModelManifest,
    OperatingPoint,
    Panel,
    PanelKind,
    Rank,
    Scope,
    TensorSpec,
)
from hilum.serving.target import ONNX_FILE, PYTHON_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MEANINGS: Final = ("probabilities", "heatmaps", "masks")
SCOPE: Final = "scope"
"""The meaning of the one output that belongs to no panel."""


class UnknownTensor(ValueError):
    """The graph has an input or output that no panel explains."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What is said of a network beside its graph.

    Attributes:
        name: Of the model, the folder in the repository.
        version: Semantic version of the weights.
        created: ISO 8601 date of training.
        preprocessing: Id in :data:`hilum.imaging.preprocessing.PREPROCESSING`.
        panels: In the order in which they are shown.
        training_data: Sources with licence and counts.
        scope_measures: Names along the output ``<name>_scope``; empty without one.
    """

    name: str
    version: str
    created: str
    preprocessing: str
    panels: tuple[Panel, ...]
    training_data: tuple[Mapping[str, Any], ...] = ()
    scope_measures: tuple[str, ...] = ()


def build_manifest(publication: Publication, folder: Path, serving_version: int) -> ModelManifest:
    """The manifest of a model whose artefacts lie in ``<folder>/<serving_version>``.

    Raises:
        UnknownTensor: The graph gives something that is no ``<panel>_<meaning>``.
        InvalidManifest: Graph and panels do not fit one another.
    """
    onnx = f"{serving_version}/{ONNX_FILE}"
    names = [panel.name for panel in publication.panels]
    inputs, outputs = read_tensors(folder / onnx, names)
    paths = (onnx, f"{serving_version}/{PYTHON_FILE}")
    return ModelManifest(
        name=publication.name,
        version=publication.version,
        serving_version=serving_version,
        artefacts=tuple(_artefact(folder, path) for path in paths),
        onnx=onnx,
        inputs=inputs,
        outputs=outputs,
        preprocessing=publication.preprocessing,
        panels=publication.panels,
        training_data=publication.training_data,
        created=publication.created,
        scope_measures=publication.scope_measures,
    )


def read_tensors(
    onnx: Path, panels: Sequence[str]
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs of a graph as it answers one black film.

    Shapes are taken from the answer: converters leave some axes open.

    Raises:
        UnknownTensor: An output is no ``<panel>_<meaning>`` of these panels, or the only input is
            no film of known size.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
    (film,) = session.get_inputs()
    shape = tuple(film.shape[1:])
    if film.type != "tensor(uint8)" or not all(isinstance(axis, int) for axis in shape):
        raise UnknownTensor(f"{film.name} is {film.type} {shape}, no film of known size")
    names = [output.name for output in session.get_outputs()]
    answers = session.run(names, {film.name: np.zeros((1, *shape), np.uint8)})
    outputs = [_output(name, value, panels) for name, value in zip(names, answers, strict=True)]
    return (TensorSpec(film.name, shape, "uint8", "film"),), tuple(outputs)


def panel_of(
    name: str,
    display: str,
    kind: str,
    labels: Sequence[Label],
    measured: Mapping[str, Any],
    caution: str = "",
    scope: Scope | None = None,
) -> Panel:
    """A panel from its recipe and its section of ``metrics.json``.

    Args:
        name: Of the panel.
        display: For people.
        kind: A value of :class:`hilum.domain.model.PanelKind`.
        labels: See :func:`coded_label`.
        measured: ``calibration`` (a mapping) and, unless the panel gives masks, ``labels``: for
            each label ``threshold``, ``fitted_on`` and ``worst_source``, None or a row with
            ``sensitivity`` and ``specificity``, from which predictive values follow. A label whose
            threshold is None has no operating point. All but the calibration becomes the panel's
            metrics.
        caution: Shown with the panel.
        scope: The population that the operating points are valid for.
    """
    found = {} if kind == PanelKind.STRUCTURES else measured["labels"]
    points = [
        OperatingPoint(
            label=label.name,
            threshold=row["threshold"],
            sensitivity=_at_worst(row, "sensitivity"),
            specificity=_at_worst(row, "specificity"),
            fitted_on=row.get("fitted_on", ""),
            child_threshold=row.get("child_threshold"),
        )
        for label in labels
        if (row := found.get(label.name)) and row["threshold"] is not None
    ]
    return Panel(
        name=name,
        display=display,
        kind=PanelKind(kind),
        labels=tuple(labels),
        operating_points=tuple(points),
        calibration=measured.get("calibration", {}),
        metrics={key: value for key, value in measured.items() if key != "calibration"},
        caution=caution,
        scope=scope or Scope(),
    )


def _at_worst(row: Mapping[str, Any], share: str) -> float | None:
    worst = row["worst_source"]
    return None if worst is None else worst[share]["value"]


def coded_label(
    name: str,
    display: str,
    code: str = "",
    meaning: str = "",
    *,
    abnormal: bool = True,
    rank: Rank = Rank.VALIDATED,
    prevalence: float | None = None,
) -> Label:
    """Build a label. Below the rank ``validated`` it is weak.

    Args:
        name: Of the label.
        display: For people.
        code: SNOMED CT concept, or empty.
        meaning: Of the code.
        abnormal: A positive verdict is a finding.
        rank: How far the evidence carries it.
        prevalence: For which predictive values are stated.
    """
    return Label(
        name=name,
        display=display,
        code=CodedConcept("SCT", code, meaning) if code else None,
        weak=rank is not Rank.VALIDATED,
        abnormal=abnormal,
        rank=rank,
        prevalence=prevalence,
    )


def training_data(films_used: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """One entry per source and licence, with counts by split and recorded label.

    Args:
        films_used: Rows with ``source``, ``licence``, ``label`` and a count for each split.
    """
    counts: dict[tuple[str, str], dict[str, dict[str, int]]] = defaultdict(dict)
    for row in films_used:
        by_split = {split: row[split] for split in ("train", "validation", "test")}
        counts[row["source"], row["licence"]][row["label"]] = by_split
    return tuple(
        {"source": source, "licence": licence, "films": labels}
        for (source, licence), labels in sorted(counts.items())
    )


def _output(name: str, value: Any, panels: Sequence[str]) -> TensorSpec:
    if name.endswith(f"_{SCOPE}") and name.removesuffix(f"_{SCOPE}") not in panels:
        return TensorSpec(name, value.shape[1:], value.dtype.name, SCOPE)
    for panel in panels:
        for meaning in MEANINGS:
            if name == f"{panel}_{meaning}":
                return TensorSpec(name, value.shape[1:], value.dtype.name, meaning, panel)
    raise UnknownTensor(f"the output {name} belongs to none of {', '.join(panels)}")


def _artefact(folder: Path, path: str) -> Artefact:
    content = (folder / path).read_bytes()
    return Artefact(path, hashlib.sha256(content).hexdigest(), len(content))
