"""Why an association does not come about, or ends early, and how the peer is told (PS3.8 9.3.4)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Reason(StrEnum):
    """Code of the reason, as a row of ``associations`` and the log have it."""

    UNKNOWN_CALLED_AE = "unknown_called_ae"
    UNKNOWN_CALLER = "unknown_caller"
    TOO_MANY_ASSOCIATIONS = "too_many_associations"
    DATABASE_UNAVAILABLE = "database_unavailable"
    SHUTTING_DOWN = "shutting_down"
    TLS_HANDSHAKE = "tls_handshake"
    NO_PROGRESS = "no_progress"
    CROWDED_OUT = "crowded_out"
    INVALID_PDU = "invalid_pdu"
    INVALID_REQUEST = "invalid_request"
    PDU_TOO_LONG = "pdu_too_long"
    ABORTED = "aborted"


PERMANENT: Final = 1
TRANSIENT: Final = 2
SERVICE_USER: Final = 1
PRESENTATION: Final = 3

CODES: Final[Mapping[Reason, tuple[int, int, int]]] = {
    Reason.UNKNOWN_CALLED_AE: (PERMANENT, SERVICE_USER, 7),
    Reason.UNKNOWN_CALLER: (PERMANENT, SERVICE_USER, 3),
    Reason.TOO_MANY_ASSOCIATIONS: (TRANSIENT, PRESENTATION, 2),
    Reason.DATABASE_UNAVAILABLE: (TRANSIENT, PRESENTATION, 1),
    Reason.SHUTTING_DOWN: (TRANSIENT, PRESENTATION, 1),
}
"""Result, source and diagnostic of the A-ASSOCIATE-RJ. Other reasons have none."""
