"""``config.pbtxt`` of one network for each target (Triton, ``model_config.proto``)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import InvalidManifest
from hilum.serving.target import MAX_BATCH, ONNX_FILE, SERVING, TYPICAL_BATCH, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum.domain.model import ModelManifest, TensorSpec

HEADER: Final = "# Written from manifest.json; do not edit."
TYPES: Final[Mapping[str, str]] = MappingProxyType({"uint8": "TYPE_UINT8", "float32": "TYPE_FP32"})

# Where ONNX Runtime keeps the engines that its TensorRT provider builds: a folder that every
# container may write. On a volume it saves minutes at the next start.
ENGINE_CACHE: Final = "/tmp/hilum-tensorrt"  # noqa: S108 - in Triton's container, not ours
_WORKSPACE_BYTES: Final = 1 << 30

_TEMPLATE: Final = """\
{header}
name: "{name}"
backend: "{backend}"
default_model_filename: "{graph}"
max_batch_size: {max_batch}
input [
{inputs}
]
output [
{outputs}
]
# Sites pin the version that reads their films; every installed one is served.
version_policy {{ all {{ }} }}
dynamic_batching {{
  preferred_batch_size: [ {preferred} ]
  max_queue_delay_microseconds: {delay_us}
}}
instance_group [
  {{ kind: {kind} count: {instances}{profile} }}
]
model_warmup [
{warm_up}
]
"""

_CPU: Final = """\
# Threads of one ONNX Runtime session; HILUM_TRITON_INTRA_OP_THREADS overrides it.
parameters {{ key: "intra_op_threads" value {{ string_value: "1" }} }}
parameters {{ key: "graph" value {{ string_value: "{graph}" }} }}
"""

_TENSORRT_PROVIDER: Final = """\
# The provider takes float32: TensorRT 11 knows no precision flag. What it cannot run, CUDA runs.
optimization {{ execution_accelerators {{ gpu_execution_accelerator [ {{
  name: "tensorrt"
{parameters}
}} ] }} }}
"""


def render_config(manifest: ModelManifest, target: Target) -> str:
    """The configuration that serves a network, in all its installed versions.

    Args:
        manifest: Of any version: they share inputs and outputs.
        target: Where it runs.

    Raises:
        InvalidManifest: A tensor has a type that is not served.
    """
    serving = SERVING[target]
    text = _TEMPLATE.format(
        header=HEADER,
        name=manifest.name,
        backend=serving.backend,
        graph=serving.graph,
        max_batch=MAX_BATCH,
        inputs=tensors(manifest.inputs),
        outputs=tensors(manifest.outputs),
        preferred=_listed(serving.preferred),
        delay_us=serving.delay_us,
        kind=serving.kind,
        instances=serving.instances,
        profile=' profile: [ "0" ]' if target is Target.GPU_TENSORRT else "",
        warm_up=",\n".join(_warm_up(manifest.film_input, batch) for batch in serving.warm_up),
    )
    if target is Target.CPU:
        return text + _CPU.format(graph=ONNX_FILE)
    if target is Target.GPU_ONNXRUNTIME:
        return text + _TENSORRT_PROVIDER.format(parameters=_provider_options(manifest.film_input))
    return text


def tensors(specifications: Sequence[TensorSpec]) -> str:
    """Inputs or outputs, one a line, axes after the batch axis.

    Raises:
        InvalidManifest: A tensor has a type that is not served.
    """
    return ",\n".join(_tensor(item) for item in specifications)


def _tensor(item: TensorSpec) -> str:
    if item.dtype not in TYPES:
        raise InvalidManifest(f"{item.name}: {item.dtype} is not served")
    return f'  {{ name: "{item.name}" data_type: {TYPES[item.dtype]} dims: [ {_dims(item)} ] }}'


def _warm_up(film: TensorSpec, batch: int) -> str:
    value = f"data_type: {TYPES[film.dtype]} dims: [ {_dims(film)} ] zero_data: true"
    return (
        f'  {{ name: "batch of {batch}" batch_size: {batch} '
        f'inputs {{ key: "{film.name}" value {{ {value} }} }} }}'
    )


def _provider_options(film: TensorSpec) -> str:
    """Options of the provider by the names that Triton's backend gives them."""
    shape = "x".join(str(axis) for axis in film.shape)
    options = {
        "max_workspace_size_bytes": str(_WORKSPACE_BYTES),
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": ENGINE_CACHE,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": ENGINE_CACHE,
        # One engine for all batch sizes; without these it is built anew for each that is met.
        "trt_profile_min_shapes": f"{film.name}:1x{shape}",
        "trt_profile_opt_shapes": f"{film.name}:{TYPICAL_BATCH}x{shape}",
        "trt_profile_max_shapes": f"{film.name}:{MAX_BATCH}x{shape}",
    }
    return "\n".join(
        f'  parameters {{ key: "{key}" value: "{value}" }}' for key, value in options.items()
    )


def _dims(item: TensorSpec) -> str:
    return _listed(item.shape)


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers)
