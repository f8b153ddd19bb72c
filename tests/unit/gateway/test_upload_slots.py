"""Slots of uploads are shared out by key and by address."""

from __future__ import annotations

from contextlib import AsyncExitStack

import anyio
import anyio.lowlevel
import pytest

from hilum_gateway.intake.upload_slots import UploadSlots

pytestmark = pytest.mark.anyio


async def is_free(slots: UploadSlots, key: str, address: str) -> bool:
    """Whether an upload need not wait."""
    with anyio.move_on_after(0.05):
        async with slots.hold(key, address):
            return True
    return False


async def test_a_key_over_its_share_waits_and_others_do_not():
    """Uploads of one key that hold all of its share leave the other slots free."""
    slots = UploadSlots(8, of_a_key=2, of_an_address=8)
    async with slots.hold("slow", "a"), slots.hold("slow", "b"):
        assert not await is_free(slots, "slow", "c")
        assert await is_free(slots, "other", "a")
    assert await is_free(slots, "slow", "c")


async def test_an_address_over_its_share_waits_and_others_do_not():
    """Uploads from one address that hold all of its share leave the other slots free."""
    slots = UploadSlots(8, of_a_key=8, of_an_address=2)
    async with slots.hold("a", "slow"), slots.hold("b", "slow"):
        assert not await is_free(slots, "c", "slow")
        assert await is_free(slots, "a", "other")


async def test_an_upload_that_waits_for_its_share_holds_no_slot():
    """However many uploads of one key wait, another key finds a slot."""
    slots = UploadSlots(3, of_a_key=2, of_an_address=3)
    async with AsyncExitStack() as held, anyio.create_task_group() as waiting:
        for _ in range(2):
            await held.enter_async_context(slots.hold("slow", "a"))

        async def wait() -> None:
            async with slots.hold("slow", "a"):
                await anyio.sleep_forever()

        for _ in range(40):
            waiting.start_soon(wait)
        while slots.waiting < 40:
            await anyio.lowlevel.checkpoint()
        assert await is_free(slots, "other", "b")
        waiting.cancel_scope.cancel()


async def test_shares_that_nobody_uses_are_forgotten():
    """A share takes no memory once its uploads have ended."""
    slots = UploadSlots(8, of_a_key=2, of_an_address=2)
    for index in range(100):
        assert await is_free(slots, f"key {index}", f"address {index}")
    assert slots.shares == 0
