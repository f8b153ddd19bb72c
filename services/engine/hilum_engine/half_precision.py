"""float16 decided in the graph: TensorRT 11 has no flag for it any more.

The conversion is onnxruntime's. Kept in float32: the film's way to the first layer with weights
(its standardisation sums 50,000 squares, beyond float16), everything after the last such layer
(calibration, softmax, masks), and means wherever they stand. Inputs and outputs keep their types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import onnx
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

from hilum_engine.errors import EngineNotBuilt, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

WEIGHT_LAYERS: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum"})
DELICATE: Final = frozenset(
    {
        *DEFAULT_OP_BLOCK_LIST,
        "Softmax",
        "LogSoftmax",
        "Exp",
        "Log",
        "Pow",
        "ReduceMean",
        "ReduceSum",
        "ReduceSumSquare",
        "ReduceL2",
        "GlobalAveragePool",
        "InstanceNormalization",
        "LayerNormalization",
    }
)
# How onnxruntime names the cast that it puts behind a node that stays float32.
_BACK_TO_HALF: Final = "_cast_to_fp16_node"


def to_half(graph: bytes) -> bytes:
    """A graph whose layers compute in float16, the same bytes for the same graph.

    Raises:
        EngineNotBuilt: The graph cannot be converted.
    """
    try:
        model = onnx.load_from_string(graph)
        _name_nodes(model.graph)
        half = convert_float_to_float16(
            model,
            keep_io_types=True,
            op_block_list=sorted(DELICATE),
            node_block_list=sorted(_before_and_after(model.graph)),
        )
        _remove_round_trips(half.graph)
        _sort(half.graph)
        del half.graph.value_info[:]
        onnx.checker.check_model(half, full_check=True)
        return bytes(half.SerializeToString(deterministic=True))
    except Exception as error:
        # onnx and the converter raise what they like, assertions included.
        raise EngineNotBuilt(
            Reason.CONVERSION_FAILED, f"the graph cannot be converted to float16: {error}"
        ) from error


def half_layers(graph: bytes) -> int:
    """Layers with weights whose weights are float16."""
    model = onnx.load_from_string(graph)
    half = {
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT16
    }
    return sum(
        node.op_type in WEIGHT_LAYERS and not half.isdisjoint(node.input)
        for node in model.graph.node
    )


def _name_nodes(graph: onnx.GraphProto) -> None:
    """The converter tells nodes apart by name, and a name is optional in ONNX."""
    for index, node in enumerate(graph.node):
        node.name = node.name or f"node_{index}"


def _before_and_after(graph: onnx.GraphProto) -> set[str]:
    """Names of the nodes before the first and after the last layers with weights."""
    fed = _reached(graph.node, {name for node in _weighted(graph) for name in node.output})
    feeding = _feeding(graph.node, {name for node in _weighted(graph) for name in node.input})
    return {
        node.name
        for node in graph.node
        if node.op_type not in WEIGHT_LAYERS
        and (fed.isdisjoint(node.input) or feeding.isdisjoint(node.output))
    }


def _weighted(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    return [node for node in graph.node if node.op_type in WEIGHT_LAYERS]


def _reached(nodes: Iterable[onnx.NodeProto], tensors: set[str]) -> set[str]:
    """Tensors that these ones lead to, themselves included; nodes in topological order."""
    reached = set(tensors)
    for node in nodes:
        if not reached.isdisjoint(node.input):
            reached.update(node.output)
    return reached


def _feeding(nodes: Iterable[onnx.NodeProto], tensors: set[str]) -> set[str]:
    """Tensors that lead to these ones, themselves included."""
    feeding = set(tensors)
    for node in reversed(list(nodes)):
        if not feeding.isdisjoint(node.output):
            feeding.update(node.input)
    return feeding


def _remove_round_trips(graph: onnx.GraphProto) -> None:
    """Take out float32 -> float16 -> float32 between two nodes that both stay float32.

    The converter leaves them. They would round what was to be kept, and overflow where it is large.
    """
    full = {
        node.output[0]: node.input[0] for node in graph.node if node.name.endswith(_BACK_TO_HALF)
    }
    outputs = {value.name for value in graph.output}
    replaced: dict[str, str] = {}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in full and _target(node) == _FLOAT:
            if node.output[0] in outputs:
                # The graph's output keeps its name; a cast from float32 to float32 does nothing.
                node.input[0] = full[node.input[0]]
            else:
                replaced[node.output[0]] = full[node.input[0]]
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = replaced.get(name, name)
    _remove_unused(graph, outputs)


_FLOAT: Final = onnx.TensorProto.FLOAT


def _target(node: onnx.NodeProto) -> int:
    return next(int(attribute.i) for attribute in node.attribute if attribute.name == "to")


def _remove_unused(graph: onnx.GraphProto, outputs: set[str]) -> None:
    """Remove casts that nothing reads any more, until there are none."""
    while True:
        used = outputs | {name for node in graph.node for name in node.input}
        unused = [
            node for node in graph.node if node.op_type == "Cast" and used.isdisjoint(node.output)
        ]
        if not unused:
            return
        for node in unused:
            graph.node.remove(node)


def _sort(graph: onnx.GraphProto) -> None:
    """ONNX wants each node after what it reads; the converter appends its casts at the end."""
    known = {value.name for value in graph.input} | {item.name for item in graph.initializer} | {""}
    waiting = list(graph.node)
    ordered: list[onnx.NodeProto] = []
    while waiting:
        ready = [node for node in waiting if known.issuperset(node.input)]
        if not ready:
            raise ValueError("the converted graph has a cycle")
        ordered += ready
        known.update(name for node in ready for name in node.output)
        waiting = [node for node in waiting if not known.issuperset(node.output)]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in ordered]
    del graph.node[:]
    graph.node.extend(copies)
