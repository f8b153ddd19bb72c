"""``config.pbtxt`` for the target ``cpu``: Triton's Python backend with ONNX Runtime in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.model import ModelManifest, TensorSpec

MAX_BATCH: Final = 32
_TYPES: Final = {"uint8": "TYPE_UINT8", "float32": "TYPE_FP32"}

_TEMPLATE: Final = """\
# Written by hilum_training.export; do not edit.
name: "{name}"
backend: "python"
max_batch_size: {max_batch}
input [
{inputs}
]
output [
{outputs}
]
version_policy {{ specific {{ versions: [ {version} ] }} }}
dynamic_batching {{
  preferred_batch_size: [ 4, 8, 16, 32 ]
  max_queue_delay_microseconds: 1000
}}
instance_group [
  {{ kind: KIND_CPU count: 1 }}
]
# Threads of one ONNX Runtime session; HILUM_TRITON_INTRA_OP_THREADS overrides it.
parameters {{ key: "intra_op_threads" value {{ string_value: "1" }} }}
parameters {{ key: "onnx" value {{ string_value: "{onnx}" }} }}
"""


def render_config(manifest: ModelManifest) -> str:
    """The configuration that serves a manifest's graph (Triton, model_config.proto)."""
    return _TEMPLATE.format(
        name=manifest.name,
        max_batch=MAX_BATCH,
        inputs=_tensors(manifest.inputs),
        outputs=_tensors(manifest.outputs),
        version=manifest.serving_version,
        onnx=manifest.onnx,
    )


def _tensors(specifications: Sequence[TensorSpec]) -> str:
    return ",\n".join(_tensor(item) for item in specifications)


def _tensor(item: TensorSpec) -> str:
    dims = ", ".join(str(axis) for axis in item.shape)
    labels = ' label_filename: "labels.txt"' if item.meaning == "probabilities" else ""
    return f'  {{ name: "{item.name}" data_type: {_TYPES[item.dtype]} dims: [ {dims} ]{labels} }}'
