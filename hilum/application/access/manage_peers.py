"""DICOM peers: who may send, and for which site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from hilum.domain.audit import AuditEvent
from hilum.domain.errors import InvalidRequest, NotFound
from hilum.domain.peer import (
    Peer,
    valid_ae_title,
    valid_certificate_digest,
    valid_network,
    who_calls,
)
from hilum.domain.principal import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPeer:
    """A peer as an administrator names it, see :class:`hilum.domain.peer.Peer`."""

    site: str
    ae_title: str
    host: str | None = None
    port: int | None = None
    network: str | None = None
    certificate_sha256: str | None = None
    may_send: bool = True
    may_query: bool = False


class ManagePeers:
    """Peers of sites, and which of them calls."""

    def __init__(self, *, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    def add(self, wanted: WantedPeer, principal: Principal, request_id: str = "") -> Peer:
        """Add a peer.

        Raises:
            NotPermitted: The principal does not manage the site.
            InvalidRequest: An AE title, a network, a port or a digest is none, the site has a peer
                of this AE title, or another site has one from which it could not be told.
        """
        principal.require(Permission.MANAGE_SITE, wanted.site)
        with self._unit_of_work.begin() as transaction:
            peer = _peer(wanted, transaction.now)
            for other in transaction.peers.with_ae_title(peer.ae_title):
                same = (other.network, other.certificate_sha256)
                if other.site != peer.site and same == (peer.network, peer.certificate_sha256):
                    raise InvalidRequest(
                        f"another site has a peer {peer.ae_title}: give this one a network or a "
                        "certificate of its own"
                    )
            if not transaction.peers.add(peer):
                raise InvalidRequest(f"site {peer.site} has a peer {peer.ae_title}")
            transaction.audit.append([_event("peer.added", peer, principal, request_id)])
        return peer

    def remove(self, site: str, ae_title: str, principal: Principal, request_id: str = "") -> Peer:
        """Remove a peer. Associations that it has go on until they end.

        Raises:
            NotPermitted: The principal does not manage the site.
            NotFound: The site has no such peer.
        """
        principal.require(Permission.MANAGE_SITE, site)
        with self._unit_of_work.begin() as transaction:
            found = transaction.peers.with_ae_title(ae_title.strip(" "))
            peer = next((one for one in found if one.site == site), None)
            if peer is None:
                raise NotFound(f"site {site} has no peer of this AE title")
            transaction.peers.remove(peer.id)
            event = _event("peer.removed", peer, principal, request_id, transaction.now)
            transaction.audit.append([event])
        return peer

    def all(self, principal: Principal) -> Sequence[Peer]:
        """Return the peers of the sites that the principal manages, by site and AE title.

        Raises:
            NotPermitted: It manages none.
        """
        principal.require(Permission.MANAGE_SITE)
        with self._unit_of_work.begin(write=False) as transaction:
            peers = transaction.peers.all()
        return [peer for peer in peers if principal.holds(Permission.MANAGE_SITE, peer.site)]

    def identify(self, ae_title: str, address: str, certificate_sha256: str | None) -> Peer | None:
        """Return the peer that calls and may send, see :func:`hilum.domain.peer.who_calls`.

        Args:
            ae_title: As the caller names itself.
            address: From which it calls.
            certificate_sha256: Of the certificate that it proved to hold, if any.

        Raises:
            DatabaseUnavailable: It is down.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            peers = transaction.peers.with_ae_title(ae_title.strip(" "))
        return who_calls([one for one in peers if one.may_send], address, certificate_sha256)

    def is_known(self, ae_title: str) -> bool:
        """Return whether a site has a peer of this AE title, whoever calls so.

        Raises:
            DatabaseUnavailable: It is down.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            return bool(transaction.peers.with_ae_title(ae_title.strip(" ")))


def _peer(wanted: WantedPeer, now: datetime) -> Peer:
    digest = wanted.certificate_sha256
    if wanted.port is not None and not 0 < wanted.port < 65536:  # noqa: PLR2004 - ports of TCP
        raise InvalidRequest("a port is 1 to 65535")
    if (wanted.host is None) != (wanted.port is None):
        raise InvalidRequest("a peer that listens has a host and a port")
    return Peer(
        id=uuid4(),
        site=wanted.site,
        ae_title=valid_ae_title(wanted.ae_title),
        host=wanted.host,
        port=wanted.port,
        network=None if wanted.network is None else valid_network(wanted.network),
        certificate_sha256=None if digest is None else valid_certificate_digest(digest),
        may_send=wanted.may_send,
        may_query=wanted.may_query,
        created_at=now,
    )


def _event(
    action: str, peer: Peer, principal: Principal, request_id: str, at: datetime | None = None
) -> AuditEvent:
    return AuditEvent(
        actor=principal,
        action=action,
        object_type="peer",
        object_id=str(peer.id),
        at=at or peer.created_at,
        request_id=request_id,
        details={"site": peer.site, "ae_title": peer.ae_title},
    )
