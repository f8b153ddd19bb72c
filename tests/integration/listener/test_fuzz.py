"""Changed PDUs and data sets, drawn from seeds: each is answered or ended, and nothing breaks."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from tests.fuzz.mutator import mutate
from tests.integration.listener.running import Running, data_set_of
from tests.integration.listener.senders import encoded, phantom, written
from tests.integration.listener.wire import (
    associate_request,
    connect,
    ends,
    fragment,
    read_pdu,
    status_of,
    store_command,
)
from tests.servers import run_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real

STREAMS = 250
DATA_SETS = 500
ANSWERS = {0x0000, 0xA900, 0xC000}
DEFECTS = {"object.crashed", "connection.crashed", "process.died", "association.crashed"}


@pytest.fixture
def listener() -> Iterator[Running]:
    """One process, so that a crash of it is seen."""
    with run_folder() as folder:
        running = Running(folder, HILUM_LISTENER_PROCESSES=1, HILUM_LISTENER_TIMEOUT_SECONDS=10)
        with running.server.launch():
            before = psutil.Process(running.server.pid).children()
            yield running
            assert psutil.Process(running.server.pid).children()[0].pid == before[0].pid
            assert not DEFECTS & {line["message"] for line in running.lines()}


def test_a_changed_stream_ends(listener: Running):
    """A whole association, with bytes of it changed, cut, doubled or moved."""
    dataset = phantom()
    small = encoded(dataset)[:3000]
    stream = (
        associate_request()
        + fragment(store_command(str(dataset.SOPInstanceUID)), command=True)
        + fragment(small)
        + b"\5\0\0\0\0\4\0\0\0\0"
    )
    for seed in range(STREAMS):
        changed = mutate(stream, [stream], seed)
        connection = connect(listener.port)
        with suppress(ConnectionError):
            connection.sendall(changed)
            connection.shutdown(socket.SHUT_WR)
        assert len(ends(connection)) < 100, seed


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless], ids=lambda one: one.name)
def test_a_changed_data_set_is_answered(listener: Running, tmp_path: Path, syntax):
    """With one of the statuses of the table, over associations that go on."""
    dataset = phantom()
    data = data_set_of(written(dataset, tmp_path / "a.dcm", syntax).read_bytes())
    command = fragment(store_command(str(dataset.SOPInstanceUID)), command=True)
    connection = connect(listener.port, associate_request(syntax=syntax))
    assert read_pdu(connection)
    told = []
    for seed in range(DATA_SETS // 2):
        changed = mutate(data, [data], seed)
        parts = [changed[at : at + 100_000] for at in range(0, len(changed), 100_000)] or [b""]
        for part in parts[:-1]:
            command_and = fragment(part, last=False)
            connection.sendall(command + command_and if part is parts[0] else command_and)
        last = fragment(parts[-1])
        connection.sendall(command + last if len(parts) == 1 else last)
        told.append(status_of(connection))
        assert told[-1] in ANSWERS, seed
    connection.close()
    assert {0x0000, 0xC000} <= {*told}
