"""Writes the record of each association, beside the associations themselves."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final

import structlog

from hilum.domain.errors import HilumError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.domain.association import Association

_LOG: Final = structlog.get_logger(__name__)
_MOST_WAITING: Final = 1000


class AssociationLog:
    """Records associations in one thread, so that nobody waits for it.

    What cannot be recorded is logged: an outage of the database costs the record of an
    association, never an object.
    """

    def __init__(self, record: Callable[[Association], None]) -> None:
        self._record = record
        self._waiting: queue.Queue[Association | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="association-log", daemon=True)
        self._thread.start()

    def add(self, association: Association) -> None:
        """Have an association recorded."""
        try:
            self._waiting.put_nowait(association)
        except queue.Full:
            _lost(association, "too many wait")

    def close(self, within_s: float) -> None:
        """Record those that wait."""
        self._waiting.put(None)
        self._thread.join(within_s)

    def _run(self) -> None:
        while (association := self._waiting.get()) is not None:
            try:
                self._record(association)
            except HilumError as error:
                _lost(association, error.sentence)
            except Exception:  # noqa: BLE001 - a defect over one must not end the next
                _LOG.exception("association.crashed")


def _lost(association: Association, error: str) -> None:
    _LOG.warning("association.unrecorded", association_id=str(association.id), error=error)
