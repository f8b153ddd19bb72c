"""Whether this gateway can do its work now.

The database and the object store are needed to accept a film, and the model set to know what it is
accepted for: without one of them the gateway is not ready and should get no traffic. The broker
only wakes workers. Without it images are accepted, kept and analysed all the same, more slowly. To
take the gateway out of service for it would turn a delay into an outage. So a broker that is down
makes the answer ``degraded``, not unready.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from hilum.domain.errors import HilumError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hilum_gateway.wiring.container import Container

_LOG = logging.getLogger(__name__)

_WITHIN_S: Final = 5.0
_KEPT_S: Final = 1.0
NEEDED: Final = frozenset({"database", "store", "models"})


@dataclass(frozen=True, slots=True)
class Check:
    """How one part is: ``detail`` is a stable code and never says where or why, it is public."""

    ok: bool
    detail: str


class Readiness:
    """Asks every part at once; the answer is kept for a second, so that asking costs little."""

    def __init__(self, container: Container) -> None:
        self._asked: Mapping[str, Callable[[], object]] = {
            "database": container.unit_of_work.check,
            "store": container.store.check,
            "models": container.catalogue.current,
            "broker": container.queue.check,
        }
        self._kept: Mapping[str, Check] = {}
        self._kept_until = 0.0
        self._asking = anyio.Lock()
        # Threads of their own: a gateway that is busy with requests is not unready.
        self._threads = anyio.CapacityLimiter(2 * len(self._asked))

    async def checks(self) -> Mapping[str, Check]:
        """How every part is."""
        async with self._asking:
            if time.monotonic() >= self._kept_until:
                found: dict[str, Check] = {}
                async with anyio.create_task_group() as group:
                    for name, ask in self._asked.items():
                        group.start_soon(self._ask, name, ask, found)
                self._kept = {name: found[name] for name in self._asked}
                self._kept_until = time.monotonic() + _KEPT_S
            return self._kept

    async def _ask(self, name: str, ask: Callable[[], object], found: dict[str, Check]) -> None:
        found[name] = Check(ok=False, detail="no answer in time")
        with anyio.move_on_after(_WITHIN_S):
            try:
                # A call that hangs is left behind in its thread.
                await anyio.to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self._threads)
            except HilumError as error:
                _LOG.warning("check.failed", extra={"part": name, "error": error.sentence})
                found[name] = Check(ok=False, detail=error.code)
            except Exception:  # noqa: BLE001 - logged; a defect in one check fails that check
                _LOG.exception("check.crashed", extra={"part": name})
                found[name] = Check(ok=False, detail="internal_error")
            else:
                found[name] = Check(ok=True, detail="ok")
