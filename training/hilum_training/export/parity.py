"""Does the exported graph say what the trained network says?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime

from hilum_training.export.golden_films import golden_films
from hilum_training.export.graph import FILM, HEATMAPS, PROBABILITIES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.export.graph import ServedGraph

PROBABILITY_TOLERANCE: Final = 1e-4
# Heatmaps are in logit units, some tens wide; float32 sums of the two runtimes differ in order.
HEATMAP_TOLERANCE: Final = 1e-3


class ParityLost(RuntimeError):
    """ONNX Runtime and Keras differ by more than the tolerance: nothing is published."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Largest absolute difference of each output, over so many films."""

    films: int
    probabilities: float
    heatmaps: float


def check_parity(
    graph: ServedGraph, onnx: Path, size: int, films: NDArray[np.uint8] | None = None
) -> Parity:
    """Compare ONNX Runtime on a CPU with Keras, in one batch and film by film.

    Args:
        graph: The Keras side.
        onnx: The exported file.
        size: Pixels a side.
        films: uint8 [N, size, size, 1] beside the golden films, or None.

    Raises:
        ParityLost: Beyond the tolerance, or a number that is not finite.
    """
    batch = golden_films(size) if films is None else np.concatenate([golden_films(size), films])
    expected = {name: np.asarray(value) for name, value in graph(batch).items()}
    session = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    differences = dict.fromkeys(expected, 0.0)
    for start, stop in ((0, len(batch)), *((i, i + 1) for i in range(len(batch)))):
        answered = session.run(list(expected), {FILM: batch[start:stop]})
        for name, value in zip(expected, answered, strict=True):
            gap = _largest_gap(value, expected[name][start:stop])
            differences[name] = max(differences[name], gap)
    parity = Parity(len(batch), differences[PROBABILITIES], differences[HEATMAPS])
    if not (parity.probabilities <= PROBABILITY_TOLERANCE and parity.heatmaps <= HEATMAP_TOLERANCE):
        raise ParityLost(f"{onnx.name} is not the network that was trained: {parity}")
    return parity


def _largest_gap(value: Any, expected: NDArray[np.float32]) -> float:
    gap = float(np.abs(value - expected).max())
    return gap if np.isfinite(gap) else float("inf")
