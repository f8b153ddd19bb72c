"""A model that is not served, and an engine that is down, are told apart."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hilum.adapters.inference.inference import open_inference
from hilum.adapters.inference.triton_grpc import TritonEngine
from hilum.domain.errors import InferenceUnavailable, ModelNotServed
from hilum.domain.model import Artefact
from tests.contract.frozen import frozen
from tests.contract.inference.golden_films import assert_same, golden_film, golden_films
from tests.fakes.inference import BandEngine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hilum.application.ports.inference import InferenceEngine, Outputs
    from hilum.domain.model import ModelManifest
    from hilum_stack.triton import TritonServer

BACK_WITHIN_S = 60.0


def other_version(model: ModelManifest) -> ModelManifest:
    """A version of the model that nothing serves."""
    return replace(
        model, serving_version=7, onnx="7/model.onnx", artefacts=(Artefact("7/model.onnx", "", 1),)
    )


def other_model(model: ModelManifest) -> ModelManifest:
    """A model that nothing serves."""
    return replace(model, name="unheard-of")


@pytest.mark.parametrize("other", [other_version, other_model])
def test_what_is_not_served_is_told_so(engine, model, other):
    """A version or model that is not served is a wrong installation, not an outage."""
    with pytest.raises(ModelNotServed):
        engine.infer(other(model), golden_films(model))
    with pytest.raises(ModelNotServed):
        engine.check(other(model))


def test_checks(engine, model):
    """An engine that can run the model says so."""
    engine.check(model)


def until_it_answers(
    engine: InferenceEngine, model: ModelManifest, films: NDArray[np.uint8]
) -> Outputs:
    """Ask until the engine is back; each attempt waits by itself."""
    deadline = time.monotonic() + BACK_WITHIN_S
    while True:
        try:
            return engine.infer(model, films)
        except InferenceUnavailable:
            if time.monotonic() > deadline:
                raise


@pytest.mark.parametrize("kind", ["fake", pytest.param("triton", marks=pytest.mark.real)])
def test_an_outage_ends_when_it_ends(request, kind, models):
    """While the engine is down every call says so, and afterwards the same object works."""
    model = models.models[0]
    films = golden_films(model)
    fake = BandEngine(models.models)
    server: TritonServer | None = None
    engine: InferenceEngine = fake
    if kind == "triton":
        server = request.getfixturevalue("triton")
        engine = open_inference(server.url, Path())
    before = engine.infer(model, films)
    fake.available = False
    if server is not None:
        server.kill()
    try:
        with pytest.raises(InferenceUnavailable):
            engine.infer(model, films)
        with pytest.raises(InferenceUnavailable):
            engine.check(model)
        with pytest.raises(InferenceUnavailable):
            engine.read(models, golden_film).outputs(model)
    finally:
        fake.available = True
        if server is not None:
            server.launch()
    assert_same(until_it_answers(engine, model, films), before)


@pytest.mark.real
def test_a_triton_that_hangs_is_given_up_at_the_deadline(models, triton):
    """A call never waits longer than its deadline, and the next one after the hang succeeds."""
    model = models.models[0]
    films = golden_films(model)
    engine = TritonEngine(triton.grpc_endpoint, deadline_s=0.5)
    until_it_answers(engine, model, films[:1])
    with frozen(triton), pytest.raises(InferenceUnavailable, match="DEADLINE_EXCEEDED"):
        engine.infer(model, films)
    until_it_answers(engine, model, films[:1])
