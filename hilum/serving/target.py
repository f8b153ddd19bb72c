"""What a model repository is rendered for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BATCH: Final = 32
"""Largest batch that any target is given; engines are built for batches of 1 to this."""

TYPICAL_BATCH: Final = 8
"""Batch that engines are tuned for."""

ONNX_FILE: Final = "model.onnx"
PLAN_FILE: Final = "model.plan"
PYTHON_FILE: Final = "model.py"


class Target(StrEnum):
    """Where and with what a network runs.

    ``cpu``: Triton's Python backend with ONNX Runtime in it. ``gpu-onnxruntime``: Triton's ONNX
    Runtime backend, whose TensorRT execution provider builds its engines itself when the model is
    loaded. ``gpu-tensorrt``: an engine that ``hilum-engine build`` made on this very kind of GPU.
    """

    CPU = "cpu"
    GPU_ONNXRUNTIME = "gpu-onnxruntime"
    GPU_TENSORRT = "gpu-tensorrt"


@dataclass(frozen=True, slots=True)
class Serving:
    """How a target is served.

    Attributes:
        backend: Triton backend.
        graph: File in the version's folder that the backend loads by itself.
        files: Every file that the version's folder needs.
        kind: Of the instance group.
        instances: Copies of the model for each device. Two on a GPU let one film travel while
            another is computed; on a CPU each would take a core and memory of its own.
        preferred: Batch sizes that are sent off without waiting for more films.
        delay_us: How long a film waits for company, in microseconds.
        warm_up: Batch sizes that are run once before the model counts as ready.
    """

    backend: str
    graph: str
    files: tuple[str, ...]
    kind: str
    instances: int
    preferred: tuple[int, ...]
    delay_us: int
    warm_up: tuple[int, ...]


SERVING: Final[Mapping[Target, Serving]] = MappingProxyType(
    {
        Target.CPU: Serving(
            backend="python",
            graph=PYTHON_FILE,
            files=(ONNX_FILE, PYTHON_FILE),
            kind="KIND_CPU",
            instances=1,
            preferred=(4, 8, 16, 32),
            delay_us=1000,
            warm_up=(1, 8),
        ),
        Target.GPU_ONNXRUNTIME: Serving(
            backend="onnxruntime",
            graph=ONNX_FILE,
            files=(ONNX_FILE,),
            kind="KIND_GPU",
            instances=1,
            preferred=(8, 16, 32),
            delay_us=500,
            warm_up=(1, 8, 32),
        ),
        Target.GPU_TENSORRT: Serving(
            backend="tensorrt",
            graph=PLAN_FILE,
            files=(PLAN_FILE,),
            kind="KIND_GPU",
            instances=2,
            preferred=(8, 16, 32),
            delay_us=500,
            warm_up=(1, 8, 32),
        ),
    }
)
