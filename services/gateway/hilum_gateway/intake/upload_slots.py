"""Slots of uploads, shared out so that no key and no address takes them all."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class UploadSlots:
    """The slots of one gateway. An upload over its share waits, and holds nothing meanwhile.

    Args:
        slots: Uploads that are accepted at once.
        of_a_key: Of them, most of one API key.
        of_an_address: Of them, most from one address.
    """

    def __init__(self, slots: int, of_a_key: int, of_an_address: int) -> None:
        self._all = anyio.Semaphore(slots)
        self._keys = _Shares(min(of_a_key, slots))
        self._addresses = _Shares(min(of_an_address, slots))

    @asynccontextmanager
    async def hold(self, key_id: str, address: str) -> AsyncIterator[None]:
        """Hold a slot.

        Args:
            key_id: Of the API key that sends.
            address: Address that sends.
        """
        async with self._keys.hold(key_id), self._addresses.hold(address), self._all:
            yield

    @property
    def waiting(self) -> int:
        """Uploads that wait for a slot, for their own share or for any."""
        return self._keys.waiting + self._addresses.waiting + self._all.statistics().tasks_waiting

    @property
    def shares(self) -> int:
        """Keys and addresses that hold a slot or wait for one."""
        return len(self._keys) + len(self._addresses)


class _Shares:
    """One semaphore for each name that is in use."""

    def __init__(self, share: int) -> None:
        self._share = share
        self._in_use: dict[str, anyio.Semaphore] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        share = self._in_use.setdefault(name, anyio.Semaphore(self._share))
        try:
            async with share:
                yield
        finally:
            if share.value == self._share and not share.statistics().tasks_waiting:
                self._in_use.pop(name, None)

    @property
    def waiting(self) -> int:
        return sum(share.statistics().tasks_waiting for share in self._in_use.values())

    def __len__(self) -> int:
        return len(self._in_use)
