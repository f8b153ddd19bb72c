"""DICOM peers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert_absent
from hilum.adapters.postgres.tables import PEERS
from hilum.domain.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy.engine import Connection

_ORDER: Final = (PEERS.c.site, PEERS.c.ae_title)
_WITH_AE_TITLE: Final = Statement(
    sa.select(PEERS).where(PEERS.c.ae_title == sa.bindparam("wanted")).order_by(*_ORDER)
)


class SqlPeerRepository:
    """See :class:`hilum.application.ports.peers.PeerRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, peer: Peer) -> bool:
        """Add a peer; False if its site has one of that AE title."""
        return bool(insert_absent(self._connection, PEERS.c.id, [asdict(peer)]))

    def remove(self, peer_id: UUID) -> bool:
        """Remove a peer; False if it is not there."""
        gone = self._connection.execute(sa.delete(PEERS).where(PEERS.c.id == peer_id))
        return bool(gone.rowcount)

    def all(self) -> Sequence[Peer]:
        """Return every peer, by site and AE title."""
        rows = self._connection.execute(sa.select(PEERS).order_by(*_ORDER))
        return [Peer(**row) for row in rows.mappings()]

    def with_ae_title(self, ae_title: str) -> Sequence[Peer]:
        """Return the peers of an AE title, by site."""
        names = PEERS.c.keys()
        rows = _WITH_AE_TITLE.all(self._connection, {"wanted": ae_title})
        return [Peer(**dict(zip(names, row, strict=True))) for row in rows]
