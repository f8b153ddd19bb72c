"""What a Triton can answer, played by a gRPC server of the same protocol."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2_grpc as service

from hilum.adapters.inference.triton_grpc import TritonEngine
from hilum.domain.errors import InferenceFailed, InferenceUnavailable, ModelNotServed
from hilum.domain.model import Ensemble, ModelSet
from tests.unit.adapters.inference.played_triton import (
    ENSEMBLE,
    FILMS,
    MODEL,
    SET,
    SPECS,
    VERSIONS,
    PlayedTriton,
)


@pytest.fixture
def triton():
    """What the server does."""
    return PlayedTriton()


@pytest.fixture
def engine(triton):
    """An engine that talks to it."""
    server = grpc.server(ThreadPoolExecutor(2))
    service.add_GRPCInferenceServiceServicer_to_server(triton, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield TritonEngine(f"127.0.0.1:{port}", deadline_s=5.0)
    server.stop(grace=None).wait()


def test_asks_for_the_pinned_version(engine, triton):
    """Triton never chooses the version: a newer one in its repository changes no result."""
    answer = engine.infer(MODEL, FILMS)
    assert (answer["pneumonia_probabilities"] == np.float32(0.25)).all()
    [request] = triton.requests
    assert (request.model_name, request.model_version) == (MODEL.name, str(MODEL.serving_version))
    assert [output.name for output in request.outputs] == [spec.name for spec in MODEL.outputs]


def test_a_moment_without_a_server_is_not_noticed(engine, triton):
    """A call that found no server is tried twice more."""
    triton.failures.extend([grpc.StatusCode.UNAVAILABLE] * 2)
    engine.infer(MODEL, FILMS)
    assert len(triton.requests) == 3


def test_a_longer_outage_is_told(engine, triton):
    """Three attempts without a server are an outage."""
    triton.always = grpc.StatusCode.UNAVAILABLE
    with pytest.raises(InferenceUnavailable):
        engine.infer(MODEL, FILMS)
    assert len(triton.requests) == 3


def test_an_unavailable_model_on_a_ready_server_is_not_served(engine, triton):
    """Triton says UNAVAILABLE of a model that it could not load; that is no outage."""
    triton.always = grpc.StatusCode.UNAVAILABLE
    triton.model_ready = False
    with pytest.raises(ModelNotServed):
        engine.infer(MODEL, FILMS)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.NOT_FOUND, ModelNotServed),
        (grpc.StatusCode.INVALID_ARGUMENT, InferenceFailed),
        (grpc.StatusCode.INTERNAL, InferenceFailed),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, InferenceUnavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, InferenceUnavailable),
    ],
)
def test_other_answers_are_final(engine, triton, code, error):
    """What another attempt would not change is told at once, in one line."""
    triton.always = code
    with pytest.raises(error) as raised:
        engine.infer(MODEL, FILMS)
    assert len(triton.requests) == 1
    assert "\n" not in raised.value.detail


def test_works_in_a_forked_child(engine):
    """A child makes a channel of its own, if its parent has made none."""
    child = os.fork()
    if child == 0:
        try:
            engine.infer(MODEL, FILMS)
        except BaseException:  # noqa: BLE001 - a child of pytest must not go on as pytest
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def read(engine, ensemble=ENSEMBLE):
    """Read one film with the whole set; the outputs of each model by its name."""
    reading = engine.read(ModelSet(SET, ensemble), lambda _: FILMS)
    return {model.name: reading.outputs(model) for model in SET}


def asked(triton):
    return [request.model_name for request in triton.requests]


def test_an_ensemble_is_asked_once_for_everything(engine, triton):
    """One request with every output; each model's promise is checked on its own part."""
    triton.steps = VERSIONS
    outputs = read(engine)
    assert asked(triton) == ["hilum"]
    [request] = triton.requests
    assert request.model_version == str(ENSEMBLE.version)
    assert {output.name for output in request.outputs} == {
        spec.name for model in SET for spec in model.outputs
    }
    for model in SET:
        assert set(outputs[model.name]) == {spec.name for spec in model.outputs}
    assert outputs["lungs"]["lungs_masks"].dtype == np.uint8


def test_nothing_is_asked_before_an_output_is_wanted(engine, triton):
    """A film that is not decoded after all costs nothing."""
    triton.steps = VERSIONS
    engine.read(ModelSet(SET, ENSEMBLE), lambda _: FILMS)
    assert (triton.requests, triton.looks) == ([], 0)


def test_what_triton_said_of_its_ensemble_is_kept_for_the_next_films(engine, triton):
    """A film costs one request, not two."""
    triton.steps = VERSIONS
    for _ in range(3):
        read(engine)
    assert (asked(triton), triton.looks) == (["hilum"] * 3, 1)


@pytest.mark.parametrize(
    "steps",
    [None, {}, {**VERSIONS, "chest": 2}, {**VERSIONS, "chest": -1}, {"gate": 1, "chest": 1}],
    ids=["none", "no ensemble", "version", "newest", "too few"],
)
def test_without_an_ensemble_of_these_versions_each_model_is_asked_by_itself(engine, triton, steps):
    """What runs in Triton decides, not what the repository of the worker says."""
    triton.steps = steps
    outputs = read(engine)
    assert asked(triton) == [model.name for model in SET]
    assert set(outputs) == set(VERSIONS)
    assert [request.model_version for request in triton.requests] == ["1"] * len(SET)


def test_a_set_that_names_no_ensemble_asks_triton_for_none(engine, triton):
    """A site that reads with other versions has none."""
    triton.steps = VERSIONS
    read(engine, None)
    read(engine, Ensemble("hilum", {**VERSIONS, "chest": 2}))
    assert "hilum" not in asked(triton)
    assert triton.looks == 0


def test_one_by_one_a_model_that_is_not_wanted_is_not_asked(engine, triton):
    """A film that the gate stops costs one request."""
    reading = engine.read(ModelSet(SET, None), lambda _: FILMS)
    reading.outputs(SET[0])
    reading.outputs(SET[0])
    assert asked(triton) == ["gate"]


def test_an_ensemble_that_vanished_is_done_without(engine, triton):
    """And not asked again for a while."""
    triton.steps = VERSIONS
    triton.refused = grpc.StatusCode.NOT_FOUND
    read(engine)
    read(engine)
    assert asked(triton) == ["hilum", *VERSIONS, *VERSIONS]
    assert triton.looks == 1


def test_an_ensemble_that_is_looked_for_again_is_found(engine, triton, monkeypatch):
    """After a Triton that serves it has taken the place of one that did not."""
    now = [1000.0]
    monkeypatch.setattr("hilum.adapters.inference.triton_grpc.time.monotonic", lambda: now[0])
    read(engine)
    triton.steps = VERSIONS
    read(engine)
    assert "hilum" not in asked(triton)
    now[0] += 31
    read(engine)
    assert asked(triton)[-1] == "hilum"


def test_an_outage_of_the_ensemble_is_an_outage(engine, triton):
    """Its models would not answer either."""
    triton.steps = VERSIONS
    triton.refused = grpc.StatusCode.RESOURCE_EXHAUSTED
    with pytest.raises(InferenceUnavailable):
        read(engine)


def test_an_ensemble_that_breaks_a_promise_fails(engine, triton, monkeypatch):
    """The model whose promise it was is named."""
    triton.steps = VERSIONS
    spec = SPECS["lungs_masks"]
    monkeypatch.setitem(SPECS, "lungs_masks", replace(spec, dtype="float32"))
    with pytest.raises(InferenceFailed, match="lungs promised lungs_masks as uint8"):
        read(engine)
