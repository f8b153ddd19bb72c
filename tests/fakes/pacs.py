"""DICOM peers and associations in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.association import AssociationOutcome
from hilum.domain.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from uuid import UUID

    from hilum.domain.association import Association
    from hilum.domain.peer import Peer
    from tests.fakes.repositories import Rows


class InMemoryPeers:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, peer: Peer) -> bool:
        self._rows.require_writable()
        if any((one.site, one.ae_title) == (peer.site, peer.ae_title) for one in self.all()):
            return False
        self._rows.peers[peer.id] = peer
        return True

    def remove(self, peer_id: UUID) -> bool:
        self._rows.require_writable()
        return self._rows.peers.pop(peer_id, None) is not None

    def all(self) -> Sequence[Peer]:
        return sorted(self._rows.peers.values(), key=lambda peer: (peer.site, peer.ae_title))

    def with_ae_title(self, ae_title: str) -> Sequence[Peer]:
        return [peer for peer in self.all() if peer.ae_title == ae_title]


class InMemoryAssociations:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, association: Association) -> None:
        self._rows.require_writable()
        if association.id in self._rows.associations:
            raise InternalError("this association exists")
        self._rows.associations[association.id] = association

    def newest(
        self, limit: int, *, sites: frozenset[str] | None = None, accepted: bool | None = None
    ) -> Sequence[Association]:
        found = [
            one
            for one in self._rows.associations.values()
            if accepted in {None, one.outcome is AssociationOutcome.ACCEPTED}
            and (sites is None or one.site in sites)
        ]
        return sorted(found, key=lambda one: (one.began_at, one.id), reverse=True)[:limit]

    def remove_old(self, age: timedelta, most: int) -> int:
        self._rows.require_writable()
        until = self._rows.now() - age
        old = sorted(
            (one for one in self._rows.associations.values() if one.began_at < until),
            key=lambda one: (one.began_at, one.id),
        )[:most]
        for one in old:
            del self._rows.associations[one.id]
        return len(old)
