"""Counting failed sign-ins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hilum_gateway.pages.failed_sign_ins import ALLOWED, WINDOW, FailedSignIns
from tests.fakes.clock import SettableClock


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def failures(clock) -> FailedSignIns:
    return FailedSignIns(clock)


def exhaust(failures: FailedSignIns, address: str) -> None:
    assert [failures.begin(address) for _ in range(ALLOWED)] == [0] * ALLOWED


def test_one_address_does_not_block_another(failures):
    """Each address has its own count."""
    exhaust(failures, "192.0.2.1")
    assert failures.begin("192.0.2.1") > 0
    assert failures.begin("192.0.2.2") == 0


def test_all_addresses_of_one_ipv6_customer_count_as_one(failures):
    """Taking another address of the same /64 does not help; another /64 is somebody else."""
    exhaust(failures, "2001:db8:0:1::1")
    assert failures.begin("2001:db8:0:1:ffff::2") > 0
    assert failures.begin("2001:db8:0:2::1") == 0


def test_the_window_slides(failures, clock):
    """One may try again as soon as the oldest failure has left the window."""
    assert failures.begin("192.0.2.1") == 0
    clock.advance(timedelta(seconds=30))
    for _ in range(ALLOWED - 1):
        failures.begin("192.0.2.1")
    assert failures.begin("192.0.2.1") == (WINDOW - timedelta(seconds=30)).total_seconds()
    clock.advance(WINDOW - timedelta(seconds=30))
    assert failures.begin("192.0.2.1") == 0
    assert failures.begin("192.0.2.1") > 0


def test_waiting_is_not_prolonged_by_trying(failures, clock):
    """Attempts that were turned away do not count."""
    exhaust(failures, "192.0.2.1")
    for _ in range(100):
        failures.begin("192.0.2.1")
    clock.advance(WINDOW)
    assert failures.begin("192.0.2.1") == 0


def test_a_flood_of_addresses_does_not_fill_the_memory_nor_hide_the_latest(failures, clock):
    """Old addresses are forgotten first."""
    for number in range(10_001):
        failures.begin(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        clock.advance(timedelta(milliseconds=1))
    exhaust(failures, "192.0.2.1")
    assert failures.begin("192.0.2.1") > 0
    assert len(failures._failures) <= 5_001  # noqa: SLF001 - the memory is what is tested
