"""Ports of 127.0.0.1."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hilum_stack.errors import PortTaken
from hilum_stack.ports import LOOPBACK, is_free, require_free, reserve_port

RESERVE = "from hilum_stack.ports import reserve_port; print(*[reserve_port() for _ in range(200)])"


def test_a_reserved_port_is_free_and_never_given_twice() -> None:
    """Servers of one run do not collide."""
    ports = [reserve_port() for _ in range(50)]
    assert len(set(ports)) == len(ports)
    assert all(is_free(port) for port in ports)


def test_two_runs_do_not_share_ports() -> None:
    """Two test processes on one machine choose different ports, also while nothing listens."""
    ours = {reserve_port() for _ in range(200)}
    done = subprocess.run(
        [sys.executable, "-c", RESERVE], capture_output=True, text=True, check=True
    )
    theirs = {int(port) for port in done.stdout.split()}
    assert len(theirs) == 200
    assert not ours & theirs


def test_reserved_ports_lie_below_the_ephemeral_range() -> None:
    """The kernel never hands a reserved port to an outgoing connection."""
    text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    lowest = int(text.split()[0])
    assert all(reserve_port() < lowest for _ in range(20))


def test_a_taken_port_is_a_clear_error() -> None:
    """The error names the port and the way out."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"port {port} .* HILUM_PORT"):
            require_free(port)
