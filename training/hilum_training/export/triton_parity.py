"""A real Triton, where one is installed, as a runtime to hold against the trained network."""

from __future__ import annotations

import http.client
import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

try:
    from hilum_stack.errors import ServerMissing
    from hilum_stack.triton import TritonServer
except ModuleNotFoundError:  # an environment without the package that starts servers
    TritonServer = None  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest
    from hilum_training.export.parity import Answer

_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "UINT8": np.dtype(np.uint8),
    "FP32": np.dtype(np.float32),
}
_HEADER_LENGTH: Final = "Inference-Header-Content-Length"
_TIMEOUT_S: Final = 120.0
# Triton refuses more films at once than the configuration allows; see hilum.serving.target.
_BATCH: Final = 32


@contextmanager
def triton_runtime(repository: Path, manifest: ModelManifest) -> Iterator[Answer | None]:
    """A Triton that serves a repository while the context lasts; None where none is installed.

    Args:
        repository: Folder that holds the model's folder.
        manifest: The model to ask.
    """
    if TritonServer is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            server = TritonServer(Path(folder), repository).launch()
        except ServerMissing:
            yield None
            return
        try:
            yield lambda films: _ask_in_batches(server.http_port, manifest, films)
        finally:
            server.stop()


def _ask_in_batches(
    port: int, manifest: ModelManifest, films: NDArray[np.uint8]
) -> Mapping[str, Any]:
    parts = [
        _ask(port, manifest, films[start : start + _BATCH])
        for start in range(0, len(films), _BATCH)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _ask(port: int, manifest: ModelManifest, films: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """One request (KServe predict protocol v2 over HTTP, with Triton's binary tensor data)."""
    film = {
        "name": manifest.film_input.name,
        "shape": films.shape,
        "datatype": "UINT8",
        "parameters": {"binary_data_size": films.nbytes},
    }
    header = json.dumps({"inputs": [film], "parameters": {"binary_data_output": True}}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request(
            "POST",
            f"/v2/models/{manifest.name}/versions/{manifest.serving_version}/infer",
            body=header + films.tobytes(),
            headers={_HEADER_LENGTH: str(len(header))},
        )
        response = connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise RuntimeError(f"Triton answered {response.status}: {body[:300]!r}")
        return _outputs(body, int(response.getheader(_HEADER_LENGTH, str(len(body)))))
    finally:
        connection.close()


def _outputs(body: bytes, header_length: int) -> dict[str, NDArray[Any]]:
    outputs = {}
    offset = header_length
    for output in json.loads(body[:header_length])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        values = np.frombuffer(body[offset : offset + size], _DTYPES[output["datatype"]])
        outputs[output["name"]] = values.reshape(output["shape"])
        offset += size
    return outputs
