"""Every setting of every process, by group.

Durations end in ``_seconds``, sizes in ``_bytes``, ports in ``_port`` or are one, counts begin
with ``max_``. Secrets have no default. Addresses count as secrets, because they may hold passwords.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import NoDecode

from hilum.domain.job import Priority
from hilum.runtime.delivery_group import Delivery
from hilum.runtime.listener_group import Listener
from hilum.runtime.settings import Group, Old, ProcessSettings, settings_of


class Database(Group):
    """Where rows are.

    Attributes:
        url: ``sqlite:////abs/path`` or ``postgresql://...``.
    """

    url: SecretStr


class ObjectStore(Group):
    """Where the bytes of images are.

    Attributes:
        url: ``file:///abs/path`` or ``s3://ACCESS:SECRET@host:port/bucket``.
    """

    url: SecretStr


class Broker(Group):
    """What brings wake-ups to workers.

    Attributes:
        url: ``filesystem:///abs/path`` or ``redis://...``.
    """

    url: SecretStr


class Inference(Group):
    """What runs the networks.

    Attributes:
        url: ``onnx://`` (in this process) or ``triton://host:port?deadline=10``.
    """

    url: str


class Model(Group):
    """The models that are served.

    Attributes:
        repository: Folder of their manifests and cards, and of the graphs for ``onnx://``.
    """

    repository: Path


class Metrics(Group):
    """The Prometheus endpoint: plain HTTP without a key.

    Attributes:
        port: Its port. None by default: then a worker has none, and the gateway answers
            ``/metrics`` without a key on its main port. Where there is such a port, ``/metrics``
            on the main one needs an API key.
        host: Address that it listens on.
    """

    port: int | None = Field(default=None, ge=0, le=65535)
    host: str = "127.0.0.1"


class Log(Group):
    """What is logged.

    Attributes:
        level: Lowest level that is written.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Tracing(Group):
    """Traces over OTLP.

    Attributes:
        endpoint: Collector that takes OTLP over HTTP, e.g. ``http://collector:4318``. None by
            default: then nothing is traced.
        ratio: Share of the requests without a trace of their own that are traced.
    """

    endpoint: str | None = None
    ratio: float = Field(default=1.0, ge=0, le=1)


class Image(Group):
    """Limits of an image, checked on its header before anything is decoded.

    Attributes:
        max_bytes: Largest file.
        max_pixels: Most pixels, rows x columns.
        max_compression_ratio: Largest decoded bytes / encoded bytes.
    """

    max_bytes: Annotated[int, Old("MAX_FILE_BYTES")] = Field(default=64 * 1024 * 1024, gt=0)
    max_pixels: Annotated[int, Old("MAX_PIXELS")] = Field(default=36_000_000, gt=0)
    max_compression_ratio: Annotated[float, Old("MAX_COMPRESSION_RATIO")] = Field(
        default=200.0, gt=1
    )


class Http(Group):
    """The gateway's main port.

    Attributes:
        host: Address to bind.
        port: Port to bind.
        trusted_proxies: Addresses whose ``X-Forwarded-*`` headers are believed, comma-separated;
            empty believes nobody.
        max_threads: Threads that answer requests; each holds one database connection at most.
        max_connections: Most open connections. A further one is answered with 503.
        max_connections_per_address: Most open connections of one address. A further one is closed.
        header_timeout_seconds: Longest time for the head of a request.
        shutdown_grace_seconds: How long a stopping server waits for running requests.
    """

    host: Annotated[str, Old("HOST")] = "127.0.0.1"
    port: Annotated[int, Old("PORT")] = Field(default=8080, ge=0, le=65535)
    trusted_proxies: Annotated[str, Old("TRUSTED_PROXIES")] = ""
    max_threads: Annotated[int, Old("REQUEST_THREADS")] = Field(default=16, gt=0)
    max_connections: Annotated[int, Old("MAX_CONNECTIONS")] = Field(default=1024, gt=0)
    max_connections_per_address: Annotated[int, Old("MAX_CONNECTIONS_PER_ADDRESS")] = Field(
        default=512, gt=0
    )
    header_timeout_seconds: Annotated[float, Old("HEADER_TIMEOUT_S")] = Field(default=10.0, gt=0)
    shutdown_grace_seconds: Annotated[int, Old("SHUTDOWN_GRACE_S")] = Field(default=30, ge=0)


class Tls(Group):
    """The gateway's certificate.

    Attributes:
        certificate: PEM file; with it the gateway speaks HTTPS, and nothing else. It is read
            again when it changes.
        key: PEM file of its private key, read again when it changes.
    """

    certificate: Path | None = None
    key: Path | None = Field(default=None, validate_default=True)

    @field_validator("key")
    @classmethod
    def _needs_both(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if (key is None) != (info.data.get("certificate") is None):
            raise ValueError(
                "HILUM_TLS_CERTIFICATE and HILUM_TLS_KEY are set together or not at all"
            )
        return key


class Session(Group):
    """Browser sessions.

    Attributes:
        secret: Signs the cookies of people who signed in.
        secure_cookies: Cookies are for HTTPS only; set it wherever TLS is in front. With a
            certificate of its own the gateway does so by itself.
    """

    secret: SecretStr = Field(min_length=32)
    secure_cookies: Annotated[bool, Old("SECURE_COOKIES")] = False


class Upload(Group):
    """Uploads over HTTP.

    Attributes:
        max_bytes: Largest body.
        max_files: Most files.
        max_threads: Uploads that are taken in at once; a further one waits for its turn. They
            need a database connection for their last few milliseconds only.
        max_threads_per_key: Of them, most of one API key.
        max_threads_per_address: Of them, most from one address. Behind a proxy that is not
            among ``HILUM_HTTP_TRUSTED_PROXIES`` all senders have one address.
        stall_seconds: Longest wait for the next 320 KiB.
        min_bytes_per_second: Least rate over the whole body. It counts from ``stall_seconds`` on,
            and only while the gateway waits for bytes.
    """

    max_bytes: Annotated[int, Old("MAX_REQUEST_BYTES")] = Field(default=512 * 1024 * 1024, gt=0)
    max_files: Annotated[int, Old("MAX_FILES")] = Field(default=64, gt=0)
    max_threads: Annotated[int, Old("UPLOAD_THREADS")] = Field(default=32, gt=0)
    max_threads_per_key: Annotated[int, Old("UPLOAD_THREADS_PER_KEY")] = Field(default=8, gt=0)
    max_threads_per_address: Annotated[int, Old("UPLOAD_THREADS_PER_ADDRESS")] = Field(
        default=24, gt=0
    )
    stall_seconds: Annotated[float, Old("UPLOAD_STALL_S")] = Field(default=60.0, gt=0)
    min_bytes_per_second: Annotated[float, Old("UPLOAD_MIN_BYTES_PER_S")] = Field(
        default=16 * 1024, ge=0
    )


class Events(Group):
    """Event streams.

    Attributes:
        poll_seconds: How often changes are looked up while somebody listens.
        heartbeat_seconds: Silence on a stream after which a comment is sent.
        key_check_seconds: How soon a stream ends whose key was revoked.
    """

    poll_seconds: Annotated[float, Old("EVENTS_POLL_S")] = Field(default=0.5, gt=0)
    heartbeat_seconds: Annotated[float, Old("EVENTS_HEARTBEAT_S")] = Field(default=15.0, gt=0)
    key_check_seconds: Annotated[float, Old("EVENTS_KEY_CHECK_S")] = Field(default=5.0, gt=0)


def _default_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


_OTHER_QUEUES: Final = ("delivery", "operations")
_QUEUES: Final = (*(priority.value for priority in Priority), *_OTHER_QUEUES)


class Worker(Group):
    """One worker process.

    Attributes:
        name: Owner of this worker's leases; differs between any two live workers. Host name and
            process id by default.
        max_slots: Images at once, one thread each.
        queues: What it runs, comma-separated; all by default: ``stat``, ``routine`` and ``batch``
            for jobs of that priority, ``delivery`` and ``operations``. A worker of which only
            priorities are named runs deliveries and operations as well. Whatever the order here, a
            worker empties its queues in the order of urgency.
        ready_file: Exists while the worker takes work.
    """

    name: str = Field(default_factory=_default_name, min_length=1)
    max_slots: Annotated[int, Old("WORKER_CONCURRENCY")] = Field(default=2, ge=1, le=64)
    queues: Annotated[tuple[str, ...], NoDecode] = _QUEUES
    ready_file: Path | None = None

    @field_validator("queues", mode="before")
    @classmethod
    def _read_queues(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        names = [name.strip().removeprefix("analysis.") for name in given.split(",")]
        if unknown := [name for name in names if name not in _QUEUES]:
            raise ValueError(f"{unknown[0]!r} is no queue; there are {', '.join(_QUEUES)}")
        if not set(names) & set(_OTHER_QUEUES):
            names += _OTHER_QUEUES
        return tuple(name for name in _QUEUES if name in names)

    @property
    def priorities(self) -> tuple[Priority, ...]:
        """Return the priorities of the jobs that it analyses."""
        return tuple(priority for priority in Priority if priority.value in self.queues)


class Queue(Group):
    """How jobs are kept, tried again and found again.

    Attributes:
        lease_seconds: How long a silent worker keeps its jobs.
        max_run_seconds: How long a job may run before its worker gives up its lease.
        reconcile_seconds: Time between two reconciliations.
        ageing_seconds: How long a batch job waits before it becomes a routine one.
        ring_patience_seconds: Has no effect. It goes with 0.4.0.
        low_water: Has no effect. It goes with 0.4.0.
        max_attempts: Claims before a job is dead-lettered.
        max_losses: Lost workers before a job is dead-lettered.
        backoff_base_seconds: Delay after the first attempt.
        backoff_cap_seconds: Longest delay.
        attempt_age_seconds: How long the record of an attempt is kept; 90 days by default.
    """

    lease_seconds: Annotated[float, Old("LEASE_SECONDS")] = Field(default=15, gt=0)
    max_run_seconds: Annotated[float, Old("MAX_RUN_SECONDS")] = Field(default=300, gt=0)
    reconcile_seconds: Annotated[float, Old("RECONCILE_SECONDS")] = Field(default=2, gt=0)
    ageing_seconds: float = Field(default=14_400, gt=0)
    ring_patience_seconds: Annotated[float, Old("RING_PATIENCE_SECONDS")] = Field(default=15, gt=0)
    low_water: Annotated[int, Old("LOW_WATER")] = Field(default=500, ge=1)
    max_attempts: Annotated[int, Old("MAX_ATTEMPTS")] = Field(default=12, ge=1)
    max_losses: Annotated[int, Old("MAX_LOSSES")] = Field(default=3, ge=1)
    backoff_base_seconds: Annotated[float, Old("BACKOFF_BASE_SECONDS")] = Field(default=1, gt=0)
    backoff_cap_seconds: Annotated[float, Old("BACKOFF_CAP_SECONDS")] = Field(default=300, gt=0)
    attempt_age_seconds: float = Field(default=7_776_000, gt=0)

    @model_validator(mode="after")
    def _check_backoff(self) -> Self:
        if self.backoff_cap_seconds < self.backoff_base_seconds:
            raise ValueError(
                "HILUM_QUEUE_BACKOFF_CAP_SECONDS is below HILUM_QUEUE_BACKOFF_BASE_SECONDS"
            )
        return self

    @property
    def heartbeat_seconds(self) -> float:
        """Return the time between heartbeats: two may fail before a lease is lost."""
        return self.lease_seconds / 3


class Api(Group):
    """The gateway, as the command reaches it.

    Attributes:
        url: Its address.
        key: API key of the one who runs the command.
    """

    url: Annotated[str, Old("URL")] = "http://127.0.0.1:8080"
    key: SecretStr | None = None


class BackupStore(Group):
    """Where backups are.

    Attributes:
        url: ``file:///abs/path`` or ``s3://ACCESS:SECRET@host:port/bucket``.
    """

    url: SecretStr


class EverySetting(ProcessSettings):
    """Every group; a process has some of them."""

    database: Database
    object_store: ObjectStore
    broker: Broker
    inference: Inference
    model: Model
    metrics: Metrics
    log: Log
    tracing: Tracing
    image: Image
    http: Http
    tls: Tls
    session: Session
    upload: Upload
    events: Events
    worker: Worker
    queue: Queue
    listener: Listener
    delivery: Delivery
    api: Api
    backup_store: BackupStore


ELSEWHERE: Final = {
    "HILUM_TRITON_INTRA_OP_THREADS": "Triton's models: threads of one ONNX Runtime session.",
    "HILUM_TRITON_SITE_PACKAGES": "Triton's Python models: folder of what they import.",
    "HILUM_DATABASE_PASSWORD": "Chart and compose.yaml: part of `HILUM_DATABASE_URL`.",
    "HILUM_BROKER_PASSWORD": "Chart and compose.yaml: part of `HILUM_BROKER_URL`.",
    "HILUM_OBJECT_STORE_ACCESS_KEY": "Chart: part of `HILUM_OBJECT_STORE_URL`.",
    "HILUM_OBJECT_STORE_SECRET_KEY": "Chart: part of `HILUM_OBJECT_STORE_URL`.",
    "HILUM_MODELS_URL": "Chart: bucket that `hilum-engine install` reads.",
    "HILUM_CXR_DIR": "`make demo` and tests: folder of images.",
    "HILUM_CASES_DIR": "Tests: folder of images made after public bug reports.",
    "HILUM_CLUSTER": "Tests: name of the cluster that they use.",
    "HILUM_CI_CLUSTER": "CI: whether the tests of the cluster run in any case.",
    "HILUM_BUILD_CA": "`make images`: certificate authority of the package index.",
    "HILUM_BUILD_PIP_CONF": "`make images`: configuration of pip.",
}
"""Names that something else reads, which may be in the environment of a process too."""


def known_names() -> set[str]:
    """Return every name of a variable that some part of Hilum reads, old ones among them."""
    names = {name for each in settings_of(EverySetting) for name in (each.name, each.old) if name}
    return names | {*ELSEWHERE}
