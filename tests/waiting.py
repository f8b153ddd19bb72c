"""Waiting for a condition, instead of for a time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 60.0
_LOOK_AGAIN_S = 0.02


def wait_for(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return as soon as a condition holds; fail, saying what was waited for, if it never does."""
    until = time.monotonic() + patience_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"waited {patience_s:g} s in vain: {what}")
        pause.wait(_LOOK_AGAIN_S)
