"""Waiting for what a cluster does in its own time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Each look is a kubectl, which is no small process.
_LOOK_AGAIN_S = 0.5


def wait_long(condition: Callable[[], object], what: str, *, within_s: float = 300.0) -> None:
    """Returns as soon as a condition holds.

    Args:
        condition: Asked twice a second.
        what: What was waited for, for a person.
        within_s: After so many seconds something is broken, not slow.

    Raises:
        AssertionError: It never held.
    """
    until = time.monotonic() + within_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"waited {within_s:g} s in vain: {what}")
        pause.wait(_LOOK_AGAIN_S)
