"""Run every model once before the first film."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from hilum.domain.errors import InferenceUnavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.application.ports.inference import InferenceEngine
    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.domain.model import ModelManifest

_LOG = logging.getLogger(__name__)


def warm_up(catalogue: ModelCatalogue, engine: InferenceEngine) -> bool:
    """Infer a blank film with every model, so that the first real one does not pay for loading.

    An inference server that is down is no reason to stay down as well: its films wait with a
    backoff. A model that it cannot serve is one, because every film would be parked for it.

    Returns:
        Whether every model answered.

    Raises:
        InvalidManifest: The model repository is not in order.
        ModelNotServed: The engine has no such model or version.
        InferenceFailed: The model gives something other than its manifest promises.
    """
    models = catalogue.current()
    reading = engine.read(models, _blank)
    for model in models.models:
        try:
            reading.outputs(model)
        except InferenceUnavailable as error:
            _LOG.warning("not warmed up: %s", error)
            return False
    _LOG.info("model set %s is warm", models.version)
    return True


def _blank(model: ModelManifest) -> NDArray[np.uint8]:
    return np.zeros((1, *model.film_input.shape), dtype=np.uint8)
