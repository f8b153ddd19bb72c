"""Inference: an image as the input of models, and their outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hilum.domain.errors import InvalidManifest
from hilum.imaging.preprocessing import PREPROCESSING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.application.ports.inference import InferenceEngine, Reading
    from hilum.domain.model import ModelManifest, ModelSet, Panel
    from hilum.imaging.film import Film


def model_input(model: ModelManifest, film: Film) -> NDArray[np.uint8]:
    """The film as the model wants it, uint8 [1, H, W, 1].

    Raises:
        InvalidManifest: The manifest names a preprocessing that this release does not have.
    """
    preprocessing = PREPROCESSING.get(model.preprocessing)
    if preprocessing is None:
        raise InvalidManifest(f"{model.name}: no preprocessing {model.preprocessing} here")
    height, width = model.film_input.shape[:2]
    return preprocessing(film.pixels, height, width)[np.newaxis]


class ModelInputs:
    """One film as the input of every model that reads it, resampled once for those that agree."""

    def __init__(self, film: Film) -> None:
        """Keep the film; nothing is resampled yet."""
        self._film = film
        self._made: dict[tuple[str, tuple[int, ...]], NDArray[np.uint8]] = {}

    def __call__(self, model: ModelManifest) -> NDArray[np.uint8]:
        """As :func:`model_input`."""
        wanted = (model.preprocessing, model.film_input.shape)
        if wanted not in self._made:
            self._made[wanted] = model_input(model, self._film)
        return self._made[wanted]


class Inferred:
    """What a set of models gives for one image. No model is asked before its output is wanted."""

    def __init__(self, outputs: Reading) -> None:
        """Keep the outputs; nothing is computed yet."""
        self._outputs = outputs

    def output(self, model: ModelManifest, meaning: str, panel: str = "") -> NDArray[Any]:
        """Return an output of a model for the image.

        Args:
            model: Of the set.
            meaning: As the manifest names it, e.g. ``probabilities``.
            panel: Whose output; empty for one of the whole model.

        Raises:
            InferenceUnavailable: The engine is down, busy or too slow.
            ModelNotServed: It serves no such model or version.
            InferenceFailed: A model gave something other than its manifest promises.
        """
        given = self._outputs.outputs(model)[model.output(meaning, panel).name]
        image: NDArray[np.generic] = given[0]
        return image

    def probabilities(self, model: ModelManifest, panel: Panel) -> list[float]:
        """Return the probabilities of a panel, in the order of its labels."""
        found: list[float] = self.output(model, "probabilities", panel.name).tolist()
        return found


def infer(film: Film, models: ModelSet, engine: InferenceEngine) -> Inferred:
    """Put an image before a set of models."""
    return Inferred(engine.read(models, ModelInputs(film)))
