"""Peers that mean no good, or are broken: they end, others are served, and memory stays bounded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from tests.integration.listener.running import Running
from tests.integration.listener.senders import DX, VERIFICATION, encoded, phantom, store
from tests.integration.listener.wire import (
    answer,
    associate_request,
    connect,
    ends,
    fragment,
    pdu,
    status_of,
    store_command,
)
from tests.servers import run_folder
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real

SERVED_WITHIN_S = 20.0
ACCEPT, REJECT, DATA, RELEASE, ABORT = 2, 3, 4, 6, 7
TIMEOUT_S = 3
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def listener() -> Iterator[Running]:
    """A listener with short timeouts, one process, and room for few bytes."""
    limits = {
        "HILUM_LISTENER_PROCESSES": 1,
        "HILUM_LISTENER_TIMEOUT_SECONDS": TIMEOUT_S,
        "HILUM_LISTENER_IDLE_TIMEOUT_SECONDS": 2 * TIMEOUT_S,
        "HILUM_LISTENER_MAX_BYTES_IN_FLIGHT": 8 * MIB,
        "HILUM_IMAGE_MAX_BYTES": 32 * MIB,
    }
    with run_folder() as folder:
        running = Running(folder, **limits)
        with running.server.launch():
            serves(running)
            yield running


def serves(listener: Running) -> None:
    """An honest sender is served in good time."""
    dataset = phantom()
    began = time.monotonic()
    with listener.associated([(DX, ExplicitVRLittleEndian)]) as association:
        uid = str(dataset.SOPInstanceUID)
        assert store(association, encoded(dataset), sop_class=DX, instance=uid)[0] == 0
    assert time.monotonic() - began < SERVED_WITHIN_S


def memory(listener: Running) -> int:
    """Resident bytes of all processes of a listener."""
    family = psutil.Process(listener.server.pid)
    return sum(one.memory_info().rss for one in (family, *family.children(recursive=True)))


def test_silent_peers_hold_up_nobody(listener: Running):
    """There are more of them than associations are allowed. The oldest ends."""
    silent = [connect(listener.port) for _ in range(100)]
    serves(listener)
    assert ends(silent[0]) == []
    for one in silent[1:]:
        one.close()
    wait_for(lambda: "crowded_out" in listener.reasons(), "the record")


def test_a_silent_peer_ends_after_the_timeout(listener: Running):
    """Also one that says half a request."""
    for said in (b"", associate_request()[:20]):
        assert set(ends(connect(listener.port, said))) <= {ABORT}
    wait_for(lambda: listener.reasons().count("no_progress") >= 2, "both records")


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(1000), b"\x16\x03\x01" + bytes(200), b"\xff" * 64],
    ids=["http", "zeros", "tls", "ones"],
)
def test_garbage_ends_the_connection(listener: Running, garbage: bytes):
    """With an abort at most."""
    assert set(ends(connect(listener.port, garbage))) <= {ABORT}
    serves(listener)


@pytest.mark.parametrize("kind", [1, 4], ids=["request", "data"])
def test_a_pdu_that_promises_four_gigabytes_is_not_believed(listener: Running, kind: int):
    """The connection is aborted at once, and no memory is taken."""
    before = memory(listener)
    connection = connect(listener.port)
    if kind == DATA:
        connection.sendall(associate_request())
        assert answer(connection) == ACCEPT
    connection.sendall(pdu(kind, b"", length=0xFFFFFFFF))
    assert ends(connection) == [ABORT]
    assert memory(listener) - before < 64 * MIB
    wait_for(lambda: "pdu_too_long" in listener.reasons(), "the record")
    serves(listener)


def test_half_an_object_is_nothing(listener: Running):
    """Whether the peer leaves, or stays and is silent: no job, no refusal, no bytes."""
    dataset = phantom()
    uid = str(dataset.SOPInstanceUID)
    half = fragment(encoded(dataset)[:60_000], last=False)
    for leaves in (True, False):
        connection = connect(listener.port, associate_request())
        assert answer(connection) == ACCEPT
        connection.sendall(fragment(store_command(uid), command=True) + half)
        if leaves:
            connection.close()
        else:
            assert set(ends(connection)) <= {ABORT}
    serves(listener)
    assert uid not in listener.jobs()
    assert not [name for name, _ in listener.refusals() if uid in name]


def test_a_peer_that_drips_ends(listener: Running):
    """A byte now and then is no progress."""
    connection = connect(listener.port, associate_request())
    assert answer(connection) == ACCEPT
    connection.sendall(fragment(store_command("1.2.3"), command=True))
    began = time.monotonic()
    with pytest.raises(OSError, match=r".*"):  # noqa: PT012 - until it is closed
        while time.monotonic() - began < 60:
            connection.sendall(fragment(b"x", last=False))
            connection.settimeout(0.2)
            try:
                if not connection.recv(100):
                    raise ConnectionResetError
            except TimeoutError:
                continue
    connection.close()
    serves(listener)


def test_a_hundred_associations_are_served(tmp_path):
    """By two processes; an object comes through beside them."""
    with run_folder() as folder:
        listener = Running(folder, HILUM_LISTENER_MAX_ASSOCIATIONS=100)
        with listener.server.launch():
            many = [connect(listener.port, associate_request()) for _ in range(100)]
            assert [answer(one) for one in many] == [ACCEPT] * 100
            serves(listener)
            for one in many:
                one.sendall(pdu(5, bytes(4)))
            assert [ends(one) for one in many] == [[RELEASE]] * 100


def test_objects_beyond_the_bytes_in_flight_wait_and_all_are_taken(listener: Running):
    """Ten senders of 4 MB each at the same moment, where there is room for two."""
    before = memory(listener)
    sets = [phantom(seed, side=1448) for seed in range(10)]
    connections = [connect(listener.port, associate_request()) for _ in sets]
    assert [answer(one) for one in connections] == [ACCEPT] * len(sets)
    most = 0
    messages = []
    for dataset in sets:
        data = encoded(dataset)
        parts = [data[at : at + 65_536] for at in range(0, len(data), 65_536)]
        command = fragment(store_command(str(dataset.SOPInstanceUID)), command=True)
        rest = [fragment(part, last=part is parts[-1]) for part in parts]
        messages.append(b"".join([command, *rest]))
    left = dict(zip(connections, map(memoryview, messages), strict=True))
    answers = dict.fromkeys(connections, None)
    for one in connections:
        one.setblocking(False)
    until, look_at = time.monotonic() + 60, 0.0
    while left and time.monotonic() < until:
        for one in list(left):
            try:
                left[one] = left[one][one.send(left[one][:65_536]) :]
            except BlockingIOError:
                continue
            if not left[one]:
                del left[one]
        if time.monotonic() > look_at:
            most = max(most, memory(listener) - before)
            look_at = time.monotonic() + 0.1
    for one in connections:
        one.settimeout(60)
        answers[one] = answer(one)
        one.close()
    assert set(answers.values()) == {DATA}
    jobs = listener.jobs()
    assert [jobs.get(str(dataset.SOPInstanceUID)) for dataset in sets] == [1] * len(sets)
    assert most < 128 * MIB


def test_a_slow_object_that_takes_all_room_holds_up_no_association(listener: Running):
    """C-ECHO needs no room."""
    dataset = phantom(side=3000)
    data = encoded(dataset)
    assert len(data) > 17 * MIB
    slow = connect(listener.port, associate_request())
    assert answer(slow) == ACCEPT
    slow.sendall(fragment(store_command(str(dataset.SOPInstanceUID)), command=True))
    # More than the limit and the buffers between both ends.
    for at in range(0, 17 * MIB, 65_536):
        slow.sendall(fragment(data[at : at + 65_536], last=False))
    with listener.associated([(VERIFICATION, ExplicitVRLittleEndian)]) as association:
        assert association.send_c_echo().Status == 0
    slow.close()


def test_many_requests_without_waiting_are_held_back(listener: Running):
    """A flood of C-STOREs without data sets, or of requests that nobody reads the answers of."""
    before = memory(listener)
    connection = connect(listener.port, associate_request())
    assert answer(connection) == ACCEPT
    flood = fragment(store_command("1.2.3", has_data=False), command=True) * 200
    connection.settimeout(0.5)
    try:
        for _ in range(200):
            connection.sendall(flood)
    except OSError:
        pass
    assert memory(listener) - before < 64 * MIB
    serves(listener)
    connection.close()


def test_endless_commands_end_the_association(listener: Running):
    """A command set that never ends is no command."""
    connection = connect(listener.port, associate_request())
    assert answer(connection) == ACCEPT
    try:
        for _ in range(100):
            connection.sendall(fragment(bytes(16_000), command=True, last=False))
    except OSError:
        pass
    assert set(ends(connection)) <= {ABORT}
    serves(listener)


def test_an_ae_title_of_spaces_is_not_let_in(listener: Running):
    """As caller, or as the one that is called."""
    for request in (associate_request(calling=""), associate_request(called="")):
        assert ends(connect(listener.port, request)) in ([REJECT], [ABORT])
    serves(listener)


@pytest.mark.parametrize("uid", ["1." * 32 + "1", "1.2..3", "../../1", "1.2/3", ""])
def test_a_uid_that_is_none_is_refused(listener: Running, uid: str):
    """No name of a file comes of it. An empty one is no C-STORE, and the association is aborted."""
    connection = connect(listener.port, associate_request())
    assert answer(connection) == ACCEPT
    connection.sendall(fragment(store_command(uid), command=True) + fragment(b"x" * 100))
    assert status_of(connection) == (0xA900 if uid else None)
    connection.close()
    assert {name for name, code in listener.refusals() if code == "wrong_identifiers"} <= {
        "unnamed.dcm"
    }
    serves(listener)


def test_a_data_set_for_a_context_that_was_not_accepted_ends_the_association(listener: Running):
    """So does one of a context that was never proposed."""
    for context in (3, 200):
        connection = connect(listener.port, associate_request())
        assert answer(connection) == ACCEPT
        connection.sendall(fragment(store_command("1.2.3"), command=True, context=context))
        connection.sendall(fragment(b"x" * 100, context=context))
        assert set(ends(connection)) <= {ABORT}
    serves(listener)


def test_memory_is_flat_after_all_of_it(listener: Running):
    """Sixty more of the worst leave nothing behind."""
    serves(listener)
    before = memory(listener)
    for _ in range(30):
        ends(connect(listener.port, pdu(1, b"", length=0xFFFFFFFF)))
        ends(connect(listener.port, b"\xff" * 64))
    process = psutil.Process(listener.server.pid).children()[0]
    wait_for(lambda: process.num_threads() < 30, "threads that end")
    assert memory(listener) - before < 32 * MIB
