"""Bytes in flight, objects that are too large, and peers that stall."""

from __future__ import annotations

import socket
import time

import pytest

from hilum_listener.network.connections import Connections
from hilum_listener.network.conversation import Conversation
from hilum_listener.network.limits import STEP_BYTES, BytesInFlight, Limits
from hilum_listener.network.received_object import (
    CommandTooLong,
    ReceivedCommand,
    ReceivedObject,
)
from hilum_listener.rejections import Reason

LIMITS = Limits(
    max_associations=2,
    max_object_bytes=100,
    max_bytes_in_flight=150,
    max_pdu_bytes=50,
    timeout_s=30,
    idle_timeout_s=300,
)


@pytest.fixture
def talk():
    """Makes conversations."""
    pairs = [socket.socketpair() for _ in range(4)]
    yield lambda place=0: Conversation(pairs[place][0], "127.0.0.1", LIMITS)
    for pair in pairs:
        for one in pair:
            one.close()


def test_only_the_oldest_object_goes_on_beyond_the_bytes_in_flight():
    """So one of them always ends, and makes room."""
    bytes_in_flight = BytesInFlight(150)
    first, second = object(), object()
    bytes_in_flight.add(first, 100)
    assert bytes_in_flight.has_room(None)
    bytes_in_flight.add(second, 60)
    assert bytes_in_flight.has_room(first)
    assert not bytes_in_flight.has_room(second)
    assert not bytes_in_flight.has_room(None)
    bytes_in_flight.release(first)
    assert bytes_in_flight.has_room(second)
    bytes_in_flight.release(second)
    assert bytes_in_flight.total == 0


def test_an_object_over_the_limit_is_counted_and_not_kept():
    """Its bytes are nobody's any longer."""
    bytes_in_flight, seen = BytesInFlight(150), []
    received = ReceivedObject(100, bytes_in_flight, seen.append)
    received.write(b"a" * 80)
    assert (bytes_in_flight.total, received.too_large) == (80, False)
    received.write(b"b" * 80)
    received.write(b"c" * 80)
    assert (bytes_in_flight.total, received.too_large, received.size) == (0, True, 240)
    assert received.getvalue() == b""
    assert seen == [80, 80, 80]


def test_what_is_taken_is_held_until_it_is_released():
    """The bytes count while the object is stored."""
    bytes_in_flight = BytesInFlight(150)
    received = ReceivedObject(100, bytes_in_flight, lambda _: None)
    received.write(b"abc")
    assert received.take() == b"abc"
    assert bytes_in_flight.total == 3
    received.release()
    assert bytes_in_flight.total == 0


def test_a_command_that_does_not_end_is_refused():
    """Long before it fills the memory."""
    command = ReceivedCommand(10)
    command.write(b"x" * 10)
    with pytest.raises(CommandTooLong):
        command.write(b"x")


def test_a_peer_stalls_within_an_object_and_idles_between_two(talk, monkeypatch):
    """Bytes are progress where enough of them come."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    told = talk()
    now[0] += 299
    assert not told.stalled
    told.came(10)
    now[0] += 29
    told.came(10)
    assert not told.stalled
    now[0] += 2
    assert told.stalled
    told.came(STEP_BYTES)
    assert not told.stalled
    told.mark()
    now[0] += 299
    assert not told.stalled
    now[0] += 2
    assert told.stalled


def test_the_first_reason_stays(talk):
    """What comes of it is no reason."""
    told = talk()
    told.end_for(Reason.NO_PROGRESS)
    told.end_for(Reason.ABORTED)
    assert told.record().reason == "no_progress"
    assert told.record().outcome == "rejected"


def test_there_are_so_many_associations(talk):
    """One that ends makes room. None begins while the process drains."""
    connections = Connections(LIMITS)
    first, second, third = (talk(place) for place in range(3))
    for one in (first, second):
        connections.begin(one)
        assert connections.associate(one) is None
    connections.begin(third)
    assert connections.associate(third) is Reason.TOO_MANY_ASSOCIATIONS
    connections.end(first)
    assert connections.associate(third) is None
    connections.draining.set()
    assert connections.associate(talk(3)) is Reason.SHUTTING_DOWN
    for one in (second, third):
        connections.end(one)
    assert connections.drain(0)


def test_the_oldest_connection_without_an_association_makes_room(talk):
    """It is shut down, with its reason."""
    connections = Connections(LIMITS)
    silent = [talk(place) for place in range(3)]
    for one in silent:
        connections.begin(one)
    assert [one.reason for one in silent] == [Reason.CROWDED_OUT, None, None]
    assert silent[0].connection.recv(1) == b""
