"""The served graph: uint8 film in, calibrated probabilities and class activation maps out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import keras
import onnx
from keras import ops

from hilum_training.network import CLASSIFIER, FEATURES

if TYPE_CHECKING:
    from collections.abc import Sequence

FILM: Final = "film"
PROBABILITIES: Final = "probabilities"
HEATMAPS: Final = "heatmaps"
OPSET: Final = 17


class ServedGraph(keras.Model):
    """What is exported.

    Input ``film`` uint8 [N, H, W, 1]; outputs ``probabilities`` float32 [N, K], which sum to 1, and
    ``heatmaps`` float32 [N, h, w, K], in units of the logit: a class's map, averaged and with the
    class's bias added, is its logit before the temperature.

    Args:
        network: From :func:`hilum_training.network.build_network`.
        temperature: Divides the logits (Guo et al., ICML 2017).
    """

    def __init__(self, network: keras.Model, temperature: float) -> None:
        super().__init__(name=network.name)
        features = network.get_layer(FEATURES).output
        self._trunk = keras.Model(network.inputs, [features, network.output])
        self._classifier = network.get_layer(CLASSIFIER)
        self._temperature = temperature

    def call(self, film: Any) -> dict[str, Any]:
        """One forward pass for both outputs."""
        features, logits = self._trunk(ops.cast(film, "float32"), training=False)
        return {
            PROBABILITIES: ops.softmax(logits / self._temperature, axis=-1),
            HEATMAPS: ops.einsum("bhwc,ck->bhwk", features, self._classifier.kernel),
        }


def export_onnx(graph: ServedGraph, size: int, path: Path) -> None:
    """Write the graph as ONNX, the same bytes for the same weights.

    Args:
        graph: The served graph.
        size: Pixels a side of the input.
        path: Where to write.
    """
    film = keras.KerasTensor((None, size, size, 1), dtype="uint8", name=FILM)
    graph(ops.zeros((1, size, size, 1), dtype="uint8"))  # Keras exports only what was called once
    specification = [keras.InputSpec(dtype="uint8", shape=film.shape, name=FILM)]
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "model.onnx"
        graph.export(
            raw, format="onnx", verbose=False, input_signature=specification, opset_version=OPSET
        )
        model = onnx.load(raw)
    _name_outputs(model)
    _make_stable(model)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _name_outputs(model: onnx.ModelProto) -> None:
    """Give input and outputs their promised names and order; told apart by their rank."""
    graph = model.graph
    wanted = {2: PROBABILITIES, 4: HEATMAPS}
    names = {value.name: wanted[len(value.type.tensor_type.shape.dim)] for value in graph.output}
    names[graph.input[0].name] = FILM
    _rename(graph, names)
    ordered = sorted(graph.output, key=lambda value: value.name == HEATMAPS)
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
