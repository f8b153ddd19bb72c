"""Triton Python backend model: ONNX Runtime on a CPU (copied to ``<version>/model.py``).

Runs any graph with one film input and all the outputs that the configuration names.

Triton's Python stub takes no notice of PYTHONPATH. The environment that holds numpy and onnxruntime
is therefore named by ``HILUM_TRITON_SITE_PACKAGES`` and put on the path before they are imported.
"""

from __future__ import annotations

import os
import sys

if os.environ.get("HILUM_TRITON_SITE_PACKAGES"):
    sys.path.insert(0, os.environ["HILUM_TRITON_SITE_PACKAGES"])

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

# Exists only inside Triton's own interpreter.
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found]


class TritonPythonModel:
    """One instance of the model."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the graph that the configuration names, with the threads that it gives."""
        config = json.loads(args["model_config"])
        parameters = {key: item["string_value"] for key, item in config["parameters"].items()}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(
            os.environ.get("HILUM_TRITON_INTRA_OP_THREADS") or parameters["intra_op_threads"]
        )
        options.inter_op_num_threads = 1
        # Idle threads that spin take the cores from the workers on the same machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._input = config["input"][0]["name"]
        self._shape = tuple(int(axis) for axis in config["input"][0]["dims"])
        self._outputs = [item["name"] for item in config["output"]]
        # Versions are served beside one another, each with the graph in its own folder.
        version = Path(args["model_repository"]) / args["model_version"]
        self._session = onnxruntime.InferenceSession(
            str(version / parameters["graph"]),
            options,
            providers=["CPUExecutionProvider"],
        )

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer a batch of requests with one run; a bad request fails alone."""
        responses: list[Any] = [None] * len(requests)
        films: list[Any] = []
        places: list[int] = []
        for place, request in enumerate(requests):
            try:
                films.append(self._films(request))
                places.append(place)
            except ValueError as error:
                responses[place] = _failure(str(error))
        if films:
            for place, response in zip(places, self._answer(films), strict=True):
                responses[place] = response
        return responses

    def _films(self, request: Any) -> Any:
        """The request's films, uint8 [n, H, W, 1]."""
        tensor = pb_utils.get_input_tensor_by_name(request, self._input)
        if tensor is None:
            raise ValueError(f"the request has no input {self._input}")
        films = tensor.as_numpy()
        if films.dtype != np.uint8 or films.shape[1:] != self._shape:
            raise ValueError(
                f"{self._input} is {films.dtype} {films.shape[1:]}, not uint8 {self._shape}"
            )
        return films

    def _answer(self, films: list[Any]) -> list[Any]:
        """One response per request, in order."""
        try:
            outputs = self._session.run(self._outputs, {self._input: np.concatenate(films)})
        except Exception as error:  # noqa: BLE001 - an exception would fail Triton's whole batch
            return [_failure(f"ONNX Runtime: {error}") for _ in films]
        ends = np.cumsum([len(part) for part in films])[:-1]
        parts = zip(*(np.split(output, ends) for output in outputs), strict=True)
        return [
            pb_utils.InferenceResponse(
                output_tensors=[
                    pb_utils.Tensor(name, np.ascontiguousarray(value))
                    for name, value in zip(self._outputs, part, strict=True)
                ]
            )
            for part in parts
        ]


def _failure(message: str) -> Any:
    return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(message))
