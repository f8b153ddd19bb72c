"""Sends objects to destinations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.result_encoder import DicomObject
    from hilum.domain.destination import Destination


class Answer(StrEnum):
    """What the answer to one object means."""

    SENT = "sent"
    """It was taken, with or without a warning."""

    REFUSED = "refused"
    """Sending it again would change nothing."""

    LATER = "later"
    """The peer could not take it now."""


@dataclass(frozen=True, slots=True)
class ObjectAnswer:
    """How a peer answered to one object.

    Attributes:
        sop_instance_uid: Of the object.
        answer: What that means.
        status: Of the C-STORE response, or of HTTP; None where no answer came, or the peer accepted
            no presentation context for its class.
        words: The peer's own words (Error Comment, warning reason), or what happened, at most 200
            characters, without patient data.
    """

    sop_instance_uid: str
    answer: Answer
    status: int | None = None
    words: str = ""


class Pacs(Protocol):
    """Destinations of one protocol; safe to call from several threads."""

    def send(
        self, destination: Destination, objects: Sequence[DicomObject]
    ) -> Sequence[ObjectAnswer]:
        """Send objects in their order.

        Returns:
            An answer each. Where the connection broke in the middle, what was taken before is
            ``SENT`` and the rest ``LATER``.

        Raises:
            DestinationUnavailable: No connection or association came about, for now: no route,
                timeout, abort, transient rejection.
            DestinationRefuses: The peer rejected the association for good (unknown AE title, wrong
                certificate or credentials). Its own words are in the text.
        """
        ...

    def echo(self, destination: Destination) -> float:
        """Ask whether a destination answers.

        Returns:
            Seconds that it took.

        Raises:
            DestinationUnavailable: As above.
            DestinationRefuses: As above.
        """
        ...

    def request_commitment(
        self,
        destination: Destination,
        transaction_uid: str,
        objects: Sequence[tuple[str, str]],
    ) -> None:
        """Ask a C-STORE peer to commit itself to keep objects. Its report comes to the listener.

        Args:
            destination: The peer.
            transaction_uid: Under which it reports.
            objects: SOP Class and SOP Instance UID of each.

        Raises:
            DestinationUnavailable: As above.
            DestinationRefuses: As above, or the peer knows no storage commitment.
        """
        ...
