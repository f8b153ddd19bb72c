"""One slot that runs work while the broker is down: an outage of it costs speed, never progress."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class LoneSlot:
    """Drains the queues in a thread of its own each time it is woken."""

    def __init__(self, drain: Callable[[], None]) -> None:
        self._drain = drain
        self._woken = threading.Event()
        self._stopping = False
        self._drains = False
        self._thread = threading.Thread(target=self._serve, name="lone-slot", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the item that runs."""
        self._stopping = True
        self._woken.set()
        self._thread.join()

    @property
    def drains(self) -> bool:
        """Return whether the slot runs items, or hangs in one."""
        return self._drains

    def wake(self) -> None:
        """Let the slot drain, unless it does so already."""
        self._woken.set()

    def _serve(self) -> None:
        while not self._stopping:
            self._woken.wait()
            self._woken.clear()
            if not self._stopping:
                self._drains = True
                self._drain()
                self._drains = False
