"""Running a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest


@dataclass(frozen=True, slots=True)
class InferenceOutput:
    """What a classifier gave.

    Attributes:
        probabilities: float32 [N, K], calibrated, in the order of the manifest's labels.
        heatmaps: float32 [N, h, w, K], class activation maps in logit units.
    """

    probabilities: NDArray[np.float32]
    heatmaps: NDArray[np.float32]


class InferenceEngine(Protocol):
    """Runs models by manifest; safe to call from several threads."""

    def infer(self, model: ModelManifest, films: NDArray[np.uint8]) -> InferenceOutput:
        """Run a model on films.

        Args:
            model: Names the model and pins the version.
            films: uint8 [N, H, W, 1], preprocessed as the manifest says.

        Raises:
            InferenceUnavailable: The engine is down, busy beyond its queue, or too slow.
            ModelNotServed: It serves no such model or version.
            InferenceFailed: It refused the input, or answered in another shape than promised.
        """
        ...

    def check(self, model: ModelManifest) -> None:
        """Return if the engine can run this model now; raises as :meth:`infer` does."""
        ...
