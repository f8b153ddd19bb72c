"""Warm-up: models are run once before the first film."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hilum.application.models.models_of_site import KEPT, ModelsOfSite
from hilum.domain.errors import InvalidManifest, ModelNotServed
from hilum_worker.warm_up import warm_up
from tests.fakes.clock import SettableClock
from tests.fakes.inference import BandEngine
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model
from tests.fakes.unit_of_work import InMemoryUnitOfWork

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


def test_a_version_that_waits_to_be_promoted_need_not_be_served():
    """The versions in force are warmed up; without a database the newest are."""
    clock, rows = SettableClock(), InMemoryUnitOfWork()
    catalogue = InMemoryModelCatalogue(MODELS)
    models = ModelsOfSite(catalogue=catalogue, unit_of_work=rows, clock=clock)
    assert warm_up(models, BandEngine(MODELS))
    newer = replace(MODELS[0], version="2.0.0", serving_version=2)
    catalogue.older, catalogue.models = (MODELS[0],), (newer, MODELS[1])
    clock.advance(KEPT)
    assert warm_up(models, BandEngine(MODELS))
    rows.available = False
    unasked = ModelsOfSite(catalogue=catalogue, unit_of_work=rows, clock=clock)
    with pytest.raises(ModelNotServed):
        warm_up(unasked, BandEngine(MODELS))
    assert warm_up(unasked, BandEngine([newer, MODELS[1]]))
