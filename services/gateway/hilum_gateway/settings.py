"""What the gateway is told by its environment; nothing else here reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hilum.imaging.film import FilmLimits


class Settings(BaseSettings):
    """Settings of one gateway process, each from ``HILUM_<NAME>``.

    Built in :func:`hilum_gateway.main.main`, never at import. Secrets have no defaults, and the
    three addresses count as secrets because they may hold passwords.

    Attributes:
        database_url: ``sqlite:////abs/path`` or ``postgresql://...``.
        object_store_url: ``file:///abs/path`` or ``s3://ACCESS:SECRET@host:port/bucket``.
        broker_url: ``filesystem:///abs/path`` or ``redis://...``.
        model_repository: Folder of the served models' manifests and cards.
        session_secret: Signs the cookies of people who signed in.
        host: Address to bind.
        port: Port to bind.
        metrics_port: Port of the Prometheus endpoint, plain HTTP without a key. None by default:
            then ``/metrics`` is answered without a key on the main port, for one machine. Where
            there is such a port, ``/metrics`` on the main one needs an API key.
        metrics_host: Address that the Prometheus endpoint listens on.
        tls_certificate: PEM file; with it the gateway speaks HTTPS, and nothing else. It is read
            again when it changes.
        tls_key: PEM file of its private key, likewise.
        log_level: Of everything that is logged.
        trusted_proxies: Addresses whose ``X-Forwarded-*`` headers are believed, comma-separated;
            empty believes nobody.
        secure_cookies: Cookies are for HTTPS only; set it wherever TLS is in front. With a
            certificate of its own the gateway does so by itself.
        max_file_bytes: Largest file of an upload.
        max_request_bytes: Largest body of an upload.
        max_files: Most files of an upload.
        max_pixels: Most pixels of a film, rows x columns.
        max_compression_ratio: Largest decoded bytes / encoded bytes of a film.
        upload_stall_s: Longest wait for the next 256 KiB of an upload, in seconds.
        upload_min_bytes_per_s: Least rate of an upload over its whole body, in bytes per second.
            It counts from ``upload_stall_s`` on, and only while the gateway waits for bytes.
        request_threads: Threads that answer requests; each holds one database connection at most.
        upload_threads: Uploads that are taken in at once; a further one waits for its turn. They
            need a connection for their last few milliseconds only.
        upload_threads_per_key: Of them, most of one API key.
        upload_threads_per_address: Of them, most from one address. Behind a proxy that is not
            among ``trusted_proxies`` all senders have one address.
        max_connections: Most open connections. A further one is answered with 503.
        max_connections_per_address: Most open connections of one address. A further one is closed.
        header_timeout_s: Longest time for the head of a request, in seconds.
        events_poll_s: How often changes are looked up while somebody listens to events.
        events_heartbeat_s: Silence on an event stream after which a comment is sent.
        events_key_check_s: How soon a stream ends whose key was revoked.
        shutdown_grace_s: How long a stopping server waits for running requests.
    """

    model_config = SettingsConfigDict(env_prefix="HILUM_", frozen=True, extra="ignore")

    database_url: SecretStr
    object_store_url: SecretStr
    broker_url: SecretStr
    model_repository: Path
    session_secret: SecretStr = Field(min_length=32)
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_host: str = "127.0.0.1"
    tls_certificate: Path | None = None
    tls_key: Path | None = Field(default=None, validate_default=True)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    trusted_proxies: str = ""
    secure_cookies: bool = False
    max_file_bytes: int = Field(default=FilmLimits().max_bytes, gt=0)
    max_request_bytes: int = Field(default=512 * 1024 * 1024, gt=0)
    max_files: int = Field(default=64, gt=0)
    max_pixels: int = Field(default=FilmLimits().max_pixels, gt=0)
    max_compression_ratio: float = Field(default=FilmLimits().max_compression_ratio, gt=1.0)
    upload_stall_s: float = Field(default=60.0, gt=0)
    request_threads: int = Field(default=16, gt=0)
    upload_threads: int = Field(default=32, gt=0)
    upload_threads_per_key: int = Field(default=8, gt=0)
    upload_threads_per_address: int = Field(default=24, gt=0)
    upload_min_bytes_per_s: float = Field(default=16 * 1024, ge=0)
    max_connections: int = Field(default=1024, gt=0)
    max_connections_per_address: int = Field(default=512, gt=0)
    header_timeout_s: float = Field(default=10.0, gt=0)
    events_poll_s: float = Field(default=0.5, gt=0)
    events_heartbeat_s: float = Field(default=15.0, gt=0)
    events_key_check_s: float = Field(default=5.0, gt=0)
    shutdown_grace_s: int = Field(default=30, ge=0)

    @field_validator("tls_key")
    @classmethod
    def _needs_both(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if (key is None) != (info.data.get("tls_certificate") is None):
            raise ValueError(
                "HILUM_TLS_CERTIFICATE and HILUM_TLS_KEY are set together or not at all"
            )
        return key

    @property
    def cookies_need_tls(self) -> bool:
        """Whether browsers are told to send cookies over HTTPS only."""
        return self.secure_cookies or self.tls_certificate is not None

    @property
    def database_connections(self) -> int:
        """Size of the pool: one a request thread, and some for the uploads that commit just now."""
        return self.request_threads + max(2, self.upload_threads // 4)
