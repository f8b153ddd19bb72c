"""Who calls, and whether an association comes about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.contextvars import bind_contextvars

from hilum.domain.errors import DatabaseUnavailable
from hilum.domain.principal import Grant, Principal, PrincipalKind, Role
from hilum_listener.rejections import Reason

if TYPE_CHECKING:
    from hilum.application.access.manage_peers import ManagePeers
    from hilum_listener.network.connections import Connections
    from hilum_listener.network.conversation import Conversation


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

    def __call__(self, told: Conversation) -> Reason | None:
        """Let an association come about, or return why not."""
        if told.called_ae != self._ae_title:
            return Reason.UNKNOWN_CALLED_AE
        try:
            principal = self._principal(told)
        except DatabaseUnavailable:
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
        told.site = self._unknown_site
        if told.site is None:
            return None
        name = told.calling_ae
        grants = (Grant(Role.SUBMITTER, told.site),)
        return Principal(PrincipalKind.AE_TITLE, name, name, grants)
