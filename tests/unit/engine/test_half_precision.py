"""float16 in the graph: what is converted, what is kept, and what the graph then says."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hilum.imaging.golden_films import golden_films
from hilum_engine.errors import EngineNotBuilt, Reason
from hilum_engine.half_precision import half_layers, to_half
from hilum_training.export.parity import onnx_runtime
from tests.small_networks import PANELS, SIZE, small_network

FILMS = golden_films(SIZE)


@pytest.fixture(params=list(PANELS))
def graph(request, tmp_path):
    return small_network(request.param, tmp_path).onnx.read_bytes()


def types(model):
    """Element type of every tensor that shape inference can tell."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    values = [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]
    return {value.name: value.type.tensor_type.elem_type for value in values}


def producers(model):
    return {name: node for node in model.graph.node for name in node.output}


def answers(graph, tmp_path):
    path = tmp_path / "asked.onnx"
    path.write_bytes(graph)
    return onnx_runtime(path)(FILMS)


def test_layers_with_weights_compute_in_half_precision(graph):
    """Every convolution and matrix product, by the type of what it gives."""
    model = onnx.load_from_string(to_half(graph))
    found = types(model)
    given = [found[n.output[0]] for n in model.graph.node if n.op_type in {"Conv", "MatMul"}]
    assert given == [TensorProto.FLOAT16] * len(given)
    assert half_layers(to_half(graph)) == len(given) > 1
    assert half_layers(graph) == 0


def test_inputs_and_outputs_keep_names_types_and_order(graph):
    """A client cannot tell the precision from the interface."""
    before, after = onnx.load_from_string(graph), onnx.load_from_string(to_half(graph))

    def interface(values):
        return [(value.name, value.type.tensor_type.elem_type) for value in values]

    assert interface(after.graph.input) == interface(before.graph.input)
    assert interface(after.graph.output) == interface(before.graph.output)


def test_the_film_is_standardised_in_full_precision(graph):
    """Its squares would overflow; not even a cast in between may touch them."""
    model = onnx.load_from_string(to_half(graph))
    found = types(model)
    for name in ("grey", "mean", "square", "variance", "deviation", "standard"):
        tensor = next((t for t in found if t == name or t.startswith(f"{name}_cast")), None)
        assert tensor is not None, name
    made = producers(model)
    for node in model.graph.node:
        if node.op_type in {"ReduceMean", "Sqrt", "Div", "Softmax", "Sigmoid", "Round"}:
            assert found[node.output[0]] == TensorProto.FLOAT, node.name
        if node.op_type == "Cast" and node.input[0] in made:
            before = made[node.input[0]]
            assert before.op_type != "Cast", f"{before.name} -> {node.name} rounds for nothing"


def test_the_converted_graph_says_the_same_within_what_half_precision_costs(graph, tmp_path):
    """On golden films, and every number is finite."""
    expected, answered = answers(graph, tmp_path), answers(to_half(graph), tmp_path)
    for name, value in answered.items():
        assert np.isfinite(value).all()
        gap = np.abs(value.astype(float) - expected[name].astype(float)).max()
        scale = max(1.0, np.abs(expected[name].astype(float)).max())
        assert gap <= 0.01 * scale, name
    assert any(not np.array_equal(answered[name], expected[name]) for name in answered), (
        "nothing was rounded: nothing was converted"
    )


def test_converting_again_gives_the_same_bytes(graph):
    """The engine's key names the float32 graph: the same graph must become the same."""
    assert to_half(graph) == to_half(graph)


def test_a_graph_that_cannot_be_converted_is_refused_with_the_reason():
    """Bytes that are no graph, and a graph with nothing in it that fits."""
    with pytest.raises(EngineNotBuilt, match="float16") as caught:
        to_half(b"no graph")
    assert caught.value.reason is Reason.CONVERSION_FAILED


def test_nodes_without_names_are_told_apart(graph):
    """A name is optional in ONNX; the converter goes by names."""
    model = onnx.load_from_string(graph)
    for node in model.graph.node:
        node.name = ""
    nameless = to_half(model.SerializeToString())
    assert half_layers(nameless) == half_layers(to_half(graph))


def test_an_output_that_is_read_further_on_keeps_its_precision(tmp_path):
    """Heatmaps are an output and the way to the probabilities at once."""
    weights = onnx.numpy_helper.from_array(np.full((4, 2), 0.3, np.float32), "weights")
    nodes = [
        helper.make_node("MatMul", ["film", "weights"], ["maps"], "product"),
        helper.make_node("ReduceMean", ["maps"], ["means"], "mean", axes=[1], keepdims=0),
        helper.make_node("Softmax", ["means"], ["shares"], "softmax"),
    ]
    inputs = [helper.make_tensor_value_info("film", TensorProto.FLOAT, ["N", 3, 4])]
    outputs = [
        helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["N", 3, 2]),
        helper.make_tensor_value_info("shares", TensorProto.FLOAT, ["N", 2]),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs, [weights]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    converted = onnx.load_from_string(to_half(model.SerializeToString()))
    assert [value.name for value in converted.graph.output] == ["maps", "shares"]
    (mean,) = [node for node in converted.graph.node if node.op_type == "ReduceMean"]
    assert types(converted)[mean.output[0]] == TensorProto.FLOAT
