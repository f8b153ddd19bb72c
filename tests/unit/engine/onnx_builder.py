"""An engine builder without a GPU: the converted graph, optimised and run by ONNX Runtime.

What it runs is the graph that TensorRT would be given, in the precision that the graph states, so
conversion and numeric check are real. What it does not show is what TensorRT makes of the graph.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnxruntime

from hilum_engine.builder import BuiltEngine, Device, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from hilum.domain.model import TensorSpec


@dataclass(slots=True)
class OnnxRuntimeBuilder:
    """Builds by optimising; counts what it is asked to do."""

    tensorrt: str = "10.13.0"
    gpu: str = "ONNX Runtime on a CPU"
    built: list[tuple[bytes, Profile]] = field(default_factory=list)
    timing_caches: list[bytes] = field(default_factory=list)

    def device(self) -> Device:
        return Device(self.tensorrt, self.gpu, "0.0")

    def build(
        self, graph: bytes, film: TensorSpec, profile: Profile, timing_cache: bytes
    ) -> BuiltEngine:
        assert film.name == "film"
        self.built.append((graph, profile))
        self.timing_caches.append(timing_cache)
        with tempfile.TemporaryDirectory() as folder:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            options.intra_op_num_threads = 1
            options.optimized_model_filepath = str(Path(folder) / "optimised.onnx")
            onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            plan = Path(options.optimized_model_filepath).read_bytes()
        return BuiltEngine(plan, timing_cache + b"one more build;")

    def run(self, plan: bytes, films: NDArray[np.uint8]) -> Mapping[str, NDArray[Any]]:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(plan, options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, {"film": films}), strict=True))
