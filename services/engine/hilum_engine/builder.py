"""What an engine is built with: TensorRT on the node that will run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from hilum.domain.model import TensorSpec


@dataclass(frozen=True, slots=True)
class Device:
    """What an engine is built for: it runs nowhere else.

    Attributes:
        tensorrt: Version of TensorRT.
        gpu: Name of the GPU.
        compute_capability: E.g. ``9.0``.
    """

    tensorrt: str
    gpu: str
    compute_capability: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Batch sizes that an engine takes, and the one that it is tuned for."""

    smallest: int
    typical: int
    largest: int


@dataclass(frozen=True, slots=True)
class BuiltEngine:
    """A serialised engine, and what was learnt about the GPU's kernels on the way.

    Attributes:
        plan: Becomes ``model.plan``.
        timing_cache: Makes the next build on this kind of GPU shorter.
    """

    plan: bytes
    timing_cache: bytes


class EngineBuilder(Protocol):
    """Builds engines for the device at hand, and runs them for the check."""

    def device(self) -> Device:
        """What is built for.

        Raises:
            EngineNotBuilt: There is no TensorRT or no GPU.
        """
        ...

    def build(
        self, graph: bytes, film: TensorSpec, profile: Profile, timing_cache: bytes
    ) -> BuiltEngine:
        """Build an engine whose precision is that of the graph.

        Args:
            graph: ONNX; tensors keep the types that they have in it.
            film: Its input.
            profile: Batch sizes.
            timing_cache: From an earlier build, or empty.

        Raises:
            EngineNotBuilt: The graph cannot be read or built.
        """
        ...

    def run(self, plan: bytes, films: NDArray[np.uint8]) -> Mapping[str, NDArray[Any]]:
        """The engine's outputs by name.

        Args:
            plan: From :meth:`build`, or from the cache.
            films: uint8 [N, H, W, 1].

        Raises:
            EngineNotBuilt: The engine cannot be loaded or run.
        """
        ...
