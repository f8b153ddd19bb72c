"""Threads that do something again and again beside the films."""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING, Self

from hilum.domain.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_LOG = logging.getLogger(__name__)


class Periodic:
    """Runs an action every so often until it is told to stop; outlives every error of it.

    ``with Periodic(...):`` starts the thread and, at the end, stops and joins it.
    """

    def __init__(
        self,
        name: str,
        action: Callable[[], object],
        seconds: float,
        *,
        jitter: float = 0.0,
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            name: Of the thread, for logs and metrics.
            action: Called again and again; an exception of it is logged.
            seconds: Pause between the end of one call and the beginning of the next.
            jitter: Part of the pause, in [0, 1), by which each pause is longer or shorter, so
                that many workers do not act in step.
            on_error: Told the name when the action failed.
        """
        self._name = name
        self._action = action
        self._seconds = seconds
        self._jitter = jitter
        self._on_error = on_error
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and wait for a call that is under way."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        chance = random.Random()  # noqa: S311 - jitter, not a secret
        while not self._stop.wait(
            self._seconds * chance.uniform(1 - self._jitter, 1 + self._jitter)
        ):
            try:
                self._action()
            except Transient as error:
                # Told without a trace: an outage repeats this line every few seconds.
                _LOG.warning("%s: %s: %s", self._name, error.code, error)
                self._tell()
            except Exception:  # noqa: BLE001 - a defect of one call must not end the next
                _LOG.exception("%s failed, next try in about %g s", self._name, self._seconds)
                self._tell()

    def _tell(self) -> None:
        if self._on_error is not None:
            self._on_error(self._name)
