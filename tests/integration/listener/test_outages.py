"""Real servers that are down, or hang: the sender is told in time, and nothing is kept twice."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from hilum_stack.postgres import PostgresServer
from tests.integration.listener.running import Running, rejection_of
from tests.integration.listener.senders import DX, encoded, phantom, store
from tests.servers import run_folder, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.real

WITHIN_S = 40.0
"""An answer comes 9 s after the last byte. A loaded machine takes longer to ask and to look."""


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresServer]:
    with started(PostgresServer) as server:
        yield server


@pytest.fixture(scope="module")
def listener(database: PostgresServer) -> Iterator[Running]:
    """A listener on PostgreSQL."""
    with run_folder() as folder:
        running = Running(folder, HILUM_DATABASE_URL=database.url)
        with running.server.launch():
            yield running


@contextmanager
def stopped(database: PostgresServer) -> Iterator[None]:
    """Killed, and started again."""
    database.kill()
    try:
        yield
    finally:
        database.launch()


@contextmanager
def hanging(database: PostgresServer) -> Iterator[None]:
    """None of its processes does anything."""
    family = psutil.Process(database.pid)
    processes = [family, *family.children(recursive=True)]
    for one in processes:
        one.suspend()
    try:
        yield
    finally:
        for one in processes:
            one.resume()


@pytest.mark.parametrize("outage", [stopped, hanging], ids=["down", "hangs"])
def test_a_sender_is_told_of_a_database_in_time(
    listener: Running, database: PostgresServer, outage: Callable
):
    """With 0xA700, and a further association with 2/3/1. Sent again, the object has a job."""
    first, second = phantom(), phantom()

    def sent(dataset) -> int:
        uid = str(dataset.SOPInstanceUID)
        return store(association, encoded(dataset), sop_class=DX, instance=uid)[0]

    with listener.associated([(DX, ExplicitVRLittleEndian)]) as association:
        assert sent(first) == 0x0000
        with outage(database):
            began = time.monotonic()
            assert sent(second) == 0xA700
            assert time.monotonic() - began < WITHIN_S
            began = time.monotonic()
            assert rejection_of(listener.associate()) == (2, 3, 1)
            assert time.monotonic() - began < WITHIN_S
        until = time.monotonic() + 60
        while (status := sent(second)) == 0xA700 and time.monotonic() < until:
            pass
        assert status == 0x0000
    jobs = listener.jobs()
    assert [jobs[str(one.SOPInstanceUID)] for one in (first, second)] == [1, 1]
