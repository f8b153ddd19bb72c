"""Warm-up: models are run once before the first film."""

from __future__ import annotations

import numpy as np
import pytest

from hilum.domain.errors import InvalidManifest, ModelNotServed
from hilum_worker.warm_up import warm_up
from tests.fakes.inference import BandEngine
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model

MODELS = [small_model(), small_model("tb", panel="tuberculosis")]


def test_every_model_reads_one_blank_film():
    """Of its own input's shape."""
    engine = BandEngine(MODELS)
    assert warm_up(InMemoryModelCatalogue(MODELS), engine)
    assert [films.shape for films in engine.calls] == [(1, 32, 32, 1)] * 2
    assert all(films.dtype == np.uint8 and not films.any() for films in engine.calls)


def test_an_engine_that_is_down_does_not_keep_the_worker_from_starting():
    """Its films wait with a backoff."""
    engine = BandEngine(MODELS)
    engine.available = False
    assert warm_up(InMemoryModelCatalogue(MODELS), engine) is False


def test_a_model_that_is_not_served_keeps_the_worker_from_starting():
    """Or else it would park every film."""
    with pytest.raises(ModelNotServed):
        warm_up(InMemoryModelCatalogue(MODELS), BandEngine(MODELS[:1]))


def test_a_repository_that_is_not_in_order_keeps_the_worker_from_starting():
    """Likewise."""
    with pytest.raises(InvalidManifest):
        warm_up(InMemoryModelCatalogue([]), BandEngine([]))
