"""Does an engine say what ONNX Runtime says of the same graph in float32?"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime

from hilum.imaging.golden_films import golden_films
from hilum.imaging.phantom import phantom_film
from hilum.imaging.preprocessing import PREPROCESSING
from hilum_engine.errors import EngineNotBuilt, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest
    from hilum_engine.builder import Profile

    Runtime = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[Any]]]

_PHANTOMS: Final = 4
_PHANTOM_SIDE: Final = 256


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What float16 may cost: ``absolute + relative * largest expected magnitude``.

    Attributes:
        absolute: In units of the output.
        relative: Of the largest magnitude.
        share: Of the values that must keep to it; the others, of masks, lie on an edge.
    """

    absolute: float
    relative: float = 0.0
    share: float = 1.0


TOLERANCES: Final[Mapping[str, Tolerance]] = MappingProxyType(
    {
        # A hundredth of probability: less than the width of any operating point's interval.
        "probabilities": Tolerance(0.01),
        "heatmaps": Tolerance(0.05, 0.02),
        # Four grey levels of 255.
        "masks": Tolerance(4.0, share=0.999),
    }
)


def check_engine(
    model: ModelManifest, graph: bytes, engine: Runtime, profile: Profile
) -> dict[str, float]:
    """Compare an engine with ONNX Runtime on golden films and phantoms, at every batch size.

    Args:
        model: Names outputs and their meaning.
        graph: The graph in float32.
        engine: What is to be published.
        profile: Its smallest, typical and largest batch are tried.

    Returns:
        The largest deviation of each output that was held against the tolerance.

    Raises:
        EngineNotBuilt: An output is missing, has another shape or type, is not finite, or deviates
            by more than the tolerance.
    """
    films = check_films(model)
    expected = _reference(model, graph, films)
    gaps = {output.name: 0.0 for output in model.outputs}
    for batch in sorted({profile.smallest, profile.typical, profile.largest}):
        which = np.arange(batch) % len(films)
        answered = engine(films[which])
        for output in model.outputs:
            if output.name not in answered:
                raise EngineNotBuilt(Reason.CHECK_FAILED, f"the engine gives no {output.name}")
            gap = _deviation(
                answered[output.name], expected[output.name][which], TOLERANCES[output.meaning]
            )
            gaps[output.name] = max(gaps[output.name], gap)
    for output in model.outputs:
        tolerance = TOLERANCES[output.meaning]
        largest = float(np.abs(expected[output.name].astype(np.float64)).max())
        allowed = tolerance.absolute + tolerance.relative * largest
        if not gaps[output.name] <= allowed:
            raise EngineNotBuilt(
                Reason.CHECK_FAILED,
                f"{output.name} deviates by {gaps[output.name]:.3g}, allowed is {allowed:.3g}",
            )
    return gaps


def check_films(model: ModelManifest) -> NDArray[np.uint8]:
    """Golden films and phantom chests as the model's input, uint8 [N, H, W, 1]."""
    rows, columns, _ = model.film_input.shape
    prepare = PREPROCESSING[model.preprocessing]
    phantoms = [
        prepare(phantom_film(_PHANTOM_SIDE, _PHANTOM_SIDE, seed), rows, columns)
        for seed in range(_PHANTOMS)
    ]
    return np.concatenate([golden_films(rows), np.stack(phantoms)])


def _reference(
    model: ModelManifest, graph: bytes, films: NDArray[np.uint8]
) -> dict[str, NDArray[Any]]:
    options = onnxruntime.SessionOptions()
    # The order of the sums is that of one thread, on every machine.
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in model.outputs]
    answers = session.run(names, {model.film_input.name: films})
    return dict(zip(names, answers, strict=True))


def _deviation(value: NDArray[Any], expected: NDArray[Any], tolerance: Tolerance) -> float:
    """The deviation that the given share of the values keeps to; infinite if it cannot be told."""
    if value.shape != expected.shape or value.dtype != expected.dtype:
        return float("inf")
    gaps = np.abs(value.astype(np.float64) - expected.astype(np.float64))
    if not np.isfinite(gaps).all():
        return float("inf")
    return float(np.quantile(gaps, tolerance.share))
