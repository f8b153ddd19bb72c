"""TLS towards destinations, after BCP 195: 1.2 at least, and both sides show a certificate."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files in PEM. They are read again for each connection, so that they may change.

    Attributes:
        authorities: Who signs the certificates of destinations; None for the system's own.
        certificate: Ours, or None.
        key: Its private key, or None.
    """

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def client_context(files: TlsFiles, *, names: bool) -> ssl.SSLContext:
    """Return what checks a server, and shows our certificate.

    Args:
        files: What to use.
        names: Whether the server's name has to be in its certificate. Certificates of DICOM
            devices often hold none.

    Raises:
        OSError: A file cannot be read.
        ssl.SSLError: It holds no certificate, or no key to it.
    """
    context = ssl.create_default_context(cafile=files.authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = names
    if files.certificate is not None:
        context.load_cert_chain(files.certificate, files.key)
    return context
