"""The served graph: uint8 film in, calibrated probabilities and class activation maps out."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
import onnx
from keras import ops

from hilum_training.network import FEATURES, head_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum_training.population.probe import PopulationProbe

FILM: Final = "film"
PROBABILITIES: Final = "probabilities"
HEATMAPS: Final = "heatmaps"
SCOPE: Final = "scope"
OPSET: Final = 17


@dataclass(frozen=True, slots=True)
class Scaling:
    """Calibration of one panel, applied to its logits: ``scale * logit + shift``, label by label.

    A temperature T is ``scale = 1 / T`` for every label and no shift (Guo et al., ICML 2017); Platt
    scaling of a multi-label panel has its own pair for each label.
    """

    kind: str
    scale: tuple[float, ...]
    shift: tuple[float, ...]


class ServedGraph(keras.Model):
    """What is exported.

    Input ``film`` uint8 [N, H, W, 1]; for each panel ``<panel>_probabilities`` float32 [N, K] and,
    unless it is a gate, ``<panel>_heatmaps`` float32 [N, h, w, K], in units of the logit: a class's
    map, averaged and with the class's bias added, is its logit before calibration. A population
    probe adds ``<network>_scope`` float32 [N, 2], its measures.

    Args:
        network: From :func:`hilum_training.network.build_network`.
        calibration: By panel.
        probe: What measures the population, or None.
    """

    def __init__(
        self,
        network: keras.Model,
        calibration: Mapping[str, Scaling],
        probe: PopulationProbe | None = None,
    ) -> None:
        super().__init__(name=network.name)
        features = network.get_layer(FEATURES).output
        self._trunk = keras.Model(network.inputs, {FEATURES: features, **network.output})
        self._heads = {name: network.get_layer(head_name(name)) for name in calibration}
        self._calibration = dict(calibration)
        self._probe = probe

    def call(self, film: Any) -> dict[str, Any]:
        """One forward pass for all outputs."""
        found = self._trunk(ops.cast(film, "float32"), training=False)
        outputs = {}
        for name, scaling in self._calibration.items():
            logits = found[name] * np.array(scaling.scale, np.float32)
            logits = logits + np.array(scaling.shift, np.float32)
            outputs[f"{name}_{PROBABILITIES}"] = (
                ops.sigmoid(logits) if scaling.kind == "multi_label" else ops.softmax(logits)
            )
            if scaling.kind != "gate":
                kernel = self._heads[name].kernel
                outputs[f"{name}_{HEATMAPS}"] = ops.einsum("bhwc,ck->bhwk", found[FEATURES], kernel)
        if self._probe is not None:
            outputs[f"{self.name}_{SCOPE}"] = _measures(self._probe, found[FEATURES])
        return outputs


def _measures(probe: PopulationProbe, features: Any) -> Any:
    """What :meth:`PopulationProbe.measures` computes, as operations of the graph."""
    standard = (ops.mean(features, axis=(1, 2)) - probe.mean) / probe.scale
    placed = ops.matmul(standard, probe.projection)
    apart = ops.square(ops.expand_dims(placed, 1) - probe.centres[np.newaxis])
    distance = ops.sqrt(ops.min(ops.mean(apart, axis=2), axis=1))
    weights = probe.child_weights[:, np.newaxis]
    child = ops.sigmoid(ops.matmul(standard, weights)[:, 0] + probe.child_bias[0])
    return ops.stack([distance, child], axis=1)


def export_onnx(graph: keras.Model, size: int, path: Path) -> None:
    """Write the graph as ONNX, the same bytes for the same weights.

    Args:
        graph: Takes ``film`` uint8 [N, size, size, 1], gives a dictionary of named outputs.
        size: Pixels a side of the input.
        path: Where to write.
    """
    film = keras.KerasTensor((None, size, size, 1), dtype="uint8", name=FILM)
    # Keras exports only what was called once; the answer names the outputs.
    answer = graph(ops.zeros((1, size, size, 1), dtype="uint8"))
    specification = [keras.InputSpec(dtype="uint8", shape=film.shape, name=FILM)]
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "model.onnx"
        graph.export(
            raw, format="onnx", verbose=False, input_signature=specification, opset_version=OPSET
        )
        model = onnx.load(raw)
    _name_outputs(model, list(answer))
    _make_stable(model)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _name_outputs(model: onnx.ModelProto, wanted: Sequence[str]) -> None:
    """Give input and outputs their promised names, in the promised order.

    The converter keeps a dictionary's order by sorted key, and names outputs as it likes.
    """
    graph = model.graph
    names = {value.name: name for value, name in zip(graph.output, sorted(wanted), strict=True)}
    names[graph.input[0].name] = FILM
    _rename(graph, names)
    ordered = sorted(graph.output, key=lambda value: wanted.index(value.name))
    copies = [onnx.ValueInfoProto.FromString(value.SerializeToString()) for value in ordered]
    del graph.output[:]
    graph.output.extend(copies)


def _make_stable(model: onnx.ModelProto) -> None:
    """Number nodes and inner tensors: the converter's names count up over a process's life."""
    graph = model.graph
    fixed = {value.name for value in (*graph.input, *graph.output)}
    inner: dict[str, str] = {}
    for name in _tensor_names(graph):
        if name and name not in fixed:
            inner.setdefault(name, f"t{len(inner)}")
    _rename(graph, inner)
    for index, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{index}"
        node.doc_string = ""
    initializers = sorted(graph.initializer, key=lambda tensor: int(tensor.name[1:]))
    copies = [onnx.TensorProto.FromString(item.SerializeToString()) for item in initializers]
    del graph.initializer[:]
    graph.initializer.extend(copies)
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    graph.name, graph.doc_string, model.doc_string = "hilum", "", ""


def _tensor_names(graph: onnx.GraphProto) -> Sequence[str]:
    return [name for node in graph.node for name in (*node.input, *node.output)]


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    for node in graph.node:
        for field in (node.input, node.output):
            for index, name in enumerate(field):
                field[index] = names.get(name, name)
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = names.get(value.name, value.name)
