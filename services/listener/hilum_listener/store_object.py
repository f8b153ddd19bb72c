"""Answers a C-STORE: success is sent after bytes and rows are durable, and not before."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final, cast

import structlog
from pydicom.dataset import Dataset

from hilum.application.intake.submission import IncomingFile, RefusedFile
from hilum.domain.errors import FileTooLarge, HilumError, Rejected, WrongIdentifiers
from hilum.domain.submission import Source
from hilum.runtime.tracing import current_traceparent
from hilum_listener.file_meta import file_meta
from hilum_listener.statuses import NOT_FOR_US, Status, comment_of, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pynetdicom.dimse_primitives import C_STORE
    from pynetdicom.presentation import PresentationContextTuple

    from hilum.application.intake.submit_images import OpenSubmission, SubmitImages
    from hilum_listener.metrics import ListenerMetrics
    from hilum_listener.network.conversation import Conversation
    from hilum_listener.network.received_object import ReceivedObject

    CheckDataSet = Callable[[bytes, str, str, str], None]

_LOG: Final = structlog.get_logger(__name__)
_UID: Final = re.compile(r"(?=.{1,64}\Z)[0-9]+(\.[0-9]+)*")
_CHUNK_BYTES: Final = 256 * 1024
_NAMELESS: Final = "unnamed.dcm"


class StoreObject:
    """Takes the object of a C-STORE.

    Args:
        submit: Takes images, whichever way they come.
        check: Refuses a data set, given its transfer syntax and the command's SOP Class and
            Instance UID.
        quiet: Whether a site has what is not for Hilum answered with success.
        metrics: Counts the answers.
    """

    def __init__(
        self,
        submit: SubmitImages,
        check: CheckDataSet,
        quiet: Callable[[str], bool],
        metrics: ListenerMetrics,
    ) -> None:
        self._submit = submit
        self._check = check
        self._quiet = quiet
        self._metrics = metrics

    def __call__(
        self, told: Conversation, request: C_STORE, context: PresentationContextTuple
    ) -> Dataset:
        """Return the answer."""
        began = time.monotonic()
        received = cast("ReceivedObject", request.DataSet)
        error: Exception | None
        try:
            error = self._take(told, request, context, received)
            status = self._status(told, error)
        except Exception as failure:  # noqa: BLE001 - a defect over one object ends no association
            error, status = failure, status_of(failure)
            if not isinstance(failure, HilumError):
                _LOG.exception("object.crashed")
        finally:
            received.release()
            told.mark()
        seconds = time.monotonic() - began
        self._count(told, status, error, received.size, seconds)
        return _answer(status, error)

    def _take(
        self,
        told: Conversation,
        request: C_STORE,
        context: PresentationContextTuple,
        received: ReceivedObject,
    ) -> Rejected | None:
        """Keep the object, or a row that tells why it was refused."""
        sop_class, instance = str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)
        named = _UID.fullmatch(instance) is not None
        filename = f"{instance}.dcm" if named else _NAMELESS
        submission = self._submission(told)
        try:
            if received.too_large:
                raise FileTooLarge(
                    f"The data set has more than {told.limits.max_object_bytes} bytes."
                )
            if not named or sop_class != context.abstract_syntax:
                raise WrongIdentifiers("The command names no such SOP Class and Instance UID.")
            content = received.take()
            self._check(content, context.transfer_syntax, sop_class, instance)
        except Rejected as error:
            return submission.refuse(filename, error).error
        meta = file_meta(sop_class, instance, context.transfer_syntax)
        taken = submission.add(IncomingFile(filename, _chunks(meta, content)))
        return taken.error if isinstance(taken, RefusedFile) else None

    def _submission(self, told: Conversation) -> OpenSubmission:
        """Return the submission of the association, which begins with its first object."""
        if told.submission is None:
            assert told.principal is not None  # noqa: S101 - the association was accepted
            told.submission = self._submit.open(
                told.principal,
                request_id=str(told.id),
                source=Source.DICOM,
                calling_ae=told.calling_ae,
                traceparent=current_traceparent(),
            )
        return told.submission

    def _status(self, told: Conversation, error: Exception | None) -> Status:
        if error is None:
            return Status.SUCCESS
        if (
            isinstance(error, Rejected)
            and error.code in NOT_FOR_US
            and self._quiet(told.site or "")
        ):
            return Status.SUCCESS
        return status_of(error)

    def _count(
        self,
        told: Conversation,
        status: Status,
        error: Exception | None,
        size: int,
        seconds: float,
    ) -> None:
        if error is None:
            told.stored += 1
        elif isinstance(error, Rejected):
            told.refused += 1
        else:
            told.failed += 1
        self._metrics.answered(status, size, seconds)
        _LOG.info(
            "object.answered",
            status=f"{status:04X}",
            reason=error.code if isinstance(error, HilumError) else None,
            size_bytes=size,
            seconds=round(seconds, 4),
        )


def _chunks(meta: bytes, content: bytes) -> Iterator[bytes]:
    yield meta
    view = memoryview(content)
    for start in range(0, len(view), _CHUNK_BYTES):
        yield bytes(view[start : start + _CHUNK_BYTES])


def _answer(status: Status, error: Exception | None) -> Dataset:
    answer: Any = Dataset()
    answer.Status = int(status)
    if error is not None and status is not Status.SUCCESS:
        answer.ErrorComment = comment_of(error)
    return cast("Dataset", answer)
