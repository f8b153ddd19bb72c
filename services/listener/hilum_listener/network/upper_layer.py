"""One connection: PDUs, messages and the association's negotiation, with bounds.

pynetdicom asks the socket and its queues a thousand times a second. Here both of its loops wait
until there is something to do.
"""

from __future__ import annotations

import os
import queue
import select
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from pynetdicom import evt
from pynetdicom.acse import ACSE
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu import A_ABORT_RQ
from pynetdicom.transport import AssociationSocket

from hilum_listener.network.limits import MOST_COMMAND_BYTES, STEP_BYTES, BytesInFlight
from hilum_listener.network.received_object import (
    CommandTooLong,
    ReceivedCommand,
    ReceivedObject,
)
from hilum_listener.rejections import CODES, Reason

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Callable

    from pynetdicom.association import Association

    from hilum_listener.network.conversation import Conversation

_LOOK_S: Final = 0.5
_SHORT_LOOK_S: Final = 0.05
_CLOSING_S: Final = 0.2
_HEADER_BYTES: Final = 6
_SLACK_BYTES: Final = 64
"""Some peers count the PDV headers into the length that we allow, and some do not."""
_MOST_REQUESTS_WAITING: Final = 2
_CLOSING: Final = "Sta13"
"""State in which the connection is about to end (PS3.8 table 9-5)."""
_INVALID_PARAMETER: Final = 6
_PROVIDER: Final = 2


class BoundedSocket(AssociationSocket):
    """Reads a PDU in one piece, within a length and a time."""

    def __init__(
        self, assoc: Association, conversation: Conversation, has_room: Callable[[], bool]
    ) -> None:
        super().__init__(assoc, client_socket=conversation.connection)
        self._conversation = conversation
        self._has_room = has_room
        self._wake, self._woken = os.pipe()[::-1]
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)

    def wake(self) -> None:
        """End the wait in :attr:`ready`: there is something to send."""
        with suppress(OSError):
            os.write(self._wake, b"\0")

    def forget(self) -> None:
        """Close what wakes it; nothing runs any longer."""
        os.close(self._wake)
        os.close(self._woken)

    @property
    def ready(self) -> bool:
        """Wait until there is something to read, and room for it, or something to send."""
        if self.socket is None or not self._is_connected:
            return False
        if self.assoc.dul.state_machine.current_state == _CLOSING:
            self._discard(self.socket)
            return False
        room = self._has_room()
        if room and isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        if not room:
            self._conversation.hold()
        longest = 0.0 if self.event_queue.qsize() else _LOOK_S if room else _SHORT_LOOK_S
        # Not select: it knows no descriptor beyond 1023.
        looks, own = select.poll(), self.socket.fileno()
        try:
            for watched in (own, self._woken) if room else (self._woken,):
                looks.register(watched, select.POLLIN)
            found = dict(looks.poll(longest * 1000))
        except (OSError, ValueError):
            found = {own: select.POLLNVAL}
        if found.get(own, 0) & select.POLLNVAL:
            self.event_queue.put("Evt17")
            return False
        if self._woken in found:
            with suppress(OSError):
                os.read(self._woken, 4096)
        return own in found

    def _discard(self, connection: socket.socket) -> None:
        """Wait a moment for the peer to close first. What it still sends is dropped.

        The library would answer each piece of garbage with an abort of its own.
        """
        until = time.monotonic() + _CLOSING_S
        with suppress(OSError):
            while (left := until - time.monotonic()) > 0:
                connection.settimeout(left)
                if not connection.recv(STEP_BYTES):
                    break

    def recv(self, nr_bytes: int) -> bytearray:
        """Read so many bytes, or those that came before the connection ended.

        Raises:
            OSError: The PDU is too long, or comes too slowly.
        """
        if nr_bytes > self._conversation.limits.max_pdu_bytes + _SLACK_BYTES:
            self._conversation.end_for(Reason.PDU_TOO_LONG)
            self._abort()
            raise ConnectionAbortedError("the PDU is too long")
        connection = self.socket
        assert connection is not None  # noqa: S101 - it is ready
        content = bytearray(nr_bytes)
        try:
            read = self._fill(connection, memoryview(content))
        except TimeoutError:
            self._conversation.end_for(Reason.NO_PROGRESS)
            raise
        return content if read == nr_bytes else content[:read]

    def _fill(self, connection: socket.socket, content: memoryview) -> int:
        until = time.monotonic() + self._conversation.limits.timeout_s
        read = 0
        while read < len(content):
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
            count = connection.recv_into(content[read:])
            if not count:
                break
            read += count
            self._conversation.silent = False
        return read

    def send(self, bytestream: bytes) -> None:
        """Send all bytes, within the timeout."""
        if self.socket is not None:
            self.socket.settimeout(self._conversation.limits.timeout_s)
        super().send(bytestream)

    def _abort(self) -> None:
        pdu = A_ABORT_RQ()
        pdu.source, pdu.reason_diagnostic = _PROVIDER, _INVALID_PARAMETER
        self.send(pdu.encode())


class _Telling(queue.Queue[Any]):
    """A queue that tells when something was put."""

    def __init__(self, told: Callable[[], None]) -> None:
        super().__init__()
        self._told = told

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - the library's
        super().put(item, block, timeout)
        self._told()


class BoundedUpperLayer(DULServiceProvider):
    """The thread of the state machine. It ends with its connection, whatever happens."""

    def __init__(self, assoc: Association, conversation: Conversation) -> None:
        super().__init__(assoc)
        self.daemon = True
        self._conversation = conversation
        self._run_loop_delay = 0.0
        # A message that says nothing lets the association's loop look what is there.
        self.to_user_queue = _Telling(lambda: assoc.dimse.msg_queue.put((None, None)))
        self.to_provider_queue = _Telling(self._wake)

    def _wake(self) -> None:
        if isinstance(self.socket, BoundedSocket):
            self.socket.wake()

    def kill_dul(self) -> None:
        """End the loop."""
        super().kill_dul()
        self._wake()

    def idle_timer_expired(self) -> bool:
        """Return whether the peer has been silent, or slow, for too long."""
        if self._conversation.stalled:
            self._conversation.end_for(Reason.NO_PROGRESS)
            return True
        return False

    def run_reactor(self) -> None:
        """Run. What a peer sent that the library cannot hold ends this connection alone."""
        try:
            super().run_reactor()
        except Exception:  # noqa: BLE001 - whatever the library does over a stranger's bytes
            self._conversation.end_for(Reason.INVALID_PDU)
            self._abort()
        finally:
            self.tell_closed()

    def tell_closed(self) -> None:
        """End the association's wait for a request that does not come any more."""
        if self.assoc.requestor.primitive is None:
            self.to_user_queue.put(None)  # type: ignore[arg-type]  # "none came"

    def _abort(self) -> None:
        if self.socket is not None and self.socket.socket is not None:
            pdu = A_ABORT_RQ()
            pdu.source, pdu.reason_diagnostic = _PROVIDER, _INVALID_PARAMETER
            self.socket.send(pdu.encode())
            self.socket.close()
        self.state_machine.current_state = "Sta1"


class BoundedMessages(DIMSEServiceProvider):
    """Messages of an association, each within the limits."""

    def __init__(
        self,
        assoc: Association,
        conversation: Conversation,
        in_flight: BytesInFlight,
        draining: threading.Event,
    ) -> None:
        super().__init__(assoc)
        self._conversation = conversation
        self._in_flight = in_flight
        self._draining = draining

    def get_msg(self, block: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002 - the library's
        """Wait a moment for the next message. A process that drains ends between two."""
        if self._draining.is_set() and self.message is None and self.msg_queue.empty():
            self._conversation.end_for(Reason.SHUTTING_DOWN)
            self.assoc.abort()
            return None, None
        try:
            context_id, request = self.msg_queue.get(timeout=_LOOK_S)
        except queue.Empty:
            return None, None
        if request is None or request.is_valid_request:
            return context_id, request
        # The library would neither answer nor end.
        self._release(request)
        self._conversation.end_for(Reason.INVALID_REQUEST)
        self.assoc.abort()
        return None, None

    def has_room(self) -> bool:
        """Return whether more may be read."""
        if self.msg_queue.qsize() > _MOST_REQUESTS_WAITING:
            return False
        # Requests of associations and commands are small, and C-ECHO needs no room.
        return self.message is None or self._in_flight.has_room(self.message.data_set)

    def receive_primitive(self, primitive: Any) -> None:
        """Take a fragment."""
        if self.message is None:
            self.message = DIMSEMessage()
            self.message.encoded_command_set = ReceivedCommand(MOST_COMMAND_BYTES)
            self.message.data_set = ReceivedObject(
                self._conversation.limits.max_object_bytes, self._in_flight, self._conversation.came
            )
            self._conversation.mark(receiving=True)
        try:
            super().receive_primitive(primitive)
        except CommandTooLong:
            self.dul.event_queue.put("Evt19")
        if self.message is None:
            self._conversation.mark()

    def forget(self) -> None:
        """Release what has not become a request, or was not served."""
        if self.message is not None and isinstance(self.message.data_set, ReceivedObject):
            self.message.data_set.release()
        while not self.msg_queue.empty():
            self._release(self.msg_queue.get_nowait()[1])

    def _release(self, request: object) -> None:
        for name in ("DataSet", "EventInformation"):
            received = getattr(request, name, None)
            if isinstance(received, ReceivedObject):
                received.release()


class CheckingNegotiation(ACSE):
    """Negotiates an association after who calls has been checked."""

    def __init__(
        self,
        assoc: Association,
        conversation: Conversation,
        check: Callable[[Conversation], Reason | None],
    ) -> None:
        super().__init__(assoc)
        self._conversation = conversation
        self._check = check

    def negotiate_association(self) -> None:
        """Accept, or reject with the code of the reason."""
        request = self.requestor.primitive
        assert request is not None  # noqa: S101 - the association's loop has it
        told = self._conversation
        told.calling_ae = request.calling_ae_title.strip()
        told.called_ae = request.called_ae_title.strip()
        reason = self._check(told)
        if reason is None:
            told.mark()
            super().negotiate_association()
            told.established = True
            return
        told.end_for(reason)
        self.requestor.ae_title = request.calling_ae_title
        self.send_reject(*CODES[reason])
        evt.trigger(self.assoc, evt.EVT_REJECTED, {})
        self.assoc.kill()
