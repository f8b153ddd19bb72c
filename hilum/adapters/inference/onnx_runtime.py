"""Models run by ONNX Runtime inside this process: the embedded default."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import onnxruntime

from hilum.adapters.inference.one_by_one import OneByOne
from hilum.adapters.inference.tensors import promised_outputs, require_films
from hilum.domain.errors import InferenceFailed, ModelNotServed

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from hilum.application.ports.inference import Films, Outputs, Reading
    from hilum.domain.model import ModelManifest, ModelSet

_ERROR_LEVEL = 3


class OnnxRuntimeEngine:
    """Loads a model's graph when it is first asked for, and keeps it.

    Nothing is loaded before the first call, so an engine that was made before a fork is safe to
    use after it. ONNX Runtime's sessions take calls from several threads.
    """

    def __init__(self, model_repository: Path, *, intra_op_threads: int = 1) -> None:
        """Use the graphs of a model repository.

        Args:
            model_repository: Folder that holds ``<model>/<path of the graph>``.
            intra_op_threads: Threads that one call may use. One is best where as many workers
                as cores run beside one another.
        """
        self._model_repository = model_repository
        self._intra_op_threads = intra_op_threads
        self._sessions: dict[tuple[str, str], onnxruntime.InferenceSession] = {}
        self._loading = threading.Lock()

    def infer(self, model: ModelManifest, films: NDArray[np.uint8]) -> Outputs:
        """Run a model on films; see the port. Never raises ``InferenceUnavailable``."""
        require_films(model, films)
        session = self._session(model)
        names = [spec.name for spec in model.outputs]
        try:
            tensors = session.run(names, {model.film_input.name: films})
        except Exception as error:  # ONNX Runtime's errors share no base class of their own
            raise InferenceFailed(f"{model.name} failed: {_first_line(error)}") from error
        return promised_outputs(model, dict(zip(names, tensors, strict=True)), films.shape[0])

    def read(self, models: ModelSet, films: Films) -> Reading:  # noqa: ARG002 - the port's name
        """Run each model of the set when its outputs are wanted; see the port."""
        return OneByOne(self, films)

    def check(self, model: ModelManifest) -> None:
        """Load the graph if it is not loaded yet; raises as :meth:`infer` does."""
        self._session(model)

    def _session(self, model: ModelManifest) -> onnxruntime.InferenceSession:
        graph = next(artefact for artefact in model.artefacts if artefact.path == model.onnx)
        key = (model.name, graph.sha256)
        session = self._sessions.get(key)
        if session is None:
            with self._loading:
                session = self._sessions.get(key)
                if session is None:
                    session = self._load(model, graph.sha256)
                    self._sessions[key] = session
        return session

    def _load(self, model: ModelManifest, sha256: str) -> onnxruntime.InferenceSession:
        try:
            # The session is made from the very bytes that were hashed.
            graph = (self._model_repository / model.name / model.onnx).read_bytes()
        except OSError as error:
            raise ModelNotServed(
                f"the graph of {model.name} cannot be read: {error.strerror}"
            ) from error
        if hashlib.sha256(graph).hexdigest() != sha256:
            raise ModelNotServed(
                f"the graph of {model.name} is not the one that its manifest describes"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._intra_op_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERROR_LEVEL
        # Threads that spin while they wait take the cores from the other workers.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(
                graph, sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise InferenceFailed(
                f"the graph of {model.name} cannot be loaded: {_first_line(error)}"
            ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
