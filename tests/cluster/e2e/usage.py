"""What each container needs, read from the kernel's own counters while films flow."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

from tests.cluster.e2e.account import Account

if TYPE_CHECKING:
    from tests.cluster.counters import ContainerCounters

_READ_EVERY_S = 0.5


class UsageRecorder:
    """Reads the counters while it is entered."""

    def __init__(self, counters: ContainerCounters) -> None:
        """Prepares it."""
        self._counters = counters
        self._account = Account()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._keep()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._keep()

    @property
    def lasted(self) -> float:
        """Seconds between the first reading and the last."""
        return self._account.lasted

    def table(self) -> dict[str, dict[str, Any]]:
        """See ``Account.table``."""
        return self._account.table()

    def _read(self) -> None:
        while not self._stop.wait(_READ_EVERY_S):
            self._keep()

    def _keep(self) -> None:
        read = self._counters.read()
        self._account.keep(time.monotonic(), read)
