"""TensorRT 10 or later behind :class:`hilum_engine.builder.EngineBuilder`; nothing else imports it.

This is the one module that needs a GPU, and the one that no test runs: see docs/deployment.md.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_engine.builder import BuiltEngine, Device
from hilum_engine.errors import EngineNotBuilt, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hilum.domain.model import TensorSpec
    from hilum_engine.builder import Profile

_WORKSPACE_BYTES: Final = 1 << 30
_FIRST_GPU: Final = 0


class TensorRTBuilder:
    """Builds and runs engines on the first visible GPU.

    Raises:
        EngineNotBuilt: TensorRT or the CUDA bindings are not installed.
    """

    def __init__(self) -> None:
        try:
            import tensorrt  # noqa: PLC0415 - only where there is a GPU
            from cuda.bindings import runtime  # noqa: PLC0415 - likewise
        except ImportError as error:
            raise EngineNotBuilt(Reason.TENSORRT_MISSING, f"no TensorRT: {error}") from error
        self._trt = tensorrt
        self._cuda = runtime
        self._logger = tensorrt.Logger(tensorrt.Logger.WARNING)

    def device(self) -> Device:
        """See the protocol."""
        properties = self._call(
            Reason.TENSORRT_MISSING, self._cuda.cudaGetDeviceProperties, _FIRST_GPU
        )
        name = properties.name
        return Device(
            tensorrt=self._trt.__version__,
            gpu=(name.decode() if isinstance(name, bytes) else name).rstrip("\0"),
            compute_capability=f"{properties.major}.{properties.minor}",
        )

    def build(
        self, graph: bytes, film: TensorSpec, profile: Profile, timing_cache: bytes
    ) -> BuiltEngine:
        """See the protocol."""
        trt = self._trt
        builder = trt.Builder(self._logger)
        network = builder.create_network(self._network_flags())
        parser = trt.OnnxParser(network, self._logger)
        if not parser.parse(graph):
            errors = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
            raise EngineNotBuilt(Reason.BUILD_FAILED, f"TensorRT cannot read the graph: {errors}")
        config = builder.create_builder_config()
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
        cache = config.create_timing_cache(timing_cache)
        config.set_timing_cache(cache, ignore_mismatch=False)
        shapes = builder.create_optimization_profile()
        batches = (profile.smallest, profile.typical, profile.largest)
        shapes.set_shape(film.name, *((batch, *film.shape) for batch in batches))
        config.add_optimization_profile(shapes)
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise EngineNotBuilt(Reason.BUILD_FAILED, "TensorRT built no engine; see its log")
        return BuiltEngine(bytes(plan), bytes(config.get_timing_cache().serialize()))

    def run(self, plan: bytes, films: NDArray[np.uint8]) -> Mapping[str, NDArray[Any]]:
        """See the protocol."""
        engine = self._trt.Runtime(self._logger).deserialize_cuda_engine(plan)
        if engine is None:
            raise EngineNotBuilt(Reason.RUN_FAILED, "TensorRT cannot load the engine")
        context = engine.create_execution_context()
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        arrays: dict[str, NDArray[Any]] = {}
        for name in names:
            if engine.get_tensor_mode(name) == self._trt.TensorIOMode.INPUT:
                arrays[name] = np.ascontiguousarray(films)
                context.set_input_shape(name, films.shape)
        inputs = tuple(arrays)
        for name in names:
            if name not in inputs:
                dtype = np.dtype(self._trt.nptype(engine.get_tensor_dtype(name)))
                arrays[name] = np.empty(tuple(context.get_tensor_shape(name)), dtype)
        self._execute(context, arrays, inputs)
        return {name: array for name, array in arrays.items() if name not in inputs}

    def _execute(
        self, context: Any, arrays: Mapping[str, NDArray[Any]], inputs: tuple[str, ...]
    ) -> None:
        """Copy the inputs over, run, and copy the outputs back into their arrays."""
        cuda, kind = self._cuda, self._cuda.cudaMemcpyKind
        addresses: dict[str, int] = {}
        try:
            for name, array in arrays.items():
                addresses[name] = self._call(Reason.RUN_FAILED, cuda.cudaMalloc, array.nbytes)
                context.set_tensor_address(name, addresses[name])
            for name in inputs:
                self._copy(
                    addresses[name],
                    _address(arrays[name]),
                    arrays[name],
                    kind.cudaMemcpyHostToDevice,
                )
            stream = self._call(Reason.RUN_FAILED, cuda.cudaStreamCreate)
            if not context.execute_async_v3(int(stream)):
                raise EngineNotBuilt(Reason.RUN_FAILED, "TensorRT did not run the engine")
            self._call(Reason.RUN_FAILED, cuda.cudaStreamSynchronize, stream)
            self._call(Reason.RUN_FAILED, cuda.cudaStreamDestroy, stream)
            for name in arrays.keys() - set(inputs):
                self._copy(
                    _address(arrays[name]),
                    addresses[name],
                    arrays[name],
                    kind.cudaMemcpyDeviceToHost,
                )
        finally:
            for address in addresses.values():
                cuda.cudaFree(address)

    def _copy(self, target: int, source: int, array: NDArray[Any], direction: Any) -> None:
        self._call(
            Reason.RUN_FAILED, self._cuda.cudaMemcpy, target, source, array.nbytes, direction
        )

    def _network_flags(self) -> int:
        """Strong typing has to be asked for in TensorRT 10; in 11 there is nothing else."""
        flags = self._trt.NetworkDefinitionCreationFlag
        strongly_typed = getattr(flags, "STRONGLY_TYPED", None)
        return 0 if strongly_typed is None else 1 << int(strongly_typed)

    def _call(self, reason: Reason, function: Any, *arguments: Any) -> Any:
        """A CUDA call: its first answer is a status, the others, if any, are what was asked."""
        status, *answer = function(*arguments)
        if status != self._cuda.cudaError_t.cudaSuccess:
            raise EngineNotBuilt(reason, f"{function.__name__}: {status.name}")
        return answer[0] if answer else None


def _address(array: NDArray[Any]) -> int:
    return array.ctypes.data_as(ctypes.c_void_p).value or 0
