"""Models served by Triton, over gRPC."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from hilum.adapters.inference.one_by_one import OneByOne
from hilum.adapters.inference.tensors import promised_outputs, require_films
from hilum.adapters.inference.together import Request, Together
from hilum.domain.errors import InferenceFailed, InferenceUnavailable, ModelNotServed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hilum.application.ports.inference import Films, Outputs, Reading
    from hilum.domain.model import Ensemble, ModelManifest, ModelSet

_RETRY_AFTER_S: Final = (0.1, 0.4)
_PROBE_TIMEOUT_S: Final = 2.0
_LOOK_AGAIN_S: Final = 30.0
_BUSY: Final = frozenset(
    {
        "StatusCode.UNAVAILABLE",
        "StatusCode.DEADLINE_EXCEEDED",
        "StatusCode.RESOURCE_EXHAUSTED",
        "StatusCode.CANCELLED",
    }
)
_MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_CHANNEL: Final = (
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    # A peer that vanished without a word is noticed between calls too, not at the next deadline.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 0),
    # gRPC waits up to two minutes between attempts to reach a server that is down; for that long
    # every call would fail after Triton is back. The smallest also bounds one attempt.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # A name may stand for several servers: they take requests in turn. The default would send all
    # of them to the first.
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
    # DNS is asked for addresses alone; it could name another policy.
    ("grpc.service_config_disable_resolution", 1),
    # gRPC asks again when a connection ends, at most this often; the default is half a minute.
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
)


class TritonEngine:
    """Asks the Tritons behind one name, in turn; safe to share between threads.

    A server that dies or leaves is done without: what it held is asked of another. gRPC looks the
    name up again whenever a connection ends, and only then; so that servers which were added are
    found, Triton is started with ``--grpc-max-connection-age`` and ends each connection now and
    then, between requests.

    The gRPC channel is made by the first call of a process, so that an engine which made no call
    yet can be carried through a fork. Calls from several threads travel on one channel, and
    Triton's dynamic batcher puts them together.
    """

    def __init__(self, endpoint: str, *, deadline_s: float = 10.0, secure: bool = False) -> None:
        """Describe the endpoint; connects to nothing.

        Args:
            endpoint: ``host:port`` of Triton's gRPC service, or any target that gRPC knows. In
                Kubernetes the name of a headless service: its addresses are those of the pods.
            deadline_s: How long one inference may take, with its retries, seconds.
            secure: TLS, checked against gRPC's default certificate authorities.
        """
        self._endpoint = endpoint
        self._deadline_s = deadline_s
        self._secure = secure
        self._clients: dict[int, InferenceServerClient] = {}
        self._ensembles: dict[tuple[str, int], tuple[float, dict[str, int] | None]] = {}
        self._connecting = threading.Lock()

    def infer(self, model: ModelManifest, films: NDArray[np.uint8]) -> Outputs:
        """Run a model on films; see the port.

        At most ``max_batch_size`` of the model's configuration at once, or it is refused.
        """
        require_films(model, films)
        outputs = self.ask(
            Request(
                model.name,
                str(model.serving_version),
                model.film_input.name,
                tuple(spec.name for spec in model.outputs),
            ),
            films,
        )
        return promised_outputs(model, outputs, films.shape[0])

    def read(self, models: ModelSet, films: Films) -> Reading:
        """One request for the whole set where an ensemble serves it; see the port."""
        return OneByOne(self, films) if models.together is None else Together(self, models, films)

    def ask(self, request: Request, films: NDArray[np.uint8]) -> dict[str, NDArray[Any] | None]:
        """Send one request, and again after a moment without a server.

        Returns:
            The outputs by name, as Triton gave them.

        Raises:
            InferenceUnavailable: As the port's ``infer``.
            ModelNotServed: Likewise.
            InferenceFailed: Likewise.
        """
        tensor = InferInput(request.input, list(films.shape), np_to_triton_dtype(films.dtype))
        tensor.set_data_from_numpy(films)
        deadline = time.monotonic() + self._deadline_s
        # None marks the last attempt: what it raises is final.
        for retry_after_s in (*_RETRY_AFTER_S, None):
            try:
                answer = self._client().infer(
                    request.model,
                    [tensor],
                    model_version=request.version,
                    outputs=[InferRequestedOutput(name) for name in request.outputs],
                    client_timeout=max(deadline - time.monotonic(), 0.001),
                )
            except InferenceServerException as error:
                pause_s = _pause(error, retry_after_s)
                if pause_s is None or time.monotonic() + pause_s >= deadline:
                    self._raise_translated(request, error)
                time.sleep(pause_s)
            else:
                break
        return {name: answer.as_numpy(name) for name in request.outputs}

    def serves(self, ensemble: Ensemble) -> bool:
        """Whether Triton runs this ensemble with these very versions.

        What it said is kept for half a minute: a Triton that is replaced under a running worker
        by one with other versions is noticed, and a film costs no second request.
        """
        now = time.monotonic()
        key = (ensemble.name, ensemble.version)
        looked_at, served = self._ensembles.get(key, (-_LOOK_AGAIN_S, None))
        if now - looked_at >= _LOOK_AGAIN_S:
            try:
                served = self._steps(ensemble)
            except InferenceServerException as error:
                if error.status() in _BUSY:
                    return False
                served = None
            self._ensembles[key] = (now, served)
        return served == dict(ensemble.models)

    def forget(self, ensemble: Ensemble) -> None:
        """Take an ensemble for not served, until it is looked for again."""
        self._ensembles[ensemble.name, ensemble.version] = (time.monotonic(), None)

    def check(self, model: ModelManifest) -> None:
        """Ask whether the pinned version is ready; see the port."""
        self._require_ready(model.name, str(model.serving_version))

    def _steps(self, ensemble: Ensemble) -> dict[str, int]:
        """The models of an ensemble and their versions, as Triton is configured now."""
        answer = self._client().get_model_config(
            ensemble.name, str(ensemble.version), client_timeout=_PROBE_TIMEOUT_S
        )
        return {
            step.model_name: step.model_version for step in answer.config.ensemble_scheduling.step
        }

    def _require_ready(self, model: str, version: str) -> None:
        client = self._client()
        try:
            if client.is_model_ready(model, version, client_timeout=_PROBE_TIMEOUT_S):
                return
            server_ready = client.is_server_ready(client_timeout=_PROBE_TIMEOUT_S)
        except InferenceServerException as error:
            raise InferenceUnavailable(_told(error)) from error
        if not server_ready:
            raise InferenceUnavailable("Triton is not ready yet")
        raise ModelNotServed(_not_served(model, version))

    def _client(self) -> InferenceServerClient:
        process = os.getpid()
        client = self._clients.get(process)
        if client is None:
            with self._connecting:
                client = self._clients.get(process)
                if client is None:
                    client = InferenceServerClient(
                        self._endpoint, ssl=self._secure, channel_args=list(_CHANNEL)
                    )
                    self._clients[process] = client
        return client

    def _raise_translated(self, request: Request, error: InferenceServerException) -> NoReturn:
        status = error.status()
        if status == "StatusCode.NOT_FOUND":
            raise ModelNotServed(_not_served(request.model, request.version)) from error
        if status == "StatusCode.UNAVAILABLE":
            # Also what Triton says of a model that it knows and could not load.
            self._require_ready(request.model, request.version)
        if status in _BUSY:
            raise InferenceUnavailable(_told(error)) from error
        raise InferenceFailed(f"{request.model} failed in Triton: {_told(error)}") from error


def _pause(error: InferenceServerException, retry_after_s: float | None) -> float | None:
    """Seconds to wait before another attempt, with jitter; None if there is to be none.

    Only what failed for want of a connection, or of room in the queue, is tried again.
    """
    if retry_after_s is None or error.status() != "StatusCode.UNAVAILABLE":
        return None
    return retry_after_s * random.uniform(0.5, 1.5)  # noqa: S311 - spreads clients, keeps no secret


def _not_served(model: str, version: str) -> str:
    return f"Triton serves no {f'version {version} of ' if version else ''}{model}"


def _told(error: InferenceServerException) -> str:
    status = str(error.status()).removeprefix("StatusCode.")
    return f"{status}: {str(error.message()).partition(chr(10))[0][:300]}"
