"""What a Triton can answer, played by a gRPC server of the same protocol."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import grpc
import numpy as np
import pytest
from tritonclient.grpc import model_config_pb2
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as service

from hilum.adapters.inference.triton_grpc import TritonEngine
from hilum.domain.errors import InferenceFailed, InferenceUnavailable, ModelNotServed
from hilum.domain.model import Ensemble, ModelSet
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model, whole_set

MODEL = small_model()
FILMS = np.zeros((1, *MODEL.film_input.shape), np.uint8)
SET = InMemoryModelCatalogue(whole_set()).current().models
VERSIONS = {model.name: model.serving_version for model in SET}
ENSEMBLE = Ensemble("hilum", VERSIONS)
SPECS = {spec.name: spec for model in (MODEL, *SET) for spec in model.outputs}


class PlayedTriton(service.GRPCInferenceServiceServicer):
    """Fails with the given status codes in turn, then answers rightly.

    Attributes:
        failures: Codes still to come.
        always: A code for every call once those are used up.
        model_ready: What it says of the model.
        requests: Inference requests so far.
        steps: Models and versions of the ensemble that it runs; None where it has none.
        looks: How often it was asked for that.
        refused: Code for requests to the ensemble.
    """

    def __init__(self) -> None:
        self.failures: deque[grpc.StatusCode] = deque()
        self.always: grpc.StatusCode | None = None
        self.model_ready = True
        self.requests: list[messages.ModelInferRequest] = []
        self.steps: dict[str, int] | None = None
        self.looks = 0
        self.refused: grpc.StatusCode | None = None

    def ModelInfer(self, request, context):  # noqa: N802 - the protocol's name
        self.requests.append(request)
        code = self.failures.popleft() if self.failures else self.always
        if request.model_name == ENSEMBLE.name:
            code = code or self.refused
        if code is not None:
            context.abort(code, "told to fail\nand a second line")
        response = messages.ModelInferResponse(model_name=request.model_name)
        for output in request.outputs:
            shape = (1, *SPECS[output.name].shape)
            masks = SPECS[output.name].dtype == "uint8"
            kind = "UINT8" if masks else "FP32"
            response.outputs.add(name=output.name, datatype=kind, shape=shape)
            values = np.full(shape, 0 if masks else 0.25, np.uint8 if masks else np.float32)
            response.raw_output_contents.append(values.tobytes())
        return response

    def ModelConfig(self, request, context):  # noqa: N802
        self.looks += 1
        if self.steps is None or request.name != ENSEMBLE.name:
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown model {request.name}")
        config = model_config_pb2.ModelConfig(name=request.name)
        for name, version in self.steps.items():
            config.ensemble_scheduling.step.add(model_name=name, model_version=version)
        return messages.ModelConfigResponse(config=config)

    def ModelReady(self, request, context):  # noqa: N802, ARG002
        return messages.ModelReadyResponse(ready=self.model_ready)

    def ServerReady(self, request, context):  # noqa: N802, ARG002
        return messages.ServerReadyResponse(ready=True)


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
