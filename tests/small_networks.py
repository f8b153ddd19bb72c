"""Small networks with the inputs and outputs of the real ones, as ONNX graphs made by the test.

Their weights are random from a seed: what they say of a film means nothing, but it depends on the
film, and each runtime has to say the same.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hilum.domain.model import PanelKind
from hilum.serving.installed import read_model
from hilum_training.export.cards import Card
from hilum_training.export.manifest import Publication, coded_label, panel_of
from hilum_training.export.parity import onnx_runtime
from hilum_training.export.publish import TrainedNetwork, publish

if TYPE_CHECKING:
    from pathlib import Path

    from hilum.domain.model import ModelManifest, Panel

SIZE = 32
CHANNELS = 8
PANELS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "gate": {"gate": ("gate", ("frontal", "lateral", "not_chest"))},
    "chest": {
        "tuberculosis": ("single_label", ("normal", "tuberculosis")),
        "pathology": ("multi_label", ("effusion", "mass", "nodule")),
    },
    "lungs": {"lungs": ("structures", ("right_lung", "left_lung"))},
}
CARD = "# $name $version\n\n$size pixels, $data\n"


@dataclass(frozen=True, slots=True)
class SmallNetwork:
    """What is published: a description and a graph."""

    publication: Publication
    onnx: Path

    def publish(self, repository: Path, **options: Any) -> ModelManifest:
        """Publish it as training does; returns the manifest."""
        published = publish(
            self.publication,
            TrainedNetwork(
                onnx_runtime(self.onnx),
                lambda path: shutil.copyfile(self.onnx, path),
                SIZE,
            ),
            Card(CARD, {"panels": {}}),
            repository,
            **{"triton": False, **options},
        )
        return read_model(published.folder).newest


def small_network(
    name: str, folder: Path, *, version: str = "0.1.0", seed: int = 0
) -> SmallNetwork:
    """One of the three networks of :data:`PANELS`."""
    panels = PANELS[name]
    path = folder / f"{name}-{version}-{seed}.onnx"
    write_graph(
        path, {panel: (kind, len(labels)) for panel, (kind, labels) in panels.items()}, seed
    )
    publication = Publication(
        name=name,
        version=version,
        created="2026-11-21",
        preprocessing="square-area-v1",
        panels=tuple(small_panel(panel, kind, labels) for panel, (kind, labels) in panels.items()),
        training_data=(
            {
                "source": "made",
                "licence": "none",
                "films": {"normal": {"train": 1, "validation": 1, "test": 1}},
            },
        ),
    )
    return SmallNetwork(publication, path)


def small_repository(repository: Path, graphs: Path) -> dict[str, ModelManifest]:
    """A repository with all three networks and their ensemble; returns the manifests by name."""
    return {name: small_network(name, graphs).publish(repository) for name in PANELS}


def small_panel(name: str, kind: str, labels: tuple[str, ...]) -> Panel:
    """A panel as recipe and report describe it."""
    worst = {"sensitivity": {"value": 0.9}, "specificity": {"value": 0.8}}
    point = {"threshold": 0.5, "worst_source": worst}
    measured: dict[str, Any] = {"calibration": {"method": "temperature", "temperature": 1.0}}
    if kind != PanelKind.STRUCTURES:
        measured["labels"] = dict.fromkeys(labels, point)
    return panel_of(
        name, name.title(), kind, [coded_label(label, label.title()) for label in labels], measured
    )


def write_graph(path: Path, panels: dict[str, tuple[str, int]], seed: int = 0) -> None:
    """A standardised film through one convolution to the heads of the panels."""
    weights = _Weights(seed)
    nodes = [
        helper.make_node("Cast", ["film"], ["grey"], "cast", to=TensorProto.FLOAT),
        # The sum of the squares of a film is far beyond what float16 can hold.
        helper.make_node("ReduceMean", ["grey"], ["mean"], "mean", axes=[1, 2, 3], keepdims=1),
        helper.make_node("Sub", ["grey", "mean"], ["centred"], "centre"),
        helper.make_node("Mul", ["centred", "centred"], ["square"], "square"),
        helper.make_node("ReduceMean", ["square"], ["variance"], "variance", axes=[1, 2, 3]),
        helper.make_node("Add", ["variance", weights.constant("one", [1.0])], ["floor"], "floor"),
        helper.make_node("Sqrt", ["floor"], ["deviation"], "deviation"),
        helper.make_node("Div", ["centred", "deviation"], ["standard"], "standardise"),
        helper.make_node("Transpose", ["standard"], ["planes"], "planes", perm=[0, 3, 1, 2]),
        helper.make_node(
            "Conv",
            ["planes", weights.random("kernel", CHANNELS, 1, 4, 4)],
            ["convolved"],
            "conv",
            strides=[4, 4],
            kernel_shape=[4, 4],
        ),
        helper.make_node("Relu", ["convolved"], ["features"], "relu"),
        helper.make_node("Transpose", ["features"], ["last"], "last", perm=[0, 2, 3, 1]),
    ]
    outputs = []
    for panel, (kind, count) in panels.items():
        made, given = _head(panel, kind, count, weights)
        nodes += made
        outputs += given
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("film", TensorProto.UINT8, ["N", SIZE, SIZE, 1])],
        outputs,
        weights.tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


class _Weights:
    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self.tensors: list[Any] = []

    def random(self, name: str, *shape: int) -> str:
        values = self._generator.normal(0, 0.5, shape).astype(np.float32)
        self.tensors.append(numpy_helper.from_array(values, name))
        return name

    def constant(self, name: str, values: list[float]) -> str:
        self.tensors.append(numpy_helper.from_array(np.array(values, np.float32), name))
        return name


def _head(panel: str, kind: str, count: int, weights: _Weights) -> tuple[list[Any], list[Any]]:
    maps = helper.make_node(
        "MatMul",
        ["last", weights.random(f"{panel}_weights", CHANNELS, count)],
        [f"{panel}_heatmaps"],
        f"{panel}_maps",
    )
    side = SIZE // 4
    maps_out = helper.make_tensor_value_info(
        f"{panel}_heatmaps", TensorProto.FLOAT, ["N", side, side, count]
    )
    if kind == PanelKind.STRUCTURES:
        scale = weights.constant(f"{panel}_scale", [255.0])
        return [
            maps,
            helper.make_node("Sigmoid", [f"{panel}_heatmaps"], [f"{panel}_shares"], f"{panel}_s"),
            helper.make_node("Mul", [f"{panel}_shares", scale], [f"{panel}_grey"], f"{panel}_g"),
            helper.make_node("Round", [f"{panel}_grey"], [f"{panel}_round"], f"{panel}_r"),
            helper.make_node(
                "Cast", [f"{panel}_round"], [f"{panel}_masks"], f"{panel}_c", to=TensorProto.UINT8
            ),
        ], [
            helper.make_tensor_value_info(
                f"{panel}_masks", TensorProto.UINT8, ["N", side, side, count]
            )
        ]
    nodes = [
        maps,
        helper.make_node(
            "ReduceMean",
            [f"{panel}_heatmaps"],
            [f"{panel}_logits"],
            f"{panel}_l",
            axes=[1, 2],
            keepdims=0,
        ),
        helper.make_node(
            "Sigmoid" if kind == PanelKind.MULTI_LABEL else "Softmax",
            [f"{panel}_logits"],
            [f"{panel}_probabilities"],
            f"{panel}_p",
        ),
    ]
    outputs = [
        helper.make_tensor_value_info(f"{panel}_probabilities", TensorProto.FLOAT, ["N", count])
    ]
    return nodes, outputs if kind == PanelKind.GATE else [*outputs, maps_out]
