"""Rows: DICOM peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from hilum.domain.peer import Peer


class PeerRepository(Protocol):
    """Peers of all sites."""

    def add(self, peer: Peer) -> bool:
        """Add a peer; False if its site has one of that AE title."""
        ...

    def remove(self, peer_id: UUID) -> bool:
        """Remove a peer; False if it is not there."""
        ...

    def all(self) -> Sequence[Peer]:
        """Return every peer, by site and AE title."""
        ...

    def with_ae_title(self, ae_title: str) -> Sequence[Peer]:
        """Return the peers of an AE title, by site."""
        ...
