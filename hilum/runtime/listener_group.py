"""Settings of the DICOM listener."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from hilum.runtime.settings import Group

KIB = 1024
MIB = 1024 * KIB


class Listener(Group):
    """The DICOM listener.

    Attributes:
        host: Address to bind.
        port: Port for associations without TLS.
        ae_title: Called AE title that senders have to name.
        processes: Processes that share the ports. A process uses about one core.
        max_associations: Most associations of one process. A further one is rejected for the
            moment (2/3/2).
        max_bytes_in_flight: Most bytes of objects that one process holds. Beyond it only the
            oldest object goes on, and the others wait.
        max_pdu_bytes: Longest PDU that a peer may send.
        timeout_seconds: Longest time for a TLS handshake, for an association request, and for
            each 64 KiB of an object.
        idle_timeout_seconds: Longest time between two requests of an association.
        shutdown_grace_seconds: How long a stopping process waits for running objects.
        unknown_callers_site: Site of callers that are no peer. None by default: then they are
            rejected.
        tls_port: Port for associations over TLS with certificates on both sides. None by default:
            then there is none.
        tls_certificate_file: PEM file of the listener's certificate. It is read again when it
            changes, as are the other two.
        tls_key_file: PEM file of its private key.
        tls_ca_file: PEM file of the authorities that sign the certificates of peers.
        ready_file: Exists while every process takes associations.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=11112, ge=0, le=65535)
    ae_title: str = Field(default="HILUM", pattern=r"^[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?$")
    processes: int = Field(default=2, ge=1, le=64)
    max_associations: int = Field(default=64, ge=1, le=256)
    max_bytes_in_flight: int = Field(default=512 * MIB, ge=MIB)
    max_pdu_bytes: int = Field(default=256 * KIB, ge=16 * KIB, le=16 * MIB)
    timeout_seconds: float = Field(default=30, gt=0)
    idle_timeout_seconds: float = Field(default=300, gt=0)
    shutdown_grace_seconds: float = Field(default=30, ge=0)
    unknown_callers_site: str | None = Field(default=None, min_length=1)
    tls_port: int | None = Field(default=None, ge=0, le=65535)
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_ca_file: Path | None = None
    ready_file: Path | None = None

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        files = (self.tls_certificate_file, self.tls_key_file, self.tls_ca_file)
        if (self.tls_port is not None) != all(files) or (any(files) and not all(files)):
            raise ValueError(
                "HILUM_LISTENER_TLS_PORT, _TLS_CERTIFICATE_FILE, _TLS_KEY_FILE and _TLS_CA_FILE "
                "are set together or not at all"
            )
        return self
