"""What the worker is told from outside: environment variables with the prefix ``HILUM_``."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hilum.application.messages import QUEUES
from hilum.domain.job import Priority
from hilum.imaging.film import FilmLimits


def _default_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class WorkerSettings(BaseSettings):
    """Settings of one worker process.

    Attributes:
        database_url: ``postgresql://...`` or ``sqlite:////absolute/path``.
        object_store_url: As :func:`hilum.adapters.object_store.open_object_store` takes it.
        broker_url: Celery's broker.
        inference_url: ``onnx://`` (in this process) or ``triton://host:port?deadline=10``.
        model_repository: Folder with the manifests (and, for ``onnx://``, the graphs).
        worker_name: Owner of this worker's leases; differs between any two live workers.
        worker_concurrency: Films at once, one thread each.
        worker_queues: The priorities whose jobs it reads, comma-separated; all by default. Whatever
            their order here, a worker empties its queues in the order of urgency.
        worker_ready_file: Exists while the worker takes work.
        lease_seconds: How long a silent worker keeps its jobs.
        max_run_seconds: How long a job may run before its worker gives up its lease.
        reconcile_seconds: Pause between two looks for forgotten jobs.
        ring_patience_seconds: Age at which the ring of a queued job counts as lost.
        low_water: Rings that the reconciler keeps waiting in each queue.
        max_attempts: Claims before a job is parked.
        max_losses: Lost workers before a job is parked.
        backoff_base_seconds: Delay after the first attempt.
        backoff_cap_seconds: Longest delay.
        metrics_port: Port of the Prometheus endpoint; none by default.
        metrics_host: Address that it listens on.
        log_level: Of this project's own loggers and of the root.
        max_file_bytes: Largest film, in bytes.
        max_pixels: Largest film, rows x columns.
        max_compression_ratio: Largest decoded bytes / encoded bytes.
    """

    model_config = SettingsConfigDict(env_prefix="HILUM_", frozen=True, extra="ignore")

    database_url: str
    object_store_url: str
    broker_url: str
    inference_url: str
    model_repository: Path

    worker_name: str = Field(default_factory=_default_name, min_length=1)
    worker_concurrency: int = Field(default=2, ge=1, le=64)
    worker_queues: Annotated[tuple[Priority, ...], NoDecode] = tuple(QUEUES)
    worker_ready_file: Path | None = None

    lease_seconds: float = Field(default=60, gt=0)
    max_run_seconds: float = Field(default=300, gt=0)
    reconcile_seconds: float = Field(default=5, gt=0)
    ring_patience_seconds: float = Field(default=15, gt=0)
    low_water: int = Field(default=500, ge=1)

    max_attempts: int = Field(default=12, ge=1)
    max_losses: int = Field(default=3, ge=1)
    backoff_base_seconds: float = Field(default=1, gt=0)
    backoff_cap_seconds: float = Field(default=300, gt=0)

    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_host: str = "127.0.0.1"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    max_file_bytes: int = Field(default=FilmLimits().max_bytes, ge=1)
    max_pixels: int = Field(default=FilmLimits().max_pixels, ge=1)
    max_compression_ratio: float = Field(default=FilmLimits().max_compression_ratio, gt=1)

    @field_validator("worker_queues", mode="before")
    @classmethod
    def _read_queues(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        names = [name.strip() for name in given.split(",")]
        known = {priority.value: priority for priority in QUEUES}
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"{unknown[0]!r} is no queue; there are {', '.join(known)}")
        return tuple(priority for name, priority in known.items() if name in names)

    @model_validator(mode="after")
    def _check_backoff(self) -> Self:
        if self.backoff_cap_seconds < self.backoff_base_seconds:
            raise ValueError("HILUM_BACKOFF_CAP_SECONDS is below HILUM_BACKOFF_BASE_SECONDS")
        return self

    @property
    def lease(self) -> timedelta:
        """How long a lease lasts without a heartbeat."""
        return timedelta(seconds=self.lease_seconds)

    @property
    def heartbeat_seconds(self) -> float:
        """Pause between heartbeats: two may fail before a lease is lost."""
        return self.lease_seconds / 3

    @property
    def film_limits(self) -> FilmLimits:
        """Limits of the decoder."""
        return FilmLimits(self.max_file_bytes, self.max_pixels, self.max_compression_ratio)
