"""Films under a set of models, one request a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hilum.application.ports.inference import Films, Outputs
    from hilum.domain.model import ModelManifest


class Infers(Protocol):
    """What runs one model; see :meth:`hilum.application.ports.inference.InferenceEngine.infer`."""

    def infer(self, model: ModelManifest, films: NDArray[np.uint8]) -> Outputs:
        """The model's outputs."""
        ...


class OneByOne:
    """Asks for a model when its output is wanted; see the port's ``Reading``."""

    def __init__(self, engine: Infers, films: Films) -> None:
        """Keep the films; nothing is computed yet."""
        self._engine = engine
        self._films = films
        self._known: dict[str, Outputs] = {}

    def outputs(self, model: ModelManifest) -> Outputs:
        """What a model gives, computed at the first call."""
        if model.name not in self._known:
            self._known[model.name] = self._engine.infer(model, self._films(model))
        return self._known[model.name]
