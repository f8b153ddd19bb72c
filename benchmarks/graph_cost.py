"""What a graph has to compute and to move for one film, whatever runs it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import onnx

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = {onnx.TensorProto.FLOAT: 4, onnx.TensorProto.UINT8: 1, onnx.TensorProto.FLOAT16: 2}


@dataclass(frozen=True, slots=True)
class GraphCost:
    """Of one film.

    Attributes:
        multiply_adds: Of convolutions and matrix products.
        bytes_moved: Every tensor written once and read once, and the weights read once: what a
            runtime moves that fuses nothing.
        weights: Number of weights.
    """

    multiply_adds: int
    bytes_moved: int
    weights: int


def graph_cost(path: Path) -> GraphCost:
    """Count a graph at a batch of one.

    Raises:
        KeyError: A shape cannot be inferred.
    """
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {tensor.name: list(tensor.dims) for tensor in inferred.initializer}
    moved = sum(math.prod(dims) * 4 for dims in shapes.values())
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        kind = value.type.tensor_type
        shapes[value.name] = [dim.dim_value or 1 for dim in kind.shape.dim]
        moved += 2 * math.prod(shapes[value.name]) * _BYTES.get(kind.elem_type, 4)
    return GraphCost(
        multiply_adds=sum(_multiply_adds(node, shapes) for node in inferred.node),
        bytes_moved=moved,
        weights=sum(math.prod(tensor.dims) for tensor in inferred.initializer),
    )


def _multiply_adds(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> int:
    """Multiplications of a node: one for each weight that an output (or input) value meets."""
    if node.op_type in {"Conv", "ConvTranspose"}:
        kernel = shapes[node.input[1]]
        # Weights are [out, in / group, ...]; those of a transposed one [in, out / group, ...].
        side = node.output[0] if node.op_type == "Conv" else node.input[0]
        return math.prod(shapes[side]) * math.prod(kernel[1:])
    if node.op_type in {"MatMul", "Gemm", "Einsum"}:
        weights = shapes[node.input[1]]
        transposed = any(item.name == "transB" and item.i for item in node.attribute)
        return math.prod(shapes[node.output[0]]) * weights[-1 if transposed else -2]
    return 0
