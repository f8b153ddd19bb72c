"""Loopback ports that stay ours for as long as this process lives."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

from hilum_stack.errors import PortTaken, StackError

LOOPBACK = "127.0.0.1"

# Below the kernel's ephemeral range: a port that the kernel may hand to any outgoing connection
# can be lost while a server restarts, and a client that keeps trying to reach a stopped server
# on such a port can even connect to itself (TCP simultaneous open).
_LOWEST = 20_000
_HIGHEST = 32_000

# Locks are held until the process ends, so no descriptor is ever closed on purpose.
_reservations: dict[int, int] = {}


def reserve_port() -> int:
    """Reserves a free TCP port on 127.0.0.1 for this process.

    The reservation is a file lock, so two test runs on one machine never choose the same port,
    also in the moments when the server behind it is stopped. It ends with the process.

    Returns:
        A port that nothing listens on and that no other caller of this function holds.

    Raises:
        StackError: Every port of the range is in use.
    """
    candidates = list(range(_LOWEST, _HIGHEST))
    random.shuffle(candidates)
    for port in candidates:
        if port not in _reservations and _lock(port):
            return port
    raise StackError(f"no free port between {_LOWEST} and {_HIGHEST}")


def require_free(port: int) -> None:
    """Checks that a server could listen on ``127.0.0.1:port`` now.

    Raises:
        PortTaken: Another program has the port.
    """
    if not is_free(port):
        raise PortTaken(
            f"port {port} on {LOOPBACK} is in use by another program; "
            "set HILUM_PORT to another one, or stop that program"
        )


def is_free(port: int) -> bool:
    """Whether a server could listen on ``127.0.0.1:port`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: without it a connection in TIME_WAIT would look like a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def accepts_connections(port: int) -> bool:
    """Whether something accepts TCP connections on ``127.0.0.1:port``."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _lock(port: int) -> bool:
    folder = Path(tempfile.gettempdir()) / f"hilum-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / f"{port}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    if not is_free(port):
        os.close(descriptor)
        return False
    _reservations[port] = descriptor
    return True
