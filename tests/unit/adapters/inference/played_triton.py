"""A gRPC server of Triton's protocol that answers, and fails, as it is told."""

from __future__ import annotations

from collections import deque

import grpc
import numpy as np
from tritonclient.grpc import model_config_pb2
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as service

from hilum.domain.model import Ensemble
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model, whole_set

MODEL = small_model()
FILMS = np.zeros((1, *MODEL.film_input.shape), np.uint8)
SET = InMemoryModelCatalogue(whole_set()).current().models
VERSIONS = {model.name: model.serving_version for model in SET}
ENSEMBLE = Ensemble("hilum", VERSIONS, version=4711)
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
        pinned = (ENSEMBLE.name, str(ENSEMBLE.version))
        if self.steps is None or (request.name, request.version) != pinned:
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown model {request.name}")
        config = model_config_pb2.ModelConfig(name=request.name)
        for name, version in self.steps.items():
            config.ensemble_scheduling.step.add(model_name=name, model_version=version)
        return messages.ModelConfigResponse(config=config)

    def ModelReady(self, request, context):  # noqa: N802, ARG002
        return messages.ModelReadyResponse(ready=self.model_ready)

    def ServerReady(self, request, context):  # noqa: N802, ARG002
        return messages.ServerReadyResponse(ready=True)
