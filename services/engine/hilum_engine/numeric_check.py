"""Does an engine say what ONNX Runtime says of the same graph in float32?"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime

from hilum.imaging.golden_films import golden_chests, golden_films
from hilum_engine.errors import EngineNotBuilt, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest
    from hilum_engine.builder import Profile

    Runtime = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What float16 may cost: ``absolute + relative * largest expected magnitude``.

    Attributes:
        absolute: In units of the output.
        relative: Of the largest magnitude.
        share: Of the values that must keep to it. The others lie on a mask's edge, or belong to
            golden films that are no chests (ramps, noise), which a network amplifies.
        worst: No value deviates by more than so many times as much.
    """

    absolute: float
    relative: float
    share: float
    worst: float


TOLERANCES: Final[Mapping[str, Tolerance]] = MappingProxyType(
    {
        # A hundredth of probability: less than the width of any operating point's interval.
        "probabilities": Tolerance(0.01, 0.0, share=0.95, worst=5),
        "heatmaps": Tolerance(0.05, 0.02, share=0.95, worst=4),
        # Four grey levels of 255.
        "masks": Tolerance(4.0, 0.0, share=0.999, worst=16),
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
        The largest deviation of each output.

    Raises:
        EngineNotBuilt: An output is missing, has another shape or type, is not finite, or deviates
            by more than the tolerance.
    """
    films = check_films(model)
    expected = reference(model, graph, films)
    largest = {output.name: 0.0 for output in model.outputs}
    for batch in sorted({profile.smallest, profile.typical, profile.largest}):
        # The last films first: at a batch of one that is a phantom chest.
        which = len(films) - 1 - np.arange(batch) % len(films)
        answered = engine(films[which])
        for output in model.outputs:
            if output.name not in answered:
                raise EngineNotBuilt(Reason.CHECK_FAILED, f"the engine gives no {output.name}")
            gaps = _gaps(answered[output.name], expected[output.name][which])
            scale = float(np.abs(expected[output.name].astype(np.float64)).max())
            _require(output.name, gaps, scale, TOLERANCES[output.meaning])
            largest[output.name] = max(largest[output.name], float(gaps.max()))
    return largest


def _require(name: str, gaps: NDArray[np.float64], scale: float, tolerance: Tolerance) -> None:
    """Hold the deviations of one answer against the tolerance; NaN is beyond any."""
    allowed = tolerance.absolute + tolerance.relative * scale
    worst = float(gaps.max())
    most = float(np.quantile(gaps, tolerance.share)) if np.isfinite(worst) else worst
    if not (most <= allowed and worst <= tolerance.worst * allowed):
        raise EngineNotBuilt(
            Reason.CHECK_FAILED,
            f"{name} deviates by {most:.3g}, at worst by {worst:.3g}; allowed are {allowed:.3g} "
            f"and {tolerance.worst * allowed:.3g}",
        )


def check_films(model: ModelManifest) -> NDArray[np.uint8]:
    """Golden films and phantom chests as the model's input, uint8 [N, H, W, 1]."""
    rows, columns, _ = model.film_input.shape
    return np.concatenate([golden_films(rows), golden_chests(rows, columns, model.preprocessing)])


def reference(
    model: ModelManifest, graph: bytes, films: NDArray[np.uint8]
) -> dict[str, NDArray[Any]]:
    """What ONNX Runtime says of films on a CPU, by output."""
    options = onnxruntime.SessionOptions()
    # The order of the sums is that of one thread, on every machine.
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in model.outputs]
    answers = session.run(names, {model.film_input.name: films})
    return dict(zip(names, answers, strict=True))


def _gaps(value: NDArray[Any], expected: NDArray[Any]) -> NDArray[np.float64]:
    """Absolute deviations; one that is infinite where shape or type is another."""
    if value.shape != expected.shape or value.dtype != expected.dtype:
        return np.array([np.inf])
    return np.abs(value.astype(np.float64) - expected.astype(np.float64))
