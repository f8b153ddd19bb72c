"""Accepts connections on one port, which other processes share, and serves each in a thread."""

from __future__ import annotations

import hashlib
import socket
import threading
from socketserver import BaseServer
from typing import TYPE_CHECKING, Any, Final, cast

import structlog
from pynetdicom import _config, evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer
from structlog.contextvars import bound_contextvars

from hilum_listener.network.conversation import Conversation
from hilum_listener.network.upper_layer import (
    BoundedMessages,
    BoundedSocket,
    BoundedUpperLayer,
    CheckingNegotiation,
)
from hilum_listener.offered import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    STORAGE_COMMITMENT,
    STORED,
    VERIFICATION,
    VERIFICATION_SYNTAXES,
)
from hilum_listener.rejections import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydicom.dataset import Dataset
    from pynetdicom.association import Association
    from pynetdicom.dimse_primitives import C_STORE, N_EVENT_REPORT
    from pynetdicom.presentation import PresentationContextTuple

    from hilum.runtime.certificates import Certificates
    from hilum_listener.network.connections import Connections
    from hilum_listener.network.limits import Limits

_LOG: Final = structlog.get_logger(__name__)
_NO_LIMIT: Final = 1_000_000
"""Of the library's own count, which counts silent connections too. Ours is in Connections."""


def application_entity(
    ae_title: str, limits: Limits, transfer_syntaxes: Sequence[str]
) -> ApplicationEntity:
    """Describe what is offered.

    Nothing of what a peer sends is logged by the library, and identifiers are checked by us.
    """
    _config.LOG_HANDLER_LEVEL = "none"
    _config.VALIDATORS["UI"] = lambda _: (True, "")
    entity = ApplicationEntity(ae_title)
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.maximum_pdu_size = limits.max_pdu_bytes
    entity.maximum_associations = _NO_LIMIT
    entity.acse_timeout = limits.timeout_s
    entity.dimse_timeout = limits.timeout_s
    entity.network_timeout = None
    entity.add_supported_context(VERIFICATION, list(VERIFICATION_SYNTAXES))
    # The peer is SCP of its own reports, and says so by role selection or not.
    entity.add_supported_context(
        STORAGE_COMMITMENT, list(VERIFICATION_SYNTAXES), scu_role=True, scp_role=True
    )
    for sop_class in STORED:
        entity.add_supported_context(sop_class, list(transfer_syntaxes))
    return entity


class Server(ThreadedAssociationServer):
    """Listens on one port.

    Args:
        entity: What is offered.
        address: Host and port.
        connections: Of the process.
        check: Tells why an association is rejected.
        ended: Told of each connection that ended.
        store: Answers a C-STORE.
        report: Answers an N-EVENT-REPORT.
        certificates: For TLS; None without.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(  # noqa: PLR0913 - keyword-only, so readable
        self,
        entity: ApplicationEntity,
        address: tuple[str, int],
        *,
        connections: Connections,
        check: Callable[[Conversation], Reason | None],
        ended: Callable[[Conversation], None],
        store: Callable[[Conversation, C_STORE, PresentationContextTuple], Dataset],
        report: Callable[[Conversation, N_EVENT_REPORT, PresentationContextTuple], int],
        certificates: Certificates | None = None,
    ) -> None:
        self.report = report
        self.connections = connections
        self.check = check
        self.ended = ended
        self.store = store
        self.certificates = certificates
        super().__init__(
            entity,
            address,
            entity.ae_title,
            entity.supported_contexts,
            request_handler=Connection,
        )

    def server_bind(self) -> None:
        """Bind a port that other processes bind as well."""
        assert self.socket is not None  # noqa: S101 - the base class made it
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

    def start(self) -> None:
        """Accept connections, in a thread."""
        threading.Thread(target=self.serve_forever, name="accept", daemon=True).start()

    def shutdown(self) -> None:
        """Accept no more connections."""
        BaseServer.shutdown(self)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base's
        """Log a defect of one connection. Others go on."""
        _LOG.exception("connection.crashed")


class Connection(RequestHandler):
    """Serves one connection in its own thread: handshake, negotiation, requests, record."""

    server: Server

    def handle(self) -> None:
        """Serve until the connection ends."""
        limits = self.server.connections.limits
        conversation = Conversation(self.request, self.client_address[0], limits)
        with bound_contextvars(request_id=str(conversation.id), address=conversation.address):
            self.server.connections.begin(conversation)
            try:
                if self._greets(conversation):
                    self._conversation = conversation
                    self._serve(conversation)
            finally:
                self.server.connections.end(conversation)
                self.server.shutdown_request(conversation.connection)
                self.server.ended(conversation)

    def _greets(self, conversation: Conversation) -> bool:
        """Wait for the first byte, and for the handshake over TLS; is there anybody?

        Probes of ports connect and leave. Nothing is kept of them.
        """
        connection = conversation.connection
        connection.settimeout(conversation.limits.timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            says_something = bool(connection.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            conversation.silent = False
            conversation.end_for(Reason.NO_PROGRESS)
            return False
        except OSError:
            return False
        conversation.silent = not says_something and conversation.reason is None
        if not says_something or self.server.certificates is None:
            return says_something
        try:
            context = self.server.certificates.newest()
            secured = context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
            conversation.connection = self.request = secured
            secured.do_handshake()
        except (OSError, ValueError):  # ssl.SSLError and TimeoutError are among them
            conversation.end_for(Reason.TLS_HANDSHAKE)
            return False
        shown = secured.getpeercert(binary_form=True) or b""
        conversation.certificate_sha256 = hashlib.sha256(shown).hexdigest()
        return True

    def _serve(self, conversation: Conversation) -> None:
        association = self._create_association()
        messages = cast("BoundedMessages", association.dimse)
        try:
            association.run_reactor()
        finally:
            association.kill()
            messages.forget()
            cast("BoundedSocket", association.dul.socket).forget()
        if not association.is_released and conversation.reason is None:
            early = Reason.ABORTED if conversation.established else Reason.INVALID_PDU
            conversation.end_for(early)
        conversation.aborted = not association.is_released

    def _create_association(self) -> Association:
        """Return an association with bounded parts in place of the library's."""
        server = self.server
        conversation = self._conversation
        association = super()._create_association()
        upper_layer = BoundedUpperLayer(association, conversation)
        association.dul = upper_layer
        association.dimse = BoundedMessages(
            association, conversation, server.connections.in_flight, server.connections.draining
        )
        association.acse = CheckingNegotiation(association, conversation, server.check)
        association.set_socket(BoundedSocket(association, conversation, association.dimse.has_room))
        association.acse_timeout = association.ae.acse_timeout
        association.network_timeout = association.ae.network_timeout
        association.bind(evt.EVT_CONN_CLOSE, lambda _: upper_layer.tell_closed())
        association.bind(evt.EVT_C_STORE, lambda event: _stored(server, conversation, event))
        association.bind(
            evt.EVT_N_EVENT_REPORT, lambda event: _reported(server, conversation, event)
        )
        return association


def _stored(server: Server, conversation: Conversation, event: evt.Event) -> Dataset:
    return server.store(conversation, cast("C_STORE", event.request), event.context)


def _reported(server: Server, conversation: Conversation, event: evt.Event) -> tuple[int, None]:
    request = cast("N_EVENT_REPORT", event.request)
    return server.report(conversation, request, event.context), None
