"""What the check before publishing lets through, and what not."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_engine.build import PROFILE
from hilum_engine.errors import EngineNotBuilt, Reason
from hilum_engine.numeric_check import check_engine, check_films
from hilum_training.export.parity import onnx_runtime
from tests.small_networks import SIZE, small_network


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    small = small_network("lungs", folder)
    return small.publish(folder / "models"), small.onnx


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gate")
    small = small_network("gate", folder)
    return small.publish(folder / "models"), small.onnx


def checked(network, change):
    """Check an engine that answers as the graph does, changed."""
    model, onnx = network
    honest = onnx_runtime(onnx)
    asked = []

    def engine(films):
        asked.append(len(films))
        return {name: change(value.copy()) for name, value in honest(films).items()}

    return check_engine(model, onnx.read_bytes(), engine, PROFILE), asked


def test_the_graph_itself_passes_at_every_batch_size(network):
    """Smallest, typical and largest batch are asked, and nothing deviates."""
    gaps, asked = checked(network, lambda value: value)
    assert gaps == {"lungs_masks": 0.0}
    assert asked == [1, 8, 32]


def test_a_few_pixels_on_an_edge_may_differ_more(network):
    """Twenty grey levels in two of four thousand pixels is what rounding does to an edge."""

    def edge(masks):
        pixels = masks.reshape(-1)
        few = pixels[2000::2000]
        pixels[2000::2000] = np.where(few < 128, few + 20, few - 20)
        return masks

    gaps, _ = checked(network, edge)
    assert gaps == {"lungs_masks": 20.0}


@pytest.mark.parametrize(
    "change",
    [
        lambda masks: np.where(masks < 128, masks + 5, masks - 5).astype(np.uint8),
        lambda masks: 255 - masks,
        lambda masks: masks[..., :1],
        lambda masks: masks.astype(np.float32),
    ],
    ids=["five levels everywhere", "inverted", "one mask missing", "another type"],
)
def test_masks_that_are_others_do_not_pass(network, change):
    """Everywhere a little, somewhere a lot, or in another form."""
    with pytest.raises(EngineNotBuilt, match="lungs_masks") as caught:
        checked(network, change)
    assert caught.value.reason is Reason.CHECK_FAILED


@pytest.mark.parametrize(("gap", "passes"), [(0.009, True), (0.011, False), (np.nan, False)])
def test_probabilities_keep_to_a_hundredth(gate, gap, passes):
    """The width that a site would not notice, and not one more."""
    if passes:
        gaps, _ = checked(gate, lambda value: value + np.float32(gap))
        assert gaps["gate_probabilities"] == pytest.approx(gap, abs=1e-6)
    else:
        with pytest.raises(EngineNotBuilt, match="gate_probabilities"):
            checked(gate, lambda value: value + np.float32(gap))


def test_one_answer_that_is_no_number_is_enough(gate):
    """However many others are right."""

    def broken(value):
        value[0, 0] = np.nan
        return value

    with pytest.raises(EngineNotBuilt, match="nan"):
        checked(gate, broken)


def test_an_output_that_is_missing_does_not_pass(gate):
    """An engine has all outputs of its graph."""
    model, onnx = gate
    with pytest.raises(EngineNotBuilt, match="gives no gate_probabilities"):
        check_engine(model, onnx.read_bytes(), lambda _films: {}, PROFILE)


def test_the_films_of_the_check_are_chests_and_what_is_none(network):
    """Golden films and phantoms, as the model takes them, all different."""
    films = check_films(network[0])
    assert films.shape == (12, SIZE, SIZE, 1)
    assert films.dtype == np.uint8
    assert len(np.unique(films.reshape(len(films), -1), axis=0)) == len(films)
