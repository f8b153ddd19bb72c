"""Servers that accept connections and answer nothing."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hilum_stack.server import Server


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """Stops a server and its children in their tracks, and lets them go on at the end."""
    root = psutil.Process(server.pid)
    with stopped([root, *root.children(recursive=True)]):
        yield


@contextmanager
def stopped(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Stop processes in their tracks until the end of the block."""
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)
