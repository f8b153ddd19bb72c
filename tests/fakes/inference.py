"""An engine that looks at the pixels and knows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hilum.application.ports.inference import InferenceOutput
from hilum.domain.errors import HilumError, InferenceFailed, InferenceUnavailable, ModelNotServed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest


class BandEngine:
    """Fake of :class:`hilum.application.ports.inference.InferenceEngine`.

    A film is cut into as many horizontal bands as there are labels; the brighter a band, the more
    probable its label. A heatmap is the film itself, coarse, weighted by the probability.

    Attributes:
        available: Set it to False to make the engine unavailable.
        failure: Set it to an error that every inference then raises.
        calls: Films of each inference so far.
    """

    def __init__(self, served: Iterable[ModelManifest]) -> None:
        self.available = True
        self.failure: HilumError | None = None
        self.calls: list[NDArray[np.uint8]] = []
        self._served = {(model.name, model.serving_version) for model in served}

    def infer(self, model: ModelManifest, films: NDArray[np.uint8]) -> InferenceOutput:
        self.check(model)
        if self.failure is not None:
            raise self.failure
        wrong_shape = films.shape[1:] != model.film_input.shape or films.shape[0] < 1
        if wrong_shape or films.dtype != np.dtype(model.film_input.dtype):
            raise InferenceFailed(f"{model.name} takes no {films.dtype} {films.shape}")
        self.calls.append(films)
        height, width, labels = model.output("heatmaps").shape
        grey = films[..., 0].astype(np.float32) / 255
        bands = np.stack(
            [band.mean(axis=(1, 2)) for band in np.array_split(grey, labels, axis=1)], axis=1
        )
        exponentials = np.exp(4 * bands)
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        rows = np.linspace(0, grey.shape[1] - 1, height).astype(int)
        columns = np.linspace(0, grey.shape[2] - 1, width).astype(int)
        coarse = grey[:, rows][:, :, columns]
        return InferenceOutput(
            probabilities=probabilities.astype(np.float32),
            heatmaps=coarse[..., np.newaxis] * probabilities[:, np.newaxis, np.newaxis, :],
        )

    def check(self, model: ModelManifest) -> None:
        if not self.available:
            raise InferenceUnavailable("the engine does not answer: it was told not to")
        if (model.name, model.serving_version) not in self._served:
            raise ModelNotServed(f"no version {model.serving_version} of {model.name}")
