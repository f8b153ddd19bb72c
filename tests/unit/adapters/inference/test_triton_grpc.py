"""What a Triton can answer, played by a gRPC server of the same protocol."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as service

from hilum.adapters.inference.triton_grpc import TritonEngine
from hilum.domain.errors import InferenceFailed, InferenceUnavailable, ModelNotServed
from tests.fakes.model_catalogue import small_model

MODEL = small_model()
FILMS = np.zeros((1, *MODEL.film_input.shape), np.uint8)


class PlayedTriton(service.GRPCInferenceServiceServicer):
    """Fails with the given status codes in turn, then answers rightly.

    Attributes:
        failures: Codes still to come.
        always: A code for every call once those are used up.
        model_ready: What it says of the model.
        requests: Inference requests so far.
    """

    def __init__(self) -> None:
        self.failures: deque[grpc.StatusCode] = deque()
        self.always: grpc.StatusCode | None = None
        self.model_ready = True
        self.requests: list[messages.ModelInferRequest] = []

    def ModelInfer(self, request, context):  # noqa: N802 - the protocol's name
        self.requests.append(request)
        code = self.failures.popleft() if self.failures else self.always
        if code is not None:
            context.abort(code, "told to fail\nand a second line")
        response = messages.ModelInferResponse(model_name=request.model_name)
        for spec in MODEL.outputs:
            shape = (1, *spec.shape)
            response.outputs.add(name=spec.name, datatype="FP32", shape=shape)
            response.raw_output_contents.append(np.full(shape, 0.25, np.float32).tobytes())
        return response

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
    assert (answer.probabilities == np.float32(0.25)).all()
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
