"""Slows down whoever guesses keys: failed sign-ins, counted by address.

Counted in this process only. A key's secret has 256 random bits, so guessing is hopeless anyway;
this keeps the attempts out of the database and out of the way of people who mistyped.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from hilum.application.ports.clock import Clock

ALLOWED: Final = 10
"""Failed sign-ins from one address within the window before it has to wait."""

WINDOW: Final = timedelta(minutes=5)

_MAX_ADDRESSES: Final = 10_000
_IPV6_SITE_BITS: Final = 64
"""One customer's IPv6 addresses share these (RFC 6177)."""


class FailedSignIns:
    """Counts failed sign-ins; safe to call from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[str, list[datetime]] = {}
        self._lock = Lock()

    def begin(self, address: str) -> int:
        """Note an attempt, before it is checked, so that attempts at once are counted too.

        Returns:
            Seconds to wait before trying again; 0 lets the attempt go on.
        """
        now = self._clock.now()
        with self._lock:
            recent = self._recent(_network(address), now)
            if len(recent) >= ALLOWED:
                return max(1, round((recent[0] + WINDOW - now).total_seconds()))
            recent.append(now)
            self._failures[_network(address)] = recent
            self._make_room(now)
        return 0

    def succeeded(self, address: str) -> None:
        """Forget an address's failures."""
        with self._lock:
            self._failures.pop(_network(address), None)

    def _recent(self, network: str, now: datetime) -> list[datetime]:
        return [at for at in self._failures.get(network, ()) if at + WINDOW > now]

    def _make_room(self, now: datetime) -> None:
        if len(self._failures) <= _MAX_ADDRESSES:
            return
        live = {network: self._recent(network, now) for network in self._failures}
        kept = sorted((n for n, recent in live.items() if recent), key=lambda n: live[n][-1])
        self._failures = {network: live[network] for network in kept[-_MAX_ADDRESSES // 2 :]}


def _network(address: str) -> str:
    """The address, or of an IPv6 address the network of one customer."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - the protocol's name
        return address
    return str(ipaddress.ip_network((parsed, _IPV6_SITE_BITS), strict=False))
