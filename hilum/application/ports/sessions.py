"""Sessions of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from hilum.domain.access import Session


class SessionRepository(Protocol):
    """Sessions, by the digest of their id."""

    def add(self, session: Session) -> None:
        """Add a session, unless there is one with its digest."""
        ...

    def get(self, id_digest: str) -> Session | None:
        """Return a session, ended ones too, or None."""
        ...

    def revoke(self, id_digest: str, now: datetime) -> None:
        """End a session that is not ended yet."""
        ...

    def ended(self, digests: Collection[str], now: datetime) -> frozenset[str]:
        """Return which of these were ended or have expired. One without a row is none of them."""
        ...

    def remove_expired(self, now: datetime) -> None:
        """Remove sessions that have expired."""
        ...
