"""What is known of one connection, from the first byte to its record."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from hilum.domain.association import Association, AssociationOutcome
from hilum_listener.network.limits import STEP_BYTES

if TYPE_CHECKING:
    import socket

    from hilum.application.intake.submit_images import OpenSubmission
    from hilum.domain.principal import Principal
    from hilum_listener.network.limits import Limits
    from hilum_listener.rejections import Reason


@dataclass(slots=True, eq=False)
class Conversation:
    """One connection.

    Attributes:
        connection: Its socket.
        address: Of the peer.
        limits: Of the process.
        certificate_sha256: Of the peer's certificate, in hex; None without TLS.
        calling_ae: As the peer calls itself.
        called_ae: As the peer calls us.
        principal: Who sends, once that is known.
        site: Of what is sent.
        reason: Why it was rejected or ended early.
        established: Whether the association was accepted.
        aborted: Whether it ended without a release.
        silent: Whether the peer has sent no byte yet.
        submission: Of its objects, from the first on.
        stored: C-STOREs that were answered with success.
        refused: Those whose object was refused.
        failed: Those that the sender is to try again.
    """

    connection: socket.socket
    address: str
    limits: Limits
    certificate_sha256: str | None = None
    calling_ae: str = ""
    called_ae: str = ""
    principal: Principal | None = None
    site: str | None = None
    reason: Reason | None = None
    established: bool = False
    aborted: bool = False
    silent: bool = True
    submission: OpenSubmission | None = None
    stored: int = 0
    refused: int = 0
    failed: int = 0
    id: UUID = field(default_factory=uuid4)
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _marked_at: float = field(default_factory=time.monotonic)
    _in_object: int = 0
    _receiving: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def end_for(self, reason: Reason) -> None:
        """Note why the connection ends. The first reason stays."""
        with self._lock:
            self.reason = self.reason or reason

    def mark(self, *, receiving: bool = False) -> None:
        """Begin to wait anew: for the next request, or for more of a message that has begun."""
        self._marked_at = time.monotonic()
        self._receiving = receiving
        self._in_object = 0

    def hold(self) -> None:
        """Do not count a moment in which the peer waits for us."""
        self._marked_at = time.monotonic()

    def came(self, count: int) -> None:
        """Count bytes of an object. Each step of them is progress."""
        self._in_object += count
        if not self._receiving or self._in_object >= STEP_BYTES:
            self.mark(receiving=True)

    @property
    def stalled(self) -> bool:
        """Return whether the peer has been silent, or slow, for too long."""
        longest = self.limits.timeout_s if self._receiving else self.limits.idle_timeout_s
        return time.monotonic() - self._marked_at > longest

    def record(self) -> Association:
        """Return what is kept of the association."""
        outcome = AssociationOutcome.REJECTED
        if self.established:
            outcome = AssociationOutcome.ABORTED if self.aborted else AssociationOutcome.ACCEPTED
        return Association(
            id=self.id,
            began_at=self.began_at,
            ended_at=datetime.now(UTC),
            calling_ae=self.calling_ae,
            called_ae=self.called_ae,
            address=self.address,
            site=self.site,
            outcome=outcome,
            reason=self.reason and self.reason.value,
            stored=self.stored,
            refused=self.refused,
            failed=self.failed,
        )
