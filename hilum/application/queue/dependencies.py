"""Tell an outage of a dependency from an item that fails by itself.

An error does not decide that alone: an image may break a server that is well. So the dependency is
asked to do what an item needs of it. An attempt that an outage ended does not count.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final

from hilum.application.queue.breaker import Breaker, BreakerState
from hilum.domain.errors import Dependency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hilum.application.ports.unit_of_work import UnitOfWork

    Probe = Callable[[], object]

_LOG = logging.getLogger(__name__)

PROBE_BOUND_S: Final = 2.0


@dataclass(slots=True)
class Admission:
    """Leave for a slot to claim one item.

    Attributes:
        trials: Dependencies of which a probe has just said that they are back.
        ran: Whether an item was run.
        missed: The dependency whose error ended the run.
    """

    trials: set[Dependency] = field(default_factory=set)
    ran: bool = False
    missed: Dependency | None = None


class Dependencies:
    """What the slots of a process depend on; safe to call from several threads."""

    def __init__(
        self,
        probes: Mapping[Dependency, Probe],
        *,
        unit_of_work: UnitOfWork,
        slots: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare breakers; nothing is probed yet.

        Args:
            probes: Of every kind of work, see
                :attr:`hilum.application.queue.handler.Handler.probes`.
            unit_of_work: The database. It needs no breaker, since nothing is claimed without it.
            slots: Of this process.
            clock: Monotonic seconds.
        """
        self.breakers: Final = {dependency: Breaker(slots, clock) for dependency in probes}
        self._probes = {**probes, Dependency.DATABASE: unit_of_work.check}
        self._threads = {
            dependency: ThreadPoolExecutor(1, f"probe-{dependency}") for dependency in self._probes
        }
        self._asked: dict[Dependency, Future[object]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def admit(self, needs: Iterable[Dependency]) -> Iterator[Admission | None]:
        """Ask whether a slot may claim an item that needs these; None if it may not."""
        admission = Admission()
        with ExitStack() as leaving:
            for dependency in needs:
                breaker = self.breakers[dependency]
                state = breaker.admit()
                if state is BreakerState.OPEN:
                    yield None
                    return
                leaving.callback(self._leave, dependency, state, admission)
                if state is BreakerState.HALF_OPEN:
                    admission.trials.add(dependency)
            yield admission

    def is_outage(self, dependency: Dependency, admission: Admission) -> bool:
        """Return whether a run that this dependency ended does not count as an attempt.

        A trial counts in any case, because the probe had succeeded a moment before. So an item
        that takes the dependency down with it uses up its budget, too.
        """
        admission.missed = dependency
        breaker = self.breakers.get(dependency)
        if breaker is not None and breaker.state is BreakerState.OPEN:
            down = True
        else:
            down = self._is_down(dependency)
            if down and breaker is not None:
                breaker.outage()
        return down and dependency not in admission.trials

    def look(self) -> None:
        """Ask what is down whether it is back; to be called about every second."""
        for dependency, breaker in self.breakers.items():
            before = breaker.state
            breaker.look(partial(self._is_down, dependency))
            if breaker.state is not before:
                facts = {"dependency": dependency.value, "state": breaker.state.value}
                _LOG.warning("breaker.changed", extra=facts)

    def _leave(self, dependency: Dependency, state: BreakerState, admission: Admission) -> None:
        worked = admission.ran and admission.missed is not dependency
        self.breakers[dependency].leave(state, worked=worked)

    def _probe(self, dependency: Dependency) -> Future[object]:
        """Begin a probe, or join the one that runs: many slots ask a slow server once."""
        with self._lock:
            asked = self._asked.get(dependency)
            if asked is None or asked.done():
                asked = self._threads[dependency].submit(self._probes[dependency])
                self._asked[dependency] = asked
            return asked

    def _is_down(self, dependency: Dependency) -> bool:
        if dependency not in self._probes:
            return False
        try:
            self._probe(dependency).result(PROBE_BOUND_S)
        except Exception as error:  # noqa: BLE001 - whatever it is, the dependency does not work
            told = getattr(error, "sentence", None) or str(error) or type(error).__name__
            _LOG.warning("probe.failed", extra={"dependency": dependency.value, "error": told})
            return True
        return False
