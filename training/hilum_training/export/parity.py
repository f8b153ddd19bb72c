"""Does the exported graph say what the trained network says, in every runtime?"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Answer = Callable[[NDArray[np.uint8]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Largest difference that passes: ``absolute + relative * largest expected magnitude``."""

    absolute: float
    relative: float = 0.0


TOLERANCES: Final[Mapping[str, Tolerance]] = MappingProxyType(
    {
        "probabilities": Tolerance(1e-4),
        # In logit units, some tens wide; the float32 sums of two runtimes differ in their order.
        "heatmaps": Tolerance(1e-3, 1e-4),
        # Distances are some units wide.
        "scope": Tolerance(1e-3, 1e-3),
        # One grey level: the two may round a half to different sides.
        "masks": Tolerance(1.0),
    }
)


class ParityLost(RuntimeError):
    """Two runtimes differ by more than the tolerance: nothing is published."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Largest absolute difference of each output, over so many films."""

    runtime: str
    films: int
    gaps: Mapping[str, float]

    def __str__(self) -> str:
        """One line for people."""
        gaps = ", ".join(f"{name} {gap:.1e}" for name, gap in self.gaps.items())
        return f"{self.runtime} on {self.films} films, largest difference: {gaps}"


def check_parity(
    expected: Mapping[str, NDArray[Any]], answer: Answer, films: NDArray[np.uint8], runtime: str
) -> Parity:
    """Hold a runtime's answers against the expected ones, in one batch and film by film.

    Args:
        expected: By output, batch axis first.
        answer: The runtime.
        films: uint8 [N, H, W, 1], what was answered.
        runtime: Its name, for people.

    Raises:
        ParityLost: Beyond the tolerance, an output is missing, or a number is not finite.
    """
    gaps = dict.fromkeys(expected, 0.0)
    for start, stop in ((0, len(films)), *((i, i + 1) for i in range(len(films)))):
        answered = answer(films[start:stop])
        if missing := expected.keys() - answered.keys():
            raise ParityLost(f"{runtime} gave no {', '.join(sorted(missing))}")
        for name, value in expected.items():
            gap = _largest_gap(np.asarray(answered[name]), value[start:stop])
            gaps[name] = max(gaps[name], gap)
    parity = Parity(runtime, len(films), gaps)
    for name, gap in gaps.items():
        tolerance = TOLERANCES[name.rpartition("_")[2]]
        allowed = tolerance.absolute + tolerance.relative * float(np.abs(expected[name]).max())
        if not gap <= allowed:
            raise ParityLost(f"{name} differs by {gap:.3g}, allowed is {allowed:.3g}: {parity}")
    return parity


def onnx_runtime(onnx: Path) -> Answer:
    """ONNX Runtime on a CPU, as a runtime to check."""
    options = onnxruntime.SessionOptions()
    # The order of the sums is that of one thread, on every machine.
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
    film = session.get_inputs()[0].name
    names = [output.name for output in session.get_outputs()]

    def answer(films: NDArray[np.uint8]) -> Mapping[str, Any]:
        return dict(zip(names, session.run(names, {film: films}), strict=True))

    return answer


def _largest_gap(value: NDArray[Any], expected: NDArray[Any]) -> float:
    if value.shape != expected.shape or value.dtype != expected.dtype:
        return float("inf")
    gap = float(np.abs(value.astype(np.float64) - expected.astype(np.float64)).max())
    return gap if np.isfinite(gap) else float("inf")
