"""Films under a set of models that Triton serves as one ensemble: one request for them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hilum.adapters.inference.one_by_one import OneByOne
from hilum.adapters.inference.tensors import promised_outputs, require_films
from hilum.domain.errors import ModelNotServed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hilum.application.ports.inference import Films, Outputs, Reading
    from hilum.domain.model import Ensemble, ModelManifest, ModelSet


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of Triton.

    Attributes:
        model: Name of a model or an ensemble.
        version: Its version.
        input: Name of the tensor that takes the films.
        outputs: Names of the tensors that are wanted.
    """

    model: str
    version: str
    input: str
    outputs: tuple[str, ...]


class AsksTriton(Protocol):
    """What sends requests; see :class:`hilum.adapters.inference.triton_grpc.TritonEngine`."""

    def infer(self, model: ModelManifest, films: NDArray[np.uint8]) -> Outputs:
        """One model alone."""
        ...

    def ask(self, request: Request, films: NDArray[np.uint8]) -> dict[str, NDArray[Any] | None]:
        """The outputs of a request by name."""
        ...

    def serves(self, ensemble: Ensemble) -> bool:
        """Whether Triton runs the ensemble with these versions."""
        ...

    def forget(self, ensemble: Ensemble) -> None:
        """Take it for not served, for a while."""
        ...


class Together:
    """Asks for all models with the first output that is wanted; see the port's ``Reading``.

    Where Triton does not serve the ensemble, or runs other versions in it than the set has, each
    model is asked by itself.
    """

    def __init__(self, engine: AsksTriton, models: ModelSet, films: Films) -> None:
        """Keep the films; nothing is computed yet."""
        self._engine = engine
        self._models = models
        self._films = films
        self._answer: dict[str, NDArray[Any] | None] | None = None
        self._separately: Reading | None = None
        self._count = 0

    def outputs(self, model: ModelManifest) -> Outputs:
        """What a model gives; the first call computes all of them."""
        if self._answer is None and self._separately is None:
            self._answer = self._ask()
        if self._answer is None:
            if self._separately is None:
                self._separately = OneByOne(self._engine, self._films)
            return self._separately.outputs(model)
        return promised_outputs(model, self._answer, self._count)

    def _ask(self) -> dict[str, NDArray[Any] | None] | None:
        """The answer of the ensemble, or None where it is not served as the set wants it."""
        ensemble = self._models.together
        if ensemble is None or not self._engine.serves(ensemble):
            return None
        first = self._models.models[0]  # any: they all take the same tensor
        films = self._films(first)
        require_films(first, films)
        self._count = films.shape[0]
        names = tuple(spec.name for model in self._models.models for spec in model.outputs)
        try:
            version = str(ensemble.version)
            return self._engine.ask(
                Request(ensemble.name, version, first.film_input.name, names), films
            )
        except ModelNotServed:
            self._engine.forget(ensemble)
            return None
