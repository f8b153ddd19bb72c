"""Answers an N-EVENT-REPORT: what a peer says of a storage commitment (PS3.4 annex J)."""

from __future__ import annotations

import time
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, cast

import structlog
from pydicom.filereader import read_dataset
from pydicom.uid import UID

from hilum.domain.errors import DatabaseUnavailable, NotFound, TransitionNotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydicom.dataset import Dataset
    from pynetdicom.dimse_primitives import N_EVENT_REPORT
    from pynetdicom.presentation import PresentationContextTuple

    from hilum.domain.principal import Principal
    from hilum_listener.network.conversation import Conversation
    from hilum_listener.network.received_object import ReceivedObject

_LOG: Final = structlog.get_logger(__name__)
SUCCESS, PROCESSING_FAILURE = 0x0000, 0x0110
NO_SUCH_EVENT_TYPE, INVALID_ARGUMENT, OUT_OF_RESOURCES = 0x0113, 0x0115, 0x0213
"""Statuses of PS3.7 annex C."""

_COMPLETE, _FAILURES_EXIST = 1, 2
_WAIT_S: Final = 9.0
_PAUSE_S: Final = 0.5
_UNKNOWN_REASON: Final = 0x0110


class TakeReport:
    """Takes reports of storage commitment.

    Args:
        take: Takes Transaction UID, Failure Reason by SOP Instance UID, and who reports.
        pause: Waits a number of seconds.
    """

    def __init__(
        self,
        take: Callable[[str, Mapping[str, int], Principal], object],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._take = take
        self._pause = pause

    def __call__(
        self, told: Conversation, request: N_EVENT_REPORT, context: PresentationContextTuple
    ) -> int:
        """Return the status of the answer."""
        received = cast("ReceivedObject | None", request.EventInformation)
        content = b"" if received is None else received.take()
        if received is not None:
            received.release()
        if request.EventTypeID not in {_COMPLETE, _FAILURES_EXIST} or told.principal is None:
            return NO_SUCH_EVENT_TYPE
        try:
            uid, failed = _report(content, UID(context.transfer_syntax))
        except Exception:  # noqa: BLE001 - whatever a damaged data set raises
            return INVALID_ARGUMENT
        try:
            return self._taken(uid, failed, told.principal)
        except DatabaseUnavailable:
            return OUT_OF_RESOURCES
        except Exception:  # noqa: BLE001 - a defect over one report ends no association
            _LOG.exception("report.crashed")
            return PROCESSING_FAILURE
        finally:
            told.mark()

    def _taken(self, uid: str, failed: Mapping[str, int], principal: Principal) -> int:
        """Take it. A peer may report before our own commit that it was asked."""
        until = time.monotonic() + _WAIT_S
        while True:
            try:
                self._take(uid, failed, principal)
            except NotFound:
                return INVALID_ARGUMENT
            except TransitionNotAllowed:
                if time.monotonic() > until:
                    return OUT_OF_RESOURCES
                self._pause(_PAUSE_S)
            else:
                return SUCCESS


def _report(content: bytes, syntax: UID) -> tuple[str, Mapping[str, int]]:
    dataset: Dataset = read_dataset(
        BytesIO(content), is_implicit_VR=syntax.is_implicit_VR, is_little_endian=True
    )
    failed: dict[str, int] = {}
    items: Any = dataset.get("FailedSOPSequence") or ()
    for item in items:
        reason = item.get("FailureReason")
        failed[str(item.ReferencedSOPInstanceUID)] = int(
            _UNKNOWN_REASON if reason is None else reason
        )
    return str(dataset.TransactionUID), failed
