"""Opens what sends to each kind of destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.adapters.dicom.network.dimse_sender import DimseSender, Timeouts
from hilum.adapters.dicom.network.stow_sender import StowSender
from hilum.adapters.dicom.network.tls import TlsFiles
from hilum.domain.destination import DestinationKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hilum.application.ports.pacs import Pacs


def open_pacs(
    *,
    connect_s: float,
    associate_s: float,
    answer_s: float,
    authorities: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> Mapping[DestinationKind, Pacs]:
    """Return what sends to each kind of destination. Nothing connects yet.

    Args:
        connect_s: Seconds until a TCP connection stands.
        associate_s: Seconds until an association is answered.
        answer_s: Seconds until an object is answered.
        authorities: Who signs the certificates of destinations, PEM; None for the system's own.
        certificate: Ours, PEM, or None.
        key: Its private key, PEM, or None.
    """
    timeouts = Timeouts(connect_s, associate_s, answer_s)
    tls = TlsFiles(authorities, certificate, key)
    return {
        DestinationKind.C_STORE: DimseSender(timeouts, tls),
        DestinationKind.STOW: StowSender(timeouts, tls),
    }
