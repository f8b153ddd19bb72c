"""Running models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest, ModelSet

Outputs = Mapping[str, "NDArray[Any]"]
"""What a model gave, by the names in its manifest: tensors [N, ...] of the promised shapes.

``masks`` are uint8, all else is float32 and finite; every probability lies in [0, 1].
"""

Films = Callable[["ModelManifest"], "NDArray[np.uint8]"]
"""Gives the same films as the input of a model: uint8 [N, H, W, 1], preprocessed as it says."""


class Reading(Protocol):
    """Films under a set of models: each model is asked at most once, and only when it is wanted."""

    def outputs(self, model: ModelManifest) -> Outputs:
        """What a model of the set gives for the films.

        Raises:
            InferenceUnavailable: As :meth:`InferenceEngine.infer`.
            ModelNotServed: Likewise.
            InferenceFailed: Likewise.
        """
        ...


class InferenceEngine(Protocol):
    """Runs models by manifest; safe to call from several threads."""

    def infer(self, model: ModelManifest, films: NDArray[np.uint8]) -> Outputs:
        """Run one model on films.

        Args:
            model: Names the model and pins the version.
            films: uint8 [N, H, W, 1], preprocessed as the manifest says.

        Raises:
            InferenceUnavailable: The engine is down, busy beyond its queue, or too slow.
            ModelNotServed: It serves no such model or version.
            InferenceFailed: It refused the input, or answered something other than promised.
        """
        ...

    def read(self, models: ModelSet, films: Films) -> Reading:
        """Put films before a set of models. Nothing is computed before an output is wanted.

        An engine that serves the whole set together may compute it all with the first output; one
        that does not computes a model when it is asked for.
        """
        ...

    def check(self, model: ModelManifest) -> None:
        """Return if the engine can run this model now; raises as :meth:`infer` does."""
        ...
