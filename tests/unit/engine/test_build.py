"""Engines for a whole repository: built, checked, kept, placed; and what happens when one fails."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hilum.domain.errors import InvalidManifest
from hilum.serving.target import MAX_BATCH, Target
from hilum_engine.build import PROFILE, Order, build_repository
from hilum_engine.errors import EngineNotBuilt, Reason
from hilum_engine.half_precision import half_layers
from hilum_engine.tensorrt_builder import TensorRTBuilder
from tests.small_networks import PANELS, small_network, small_repository
from tests.unit.engine.onnx_builder import OnnxRuntimeBuilder


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    small_repository(folder / "models", folder)
    return folder / "models"


@pytest.fixture
def order(source, tmp_path):
    return Order(source, tmp_path / "out", tmp_path / "cache")


def backend(folder):
    return (folder / "config.pbtxt").read_text().split('backend: "')[1].split('"')[0]


class Samples:
    """The text file that an outcome writes, read back."""

    def __init__(self, outcome, folder) -> None:
        outcome.metrics.write(folder / "engine.prom")
        text = (folder / "engine.prom").read_text()
        self._samples = [s for f in text_string_to_metric_families(text) for s in f.samples]

    def __call__(self, name, **labels: str) -> float | None:
        """The value of a gauge of this name and these labels; None where there is none."""
        for sample in self._samples:
            if sample.name == f"hilum_engine_{name}" and labels.items() <= sample.labels.items():
                return sample.value
        return None


@dataclass(slots=True)
class Failing(OnnxRuntimeBuilder):
    """Fails on one build, by the number of the build."""

    fails_on: int = 2
    error: Exception = None

    def build(self, graph, film, profile, timing_cache):
        if len(self.built) + 1 == self.fails_on:
            self.built.append((graph, profile))
            raise self.error
        return OnnxRuntimeBuilder.build(self, graph, film, profile, timing_cache)


class Wrong(OnnxRuntimeBuilder):
    """Builds engines that answer a little too high."""

    def run(self, plan, films):
        answers = OnnxRuntimeBuilder.run(self, plan, films)
        return {name: value + value.dtype.type(0.02) for name, value in answers.items()}


class Nowhere(OnnxRuntimeBuilder):
    """Builds engines that overflow in large batches."""

    def run(self, plan, films):
        answers = dict(OnnxRuntimeBuilder.run(self, plan, films))
        if len(films) == MAX_BATCH:
            answers = {
                name: np.full_like(value, np.nan) if value.dtype == np.float32 else value
                for name, value in answers.items()
            }
        return answers


def test_every_model_gets_a_checked_engine_of_half_precision(order, tmp_path):
    """The repository serves plans, the ensemble beside them, and the metrics say how close."""
    builder = OnnxRuntimeBuilder()
    outcome = build_repository(order, lambda: builder)
    assert outcome.fallen_back == ()
    for name in PANELS:
        assert backend(order.out / name) == "tensorrt"
        assert (order.out / name / "1/model.plan").stat().st_size > 0
        assert not (order.out / name / "1/model.onnx").exists()
    assert (order.out / "hilum/config.pbtxt").is_file()
    assert all(half_layers(graph) > 0 for graph, _ in builder.built)
    assert {profile for _, profile in builder.built} == {PROFILE}
    assert (PROFILE.smallest, PROFILE.largest) == (1, MAX_BATCH)
    found = Samples(outcome, tmp_path)
    assert found("ready", model="chest") == 1
    assert 0 < found("deviation", output="pathology_heatmaps") < 0.1
    assert found("device", tensorrt="10.13.0", gpu="ONNX Runtime on a CPU") == 1
    assert found("fallback") is None


def test_an_engine_is_built_once(order, tmp_path):
    """The second start takes what the first one built, byte for byte."""
    build_repository(order, OnnxRuntimeBuilder)
    first = (order.out / "chest/1/model.plan").read_bytes()
    builder = OnnxRuntimeBuilder()
    outcome = build_repository(order, lambda: builder)
    assert builder.built == []
    assert (order.out / "chest/1/model.plan").read_bytes() == first
    assert Samples(outcome, tmp_path)("build_seconds", model="chest") == 0


@pytest.mark.parametrize("change", [{"tensorrt": "11.0.0"}, {"gpu": "another GPU"}])
def test_another_gpu_or_tensorrt_builds_anew(order, change):
    """An engine runs where it was built, with what it was built with, and nowhere else."""
    build_repository(order, OnnxRuntimeBuilder)
    builder = OnnxRuntimeBuilder(**change)
    build_repository(order, lambda: builder)
    assert len(builder.built) == len(PANELS)
    assert builder.timing_caches[0] == b"", "timings of another device are of no use"


def test_another_precision_builds_anew_from_the_graph_as_it_is(order):
    """float32 is not converted."""
    build_repository(order, OnnxRuntimeBuilder)
    builder = OnnxRuntimeBuilder()
    build_repository(replace(order, precision="float32"), lambda: builder)
    assert [half_layers(graph) for graph, _ in builder.built] == [0] * len(PANELS)


def test_a_new_version_is_built_and_the_others_are_not(order, source, tmp_path):
    """The key is the graph's digest; versions beside one another each have a plan."""
    build_repository(order, OnnxRuntimeBuilder)
    shutil.copytree(source, tmp_path / "models")
    small_network("chest", tmp_path, version="0.2.0", seed=1).publish(tmp_path / "models")
    builder = OnnxRuntimeBuilder()
    outcome = build_repository(replace(order, repository=tmp_path / "models"), lambda: builder)
    assert len(builder.built) == 1
    assert outcome.fallen_back == ()
    plans = [(order.out / f"chest/{number}/model.plan").read_bytes() for number in (1, 2)]
    assert plans[0] != plans[1]


def test_each_build_profits_from_the_timings_of_those_before(order):
    """The timing cache goes into a build and comes out longer; the next start begins with it."""
    builder = OnnxRuntimeBuilder()
    build_repository(order, lambda: builder)
    assert builder.timing_caches == [b"one more build;" * count for count in range(3)]
    later = OnnxRuntimeBuilder()
    build_repository(replace(order, precision="float32"), lambda: later)
    assert later.timing_caches[0] == b"one more build;" * 3


def test_a_damaged_engine_is_built_again(order):
    """A plan that is not the one that was checked is never served."""
    build_repository(order, OnnxRuntimeBuilder)
    for plan in order.cache.glob("*/model.plan"):
        plan.write_bytes(b"damaged")
    builder = OnnxRuntimeBuilder()
    build_repository(order, lambda: builder)
    assert len(builder.built) == len(PANELS)
    assert b"damaged" not in {plan.read_bytes() for plan in order.out.glob("*/1/model.plan")}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (EngineNotBuilt(Reason.BUILD_FAILED, "no kernel"), "build_failed"),
        (MemoryError("out of memory"), "unexpected"),
    ],
)
def test_a_build_that_fails_costs_that_model_its_engine(order, tmp_path, caplog, error, reason):
    """It is served by ONNX Runtime, with a warning and a metric; the others keep their engines."""
    outcome = build_repository(order, lambda: Failing(fails_on=2, error=error))
    assert outcome.fallen_back == ("gate",)
    assert backend(order.out / "gate") == "onnxruntime"
    assert (order.out / "gate/1/model.onnx").is_file()
    assert backend(order.out / "chest") == backend(order.out / "lungs") == "tensorrt"
    found = Samples(outcome, tmp_path)
    assert found("fallback", model="gate", reason=reason) == 1
    assert found("ready", model="gate") == 0
    (record,) = [one for one in caplog.records if one.message == "engine.failed"]
    assert (record.model, record.version, record.reason) == ("gate", "0.1.0", reason)


@pytest.mark.parametrize("builder", [Wrong, Nowhere])
def test_an_engine_that_answers_otherwise_is_not_published(order, tmp_path, builder):
    """Two hundredths of probability, or no number in the largest batch, and nothing is kept."""
    outcome = build_repository(order, builder)
    assert {"gate", "chest"} <= set(outcome.fallen_back)
    found = Samples(outcome, tmp_path)
    assert found("fallback", model="gate", reason="check_failed") == 1
    for name in outcome.fallen_back:
        assert not list((order.out / name).glob("*/model.plan"))
    again = OnnxRuntimeBuilder()
    assert build_repository(order, lambda: again).fallen_back == ()
    assert len(again.built) >= 2, "what failed its check was not in the cache"


def test_one_version_without_an_engine_takes_its_model_with_it(order, source, tmp_path):
    """All versions of a model share one configuration."""
    shutil.copytree(source, tmp_path / "models")
    small_network("chest", tmp_path, version="0.2.0", seed=1).publish(tmp_path / "models")
    error = EngineNotBuilt(Reason.BUILD_FAILED, "no kernel")
    outcome = build_repository(
        replace(order, repository=tmp_path / "models"), lambda: Failing(fails_on=2, error=error)
    )
    assert outcome.fallen_back == ("chest",)
    assert sorted(path.parent.name for path in (order.out / "chest").glob("*/model.onnx")) == [
        "1",
        "2",
    ]
    found = Samples(outcome, tmp_path)
    assert [found("ready", model="chest", version=number) for number in "12"] == [0, 0]


def test_a_cache_that_cannot_be_used_is_no_reason_not_to_start(order, tmp_path):
    """A volume that is a file, say."""
    (tmp_path / "cache").write_text("not a folder")
    outcome = build_repository(order, OnnxRuntimeBuilder)
    assert len(outcome.fallen_back) == len(PANELS)
    assert Samples(outcome, tmp_path)("fallback", model="lungs", reason="cache_unusable") == 1


def test_without_tensorrt_everything_falls_back(order, tmp_path):
    """The real builder, on a machine without TensorRT: the reason is named."""
    with pytest.raises(EngineNotBuilt, match="no TensorRT") as caught:
        TensorRTBuilder()
    assert caught.value.reason is Reason.TENSORRT_MISSING
    outcome = build_repository(replace(order, fallback=Target.CPU), TensorRTBuilder)
    assert {backend(order.out / name) for name in PANELS} == {"python"}
    assert Samples(outcome, tmp_path)("fallback", model="gate", reason="tensorrt_missing") == 1


def test_a_graph_that_is_not_the_published_one_stops_the_build(order, source, tmp_path):
    """Falling back would serve it all the same."""
    shutil.copytree(source, tmp_path / "models")
    (tmp_path / "models/gate/1/model.onnx").write_bytes(b"another graph")
    with pytest.raises(InvalidManifest, match="not the one"):
        build_repository(replace(order, repository=tmp_path / "models"), OnnxRuntimeBuilder)
    assert not order.out.exists()


def test_the_timings_of_a_failed_check_are_kept(order):
    """Timings are true whatever the engine says; the next try is shorter."""
    build_repository(order, Wrong)
    builder = OnnxRuntimeBuilder()
    build_repository(order, lambda: builder)
    assert builder.timing_caches[0] != b""
