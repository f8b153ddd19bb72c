"""Reports of storage commitment, and what a peer is told."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace

import pytest
from pydicom.dataset import Dataset

from hilum.adapters.dicom.delivery_context import encode_data_set
from hilum.domain.errors import DatabaseUnavailable, InternalError, NotFound, TransitionNotAllowed
from hilum_listener.take_report import (
    INVALID_ARGUMENT,
    NO_SUCH_EVENT_TYPE,
    OUT_OF_RESOURCES,
    PROCESSING_FAILURE,
    SUCCESS,
    TakeReport,
)
from tests.unit.application.stage import key

EXPLICIT = SimpleNamespace(transfer_syntax="1.2.840.10008.1.2.1")


class Received(BytesIO):
    def take(self) -> bytes:
        return self.getvalue()

    def release(self) -> None:
        pass


def report(*failed: tuple[str, int | None], uid: str | None = "2.25.7") -> bytes:
    dataset = Dataset()
    if uid is not None:
        dataset.TransactionUID = uid
    items = []
    for instance, reason in failed:
        item = Dataset()
        item.ReferencedSOPInstanceUID = instance
        if reason is not None:
            item.FailureReason = reason
        items.append(item)
    dataset.FailedSOPSequence = items
    return encode_data_set(dataset)


class Conversation:
    def __init__(self) -> None:
        self.principal = key()

    def mark(self) -> None:
        """Nothing waits."""


def answered(content: bytes, take, event_type: int = 1) -> int:
    request = SimpleNamespace(EventTypeID=event_type, EventInformation=Received(content))
    return TakeReport(take, pause=lambda _: None)(Conversation(), request, EXPLICIT)


def test_a_report_is_taken_with_what_failed():
    """By SOP Instance UID, with its reason where there is one."""
    taken = []
    content = report(("1.2.3", 0x0112), ("1.2.4", None))
    assert answered(content, lambda *told: taken.append(told), 2) == SUCCESS
    ((uid, failed, principal),) = taken
    assert (uid, failed) == ("2.25.7", {"1.2.3": 0x0112, "1.2.4": 0x0110})
    assert principal == key()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("no"), INVALID_ARGUMENT),
        (DatabaseUnavailable("down"), OUT_OF_RESOURCES),
        (InternalError("defect"), PROCESSING_FAILURE),
        (ValueError("defect"), PROCESSING_FAILURE),
    ],
)
def test_a_report_that_cannot_be_taken_has_a_status(error, status):
    """Which tells whether to come again."""

    def refuse(*_: object) -> None:
        raise error

    assert answered(report(), refuse) == status


def test_a_report_that_comes_before_our_own_commit_is_waited_for():
    """The third look finds the delivery."""
    looks = []

    def early(*_: object) -> None:
        looks.append(1)
        if len(looks) < 3:
            raise TransitionNotAllowed("it runs")

    assert answered(report(), early) == SUCCESS
    assert len(looks) == 3


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, report(uid=None)])
def test_a_report_that_is_none_is_an_invalid_argument(content):
    """Nothing is taken of it."""
    assert answered(content, lambda *_: pytest.fail("taken")) == INVALID_ARGUMENT


def test_another_event_is_unknown():
    """There are two of storage commitment."""
    assert answered(report(), lambda *_: pytest.fail("taken"), 3) == NO_SUCH_EVENT_TYPE
