"""A whole model repository whose networks are real, small, and judge a film by its greys.

Gate, panels and lungs have the names, labels and shapes of the shipped ones, so that processes can
be tested without them, and what is said of a film can be told beforehand: the gate goes by the mean
grey, a panel by the brightness of horizontal bands (the first label's above), and structures lie
where they always lie.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hilum.domain.model import (
    Artefact,
    Label,
    ModelManifest,
    OperatingPoint,
    Panel,
    PanelKind,
    TensorSpec,
)
from hilum.serving.repository import write_ensemble
from hilum.serving.target import Target
from hilum.serving.triton_config import render_config
from tests.fakes.inference import PALE, STRUCTURES, WHITE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIDE = 224
GRID = 7
GATE_LABELS = ("frontal", "lateral", "not_chest", "inverted", "rotated")
PANELS = {
    "pneumonia": ("normal", "pneumonia_bacterial", "pneumonia_viral", "covid19"),
    "infection": ("normal", "infected"),
    "tuberculosis": ("normal", "tuberculosis", "other_abnormal"),
    "pathology": tuple(f"finding_{number:02}" for number in range(1, 15)),
}
SERVED_MODEL = (
    Path(__file__).resolve().parents[1]
    / "training"
    / "hilum_training"
    / "export"
    / "served_model.py"
)
"""What Triton's Python backend runs; it needs Triton to be imported."""


def write_grey_repository(
    folder: Path, adapt: Callable[[Panel], Panel] = lambda panel: panel
) -> Path:
    """Write gate, chest and lungs with their ensemble; gives the folder.

    Args:
        folder: Is made.
        adapt: Changes a panel of the chest model before it is written, e.g. its scope.
    """
    chest = [
        adapt(
            _panel(
                name,
                PanelKind.MULTI_LABEL if name == "pathology" else PanelKind.SINGLE_LABEL,
                labels,
                0.6 if name == "pathology" else 1 / len(labels),
            )
        )
        for name, labels in PANELS.items()
    ]
    networks = {
        "gate": [_panel("gate", PanelKind.GATE, GATE_LABELS, 0.5)],
        "chest": chest,
        "lungs": [_panel("lungs", PanelKind.STRUCTURES, tuple(STRUCTURES), 0)],
    }
    manifests = [_publish(folder, name, panels) for name, panels in networks.items()]
    write_ensemble(manifests, folder / "hilum")
    return folder


def _panel(name: str, kind: PanelKind, labels: Sequence[str], threshold: float) -> Panel:
    reads = kind in {PanelKind.SINGLE_LABEL, PanelKind.MULTI_LABEL}
    return Panel(
        name=name,
        display=name.capitalize(),
        kind=kind,
        labels=tuple(
            Label(
                label,
                label.replace("_", " "),
                weak=reads and label.startswith("pneumonia_"),
                abnormal=reads and label != "normal",
            )
            for label in labels
        ),
        operating_points=()
        if kind is PanelKind.STRUCTURES
        else tuple(OperatingPoint(label, threshold) for label in labels),
        caution="Made of greys." if name == "pathology" else "",
    )


def _publish(repository: Path, name: str, panels: Sequence[Panel]) -> ModelManifest:
    home = repository / name
    (home / "1").mkdir(parents=True)
    (home / "1" / "model.onnx").write_bytes(_graph(panels))
    shutil.copyfile(SERVED_MODEL, home / "1" / "model.py")
    manifest = ModelManifest(
        name=name,
        version="1.0.0",
        serving_version=1,
        artefacts=tuple(_artefact(home, path) for path in ("1/model.onnx", "1/model.py")),
        onnx="1/model.onnx",
        inputs=(TensorSpec("film", (SIDE, SIDE, 1), "uint8", "film"),),
        outputs=tuple(spec for panel in panels for spec in _specs(panel)),
        preprocessing="square-area-v1",
        panels=tuple(panels),
    )
    (home / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    (home / "MODEL_CARD.md").write_text(f"# {name}\n\nResearch use only.\n", encoding="utf-8")
    (home / "config.pbtxt").write_text(render_config(manifest, Target.CPU), encoding="utf-8")
    (home / "labels.txt").write_text("none\n", encoding="utf-8")
    return manifest


def _artefact(home: Path, path: str) -> Artefact:
    content = (home / path).read_bytes()
    return Artefact(path, hashlib.sha256(content).hexdigest(), len(content))


def _specs(panel: Panel) -> list[TensorSpec]:
    count = len(panel.labels)
    if panel.kind is PanelKind.STRUCTURES:
        shape = (SIDE, SIDE, count)
        return [TensorSpec(f"{panel.name}_masks", shape, "uint8", "masks", panel.name)]
    name = f"{panel.name}_probabilities"
    outputs = [TensorSpec(name, (count,), "float32", "probabilities", panel.name)]
    if panel.kind is not PanelKind.GATE:
        shape = (GRID, GRID, count)
        outputs.append(
            TensorSpec(f"{panel.name}_heatmaps", shape, "float32", "heatmaps", panel.name)
        )
    return outputs


class _Graph:
    """Nodes and constants on their way into a graph."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def __call__(self, kind: str, *inputs: str | np.ndarray, out: str = "", **how: Any) -> str:
        """Add a node; an array among its inputs becomes a constant. Gives its output's name."""
        names = [item if isinstance(item, str) else self._constant(item) for item in inputs]
        out = out or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [out], **how))
        return out

    def _constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name


def _graph(panels: Sequence[Panel]) -> bytes:
    graph = _Graph()
    grey = graph("Cast", "film", to=TensorProto.FLOAT)
    share = graph("Div", grey, np.float32([255]))
    for panel in panels:
        _HEADS[panel.kind](graph, share, panel)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "grey",
            [helper.make_tensor_value_info("film", TensorProto.UINT8, ["N", SIDE, SIDE, 1])],
            [
                helper.make_tensor_value_info(
                    spec.name,
                    TensorProto.UINT8 if spec.dtype == "uint8" else TensorProto.FLOAT,
                    ["N", *spec.shape],
                )
                for panel in panels
                for spec in _specs(panel)
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _gate(graph: _Graph, share: str, panel: Panel) -> None:
    mean = graph("ReduceMean", share, axes=[1, 2, 3], keepdims=0)
    column = graph("Unsqueeze", mean, np.int64([1]))
    above = {
        limit: graph("Cast", graph("Greater", column, np.float32([limit])), to=TensorProto.FLOAT)
        for limit in (PALE, WHITE)
    }
    seen = {
        "frontal": graph("Sub", np.float32([1]), above[PALE]),
        "inverted": graph("Sub", above[PALE], above[WHITE]),
        "not_chest": above[WHITE],
    }
    never = graph("Mul", column, np.float32([0]))
    logits = graph("Concat", *(seen.get(label.name, never) for label in panel.labels), axis=1)
    sure = graph("Mul", logits, np.float32([6]))
    graph("Softmax", sure, out="gate_probabilities", axis=1)


def _bands(graph: _Graph, share: str, panel: Panel) -> None:
    count = len(panel.labels)
    rows = graph("ReduceMean", share, axes=[2, 3], keepdims=0)
    bands = np.zeros((SIDE, count), np.float32)
    for index, band in enumerate(np.array_split(np.arange(SIDE), count)):
        bands[band, index] = 1 / len(band)
    bright = graph("MatMul", rows, bands)
    logits = graph("Mul", graph("Sub", bright, np.float32([0.5])), np.float32([4]))
    kind, how = ("Sigmoid", {})
    if panel.kind is PanelKind.SINGLE_LABEL:
        kind, how = ("Softmax", {"axis": 1})
    name = f"{panel.name}_probabilities"
    graph(kind, logits, out=name, **how)
    planes = graph("Transpose", share, perm=[0, 3, 1, 2])
    cells = graph(
        "AveragePool", planes, kernel_shape=[SIDE // GRID] * 2, strides=[SIDE // GRID] * 2
    )
    coarse = graph("Transpose", cells, perm=[0, 2, 3, 1])
    wide = graph("Unsqueeze", name, np.int64([1, 2]))
    graph("Mul", coarse, wide, out=f"{panel.name}_heatmaps")


def _masks(graph: _Graph, share: str, panel: Panel) -> None:
    masks = np.zeros((1, SIDE, SIDE, len(panel.labels)), np.float32)
    for index, label in enumerate(panel.labels):
        top, bottom, left, right = (round(edge * SIDE) for edge in STRUCTURES[label.name])
        masks[:, top:bottom, left:right, index] = 255
    nothing = graph("Mul", share, np.float32([0]))
    graph("Cast", graph("Add", nothing, masks), out=f"{panel.name}_masks", to=TensorProto.UINT8)


_HEADS = {
    PanelKind.GATE: _gate,
    PanelKind.SINGLE_LABEL: _bands,
    PanelKind.MULTI_LABEL: _bands,
    PanelKind.STRUCTURES: _masks,
}
