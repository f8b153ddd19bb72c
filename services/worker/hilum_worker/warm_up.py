"""Run every model once before the first film."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from hilum.domain.errors import DatabaseUnavailable, InferenceUnavailable, InternalError
from hilum.domain.principal import DEFAULT_SITE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.application.ports.inference import InferenceEngine
    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.domain.model import ModelManifest, ModelSet

_LOG = logging.getLogger(__name__)


def warm_up(catalogue: ModelCatalogue, engine: InferenceEngine) -> bool:
    """Infer a blank film with every model, so that the first real one does not pay for loading.

    The versions are those that the site ``default``, and all that follow it, read with: one that is
    installed and waits to be promoted need not be served yet. An inference server that is down is
    no reason to stay down as well: its films wait with a backoff. A model that it cannot serve is
    one, because every film would be parked for it.

    Returns:
        Whether every model answered.

    Raises:
        InvalidManifest: The model repository is not in order.
        ModelNotServed: The engine has no such model or version, or it is not installed.
        InferenceFailed: The model gives something other than its manifest promises.
    """
    models = _in_force(catalogue)
    reading = engine.read(models, _blank)
    for model in models.models:
        try:
            reading.outputs(model)
        except InferenceUnavailable as error:
            _LOG.warning("warm_up.failed", extra={"error": error.sentence})
            return False
    _LOG.info("models.warmed", extra={"model_set": models.version})
    return True


def _in_force(catalogue: ModelCatalogue) -> ModelSet:
    try:
        return catalogue.of_site(DEFAULT_SITE)
    except (DatabaseUnavailable, InternalError) as error:
        # Down, or without its tables yet: it is waited for like the inference server. Most likely
        # the newest are in force.
        _LOG.warning("models.assumed", extra={"error": error.sentence})
        return catalogue.current()


def _blank(model: ModelManifest) -> NDArray[np.uint8]:
    return np.zeros((1, *model.film_input.shape), dtype=np.uint8)
