"""Settings of what is sent to destinations, and of what is kept for it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from hilum.runtime.settings import Group


class Delivery(Group):
    """Results on their way to DICOM peers and DICOMweb services.

    Attributes:
        connect_seconds: Until a TCP connection stands.
        associate_seconds: Until an association is answered, and until one is released.
        answer_seconds: Until an object is answered.
        tls_ca_file: Authorities that sign the certificates of destinations, PEM. The system's own
            by default.
        tls_certificate_file: Our certificate towards them, PEM.
        tls_key_file: Its private key, PEM.
        context_keys: Keys of 32 bytes in base64, comma-separated: patient and study of each DICOM
            image are kept under the first one, so that a result can be sent after retention took
            the image. Further keys read what was kept before. Nothing is kept without a key.
    """

    connect_seconds: float = Field(default=5.0, gt=0)
    associate_seconds: float = Field(default=10.0, gt=0)
    answer_seconds: float = Field(default=30.0, gt=0)
    tls_ca_file: Path | None = None
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    context_keys: SecretStr | None = None
