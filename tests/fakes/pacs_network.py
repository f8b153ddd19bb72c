"""A PACS in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.application.ports.pacs import Answer, ObjectAnswer
from hilum.domain.errors import DestinationRefuses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hilum.application.ports.result_encoder import DicomObject
    from hilum.domain.destination import Destination
    from hilum.domain.errors import HilumError


class InMemoryPacs:
    """Fake of :class:`hilum.application.ports.pacs.Pacs`.

    Attributes:
        held: Data sets that were taken, by SOP Instance UID.
        sent: SOP Instance UIDs in the order in which they came, those not taken, too.
        statuses: Status of each SOP class that is not answered with success.
        unknown: SOP classes that it does not know.
        error: Raised instead of an association.
        asked: Transaction UID and objects of each storage commitment that was asked for.
        during: Called before each object is answered.
    """

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.sent: list[str] = []
        self.statuses: dict[str, tuple[Answer, int, str]] = {}
        self.unknown: set[str] = set()
        self.error: HilumError | None = None
        self.asked: list[tuple[str, list[tuple[str, str]]]] = []
        self.during: Callable[[], object] = lambda: None

    def send(
        self, destination: Destination, objects: Sequence[DicomObject]
    ) -> Sequence[ObjectAnswer]:
        del destination
        if self.error is not None:
            raise self.error
        return [self._store(one) for one in objects]

    def echo(self, destination: Destination) -> float:
        del destination
        if self.error is not None:
            raise self.error
        return 0.0

    def request_commitment(
        self,
        destination: Destination,
        transaction_uid: str,
        objects: Sequence[tuple[str, str]],
    ) -> None:
        if self.error is not None:
            raise self.error
        if "commitment" in self.unknown:
            raise DestinationRefuses(f"{destination.ae_title} knows no storage commitment")
        self.asked.append((transaction_uid, list(objects)))

    def _store(self, one: DicomObject) -> ObjectAnswer:
        self.during()
        self.sent.append(one.sop_instance_uid)
        if one.sop_class_uid in self.unknown:
            return ObjectAnswer(one.sop_instance_uid, Answer.REFUSED, words="no context for it")
        told = self.statuses.get(one.sop_class_uid, (Answer.SENT, 0x0000, ""))
        if told[0] is Answer.SENT:
            self.held.setdefault(one.sop_instance_uid, one.data_set)
        return ObjectAnswer(one.sop_instance_uid, *told)
