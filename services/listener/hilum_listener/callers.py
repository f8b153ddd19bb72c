"""Who calls, and whether an association comes about."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from structlog.contextvars import bind_contextvars

from hilum.domain.errors import DatabaseUnavailable
from hilum.domain.principal import Grant, Principal, PrincipalKind, Role
from hilum_listener.rejections import Reason

if TYPE_CHECKING:
    from hilum.application.access.manage_peers import ManagePeers
    from hilum_listener.network.connections import Connections
    from hilum_listener.network.conversation import Conversation


ANSWER_WITHIN_S: Final = 9.0
"""Seconds from an association request to its answer."""

_MOST_AT_ONCE: Final = 4


class Callers:
    """Checks the called and the calling AE title, and the number of associations.

    Args:
        peers: Those who may send.
        connections: Of the process.
        ae_title: Our own.
        unknown_site: Site of callers that are no peer; None rejects them.
    """

    def __init__(
        self,
        peers: ManagePeers,
        connections: Connections,
        ae_title: str,
        unknown_site: str | None,
    ) -> None:
        self._peers = peers
        self._connections = connections
        self._ae_title = ae_title
        self._unknown_site = unknown_site
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="callers")

    def __call__(self, told: Conversation) -> Reason | None:
        """Let an association come about, or return why not."""
        if told.called_ae != self._ae_title:
            return Reason.UNKNOWN_CALLED_AE
        asked = self._threads.submit(self._principal, told)
        try:
            principal = asked.result(ANSWER_WITHIN_S)
        except (DatabaseUnavailable, TimeoutError):
            # A server that has stopped to answer is noticed late by its client.
            asked.cancel()
            return Reason.DATABASE_UNAVAILABLE
        if principal is None:
            return Reason.UNKNOWN_CALLER
        told.principal = principal
        bind_contextvars(principal=principal.id, site=told.site)
        return self._connections.associate(told)

    def _principal(self, told: Conversation) -> Principal | None:
        peer = self._peers.identify(told.calling_ae, told.address, told.certificate_sha256)
        if peer is not None:
            told.site = peer.site
            return peer.principal()
        # A peer that is not let in as itself is not let in as a stranger, into another site.
        if self._unknown_site is None or self._peers.is_known(told.calling_ae):
            return None
        told.site = self._unknown_site
        name = told.calling_ae
        grants = (Grant(Role.SUBMITTER, told.site),)
        return Principal(PrincipalKind.AE_TITLE, name, name, grants)
