"""Configurations, read back with Triton's own message definition."""

from __future__ import annotations

from dataclasses import replace

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig, ModelInstanceGroup

from hilum.domain.errors import InvalidManifest
from hilum.domain.model import TensorSpec
from hilum.serving.target import MAX_BATCH, SERVING, Target
from hilum.serving.triton_config import render_config
from tests.small_networks import SIZE, small_network


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chest")
    return small_network("chest", folder).publish(folder / "models")


@pytest.fixture(params=list(Target))
def target(request):
    return request.param


def parsed(manifest, target):
    """The configuration as the server sees it: an unknown field or value is an error."""
    return text_format.Parse(render_config(manifest, target), ModelConfig())


def test_every_target_takes_and_gives_what_the_manifest_promises(manifest, target):
    """Names, types and axes are the manifest's, for any batch up to the largest."""
    config = parsed(manifest, target)
    assert (config.name, config.max_batch_size) == ("chest", MAX_BATCH)
    assert [(item.name, list(item.dims)) for item in config.input] == [("film", [SIZE, SIZE, 1])]
    assert [(item.name, tuple(item.dims)) for item in config.output] == [
        (spec.name, spec.shape) for spec in manifest.outputs
    ]


def test_every_installed_version_is_served(manifest, target):
    """Sites pin versions, and different sites may pin different ones."""
    assert parsed(manifest, target).version_policy.WhichOneof("policy_choice") == "all"


def test_requests_are_batched_and_the_model_is_warm_before_it_is_ready(manifest, target):
    """Films wait for company a millisecond at most; each warm-up batch has the film's shape."""
    config, serving = parsed(manifest, target), SERVING[target]
    batching = config.dynamic_batching
    assert tuple(batching.preferred_batch_size) == serving.preferred
    assert 0 < batching.max_queue_delay_microseconds <= 1000
    assert tuple(sample.batch_size for sample in config.model_warmup) == serving.warm_up
    assert {tuple(sample.inputs["film"].dims) for sample in config.model_warmup} == {
        (SIZE, SIZE, 1)
    }


def test_a_target_names_its_backend_and_the_processor_it_runs_on(manifest):
    """The CPU target asks for no GPU; the others ask for nothing else."""
    kinds = {target: parsed(manifest, target).instance_group[0].kind for target in Target}
    assert kinds == {
        Target.CPU: ModelInstanceGroup.KIND_CPU,
        Target.GPU_ONNXRUNTIME: ModelInstanceGroup.KIND_GPU,
        Target.GPU_TENSORRT: ModelInstanceGroup.KIND_GPU,
    }
    backends = {target: parsed(manifest, target).backend for target in Target}
    assert list(backends.values()) == ["python", "onnxruntime", "tensorrt"]


def test_onnx_runtime_on_a_gpu_builds_one_engine_for_all_batch_sizes(manifest):
    """Without a profile its TensorRT provider builds anew for each batch size that it meets."""
    config = parsed(manifest, Target.GPU_ONNXRUNTIME)
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.name == "tensorrt"
    options = accelerator.parameters
    assert options["trt_profile_min_shapes"] == f"film:1x{SIZE}x{SIZE}x1"
    assert options["trt_profile_max_shapes"] == f"film:{MAX_BATCH}x{SIZE}x{SIZE}x1"
    assert "precision_mode" not in options, "TensorRT 11 has no precision flag to set"


def test_an_engine_is_served_by_its_optimisation_profile(manifest):
    """The plan is loaded by name and its first profile is used."""
    config = parsed(manifest, Target.GPU_TENSORRT)
    assert config.default_model_filename == "model.plan"
    assert list(config.instance_group[0].profile) == ["0"]


def test_a_tensor_type_that_no_target_serves_is_refused(manifest):
    """A configuration with a type that Triton would misread is never written."""
    film = TensorSpec("film", (SIZE, SIZE, 1), "float64", "film")
    with pytest.raises(InvalidManifest, match="float64"):
        render_config(replace(manifest, inputs=(film,)), Target.CPU)
