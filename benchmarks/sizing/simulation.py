"""A discrete-event simulation (SimPy) of films that wait for workers, and workers for Triton."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import simpy

from hilum.domain.job import Priority

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from benchmarks.sizing.platform import Outage, Platform, Slice

    Steps = Generator[simpy.Event, object, None]

_DRAWS: Final = 4096


@dataclass(slots=True)
class Film:
    """One film on its way.

    Attributes:
        arrived: When it was accepted, seconds.
        priority: Of its job.
        attempts: Claims so far.
    """

    arrived: float
    priority: Priority
    attempts: int = 0


@dataclass(slots=True)
class Record:
    """What happened.

    Attributes:
        waits: Seconds from acceptance to the first claim, by priority.
        turnaround: Seconds from acceptance to the result, by priority.
        retries: Films that were tried again.
        samples: (seconds, waiting by priority, pods by slice, Triton nodes), once a minute.
        pod_seconds: Of each slice.
        node_seconds: Of the Triton nodes.
    """

    waits: dict[Priority, list[float]] = field(default_factory=lambda: {p: [] for p in Priority})
    turnaround: dict[Priority, list[float]] = field(
        default_factory=lambda: {p: [] for p in Priority}
    )
    retries: int = 0
    samples: list[tuple[float, dict[Priority, int], dict[str, int], int]] = field(
        default_factory=list
    )
    pod_seconds: dict[str, float] = field(default_factory=dict)
    node_seconds: float = 0.0


class Simulation:
    """One run of a platform under a load."""

    def __init__(self, platform: Platform, seed: int = 1) -> None:
        self._platform = platform
        self._environment = simpy.Environment()
        self._draw = np.random.default_rng(seed)
        self._times: deque[float] = deque()
        self._waiting: dict[Priority, deque[Film]] = {p: deque() for p in Priority}
        self._idle: dict[str, deque[simpy.Event]] = {s.name: deque() for s in platform.slices}
        self._pods = {s.name: s.pods for s in platform.slices}
        self._surplus = {s.name: 0 for s in platform.slices}
        self._running = 0
        self._nodes = platform.triton_nodes
        self._triton = simpy.PriorityResource(
            self._environment, platform.triton_nodes * platform.triton_parallel
        )
        self.record = Record(pod_seconds=dict.fromkeys(self._pods, 0.0))

    def run(self, arrivals: Iterable[tuple[float, Priority]], until_s: float) -> Record:
        """Simulate until a moment; films that are still on their way then are in no figure."""
        environment = self._environment
        for part in self._platform.slices:
            for _ in range(part.pods * part.slots):
                environment.process(self._slot(part))
            if part.autoscaling is not None:
                environment.process(self._scale(part))
        for outage in self._platform.outages:
            environment.process(self._lose(outage))
        environment.process(self._arrive(arrivals))
        environment.process(self._sample())
        environment.run(until=until_s)
        return self.record

    @property
    def in_hand(self) -> int:
        """Films that wait or run."""
        return self._running + sum(map(len, self._waiting.values()))

    # ------------------------------------------------------------------------------ queues
    def _arrive(self, arrivals: Iterable[tuple[float, Priority]]) -> Steps:
        for at, priority in arrivals:
            if at > self._environment.now:
                yield self._environment.timeout(at - self._environment.now)
            self._queue(Film(at, priority))

    def _queue(self, film: Film) -> None:
        self._waiting[film.priority].append(film)
        self._wake(film.priority)

    def _wake(self, priority: Priority) -> None:
        # A slice that takes nothing else first: the others are then free for more.
        for part in sorted(self._platform.slices, key=lambda part: len(part.queues)):
            if priority in part.queues and self._idle[part.name]:
                self._idle[part.name].popleft().succeed()
                return

    def _next(self, part: Slice) -> Film | None:
        for priority in part.queues:
            if self._waiting[priority]:
                return self._waiting[priority].popleft()
        return None

    # ----------------------------------------------------------------------------- workers
    def _slot(self, part: Slice) -> Steps:
        while True:
            if self._surplus[part.name] > 0:
                self._surplus[part.name] -= 1
                # It may have been woken for a film: another one takes that.
                for priority in part.queues:
                    if self._waiting[priority]:
                        self._wake(priority)
                return
            film = self._next(part)
            if film is None:
                woken = self._environment.event()
                self._idle[part.name].append(woken)
                yield woken
                continue
            self._running += 1
            yield from self._read(film)
            self._running -= 1

    def _read(self, film: Film) -> Steps:
        if film.attempts == 0:
            self.record.waits[film.priority].append(self._environment.now - film.arrived)
        film.attempts += 1
        yield self._environment.timeout(self._film_time())
        with self._triton.request(priority=0) as turn:
            yield turn
            nodes = self._nodes
            parallel = self._platform.triton_parallel
            yield self._environment.timeout(parallel / self._platform.triton_per_second)
        lost = nodes - self._nodes
        if lost > 0 and self._draw.random() < lost / nodes:
            self.record.retries += 1
            self._environment.process(self._again(film))
            return
        self.record.turnaround[film.priority].append(self._environment.now - film.arrived)

    def _again(self, film: Film) -> Steps:
        yield self._environment.timeout(self._platform.retry_s)
        self._queue(film)

    def _film_time(self) -> float:
        if not self._times:
            spread = np.log1p(self._platform.film_cv**2)
            mean = np.log(self._platform.film_s) - spread / 2
            self._times.extend(self._draw.lognormal(mean, np.sqrt(spread), _DRAWS).tolist())
        return self._times.popleft()

    # ----------------------------------------------------------------------------- scaling
    def _scale(self, part: Slice) -> Steps:
        rules = part.autoscaling
        if rules is None:
            return
        fewer_since: float | None = None
        while True:
            yield self._environment.timeout(rules.poll_s)
            now = self._pods[part.name]
            jobs = self._running + sum(len(self._waiting[p]) for p in part.queues)
            wanted = rules.wanted(jobs, now, part.pods)
            if wanted >= now:
                fewer_since = None
                for _ in range(wanted - now):
                    self._pods[part.name] += 1
                    self._environment.process(self._start(part, rules.start_s))
                continue
            if fewer_since is None:
                fewer_since = self._environment.now
            elif self._environment.now - fewer_since >= rules.patience_s:
                self._shrink(part, now - wanted)
                fewer_since = None

    def _start(self, part: Slice, after_s: float) -> Steps:
        yield self._environment.timeout(after_s)
        for _ in range(part.slots):
            self._environment.process(self._slot(part))

    def _shrink(self, part: Slice, pods: int) -> None:
        self._pods[part.name] -= pods
        self._surplus[part.name] += pods * part.slots
        # Those that wait leave now, the others after their film.
        for woken in list(self._idle[part.name])[: pods * part.slots]:
            self._idle[part.name].remove(woken)
            woken.succeed()

    # ---------------------------------------------------------------------------- failures
    def _lose(self, outage: Outage) -> Steps:
        yield self._environment.timeout(outage.at_s)
        self._nodes -= outage.nodes
        # SimPy's resources keep their size: the lost share is held by requests that go first.
        held = [self._triton.request(priority=-1) for _ in range(self._share(outage))]
        yield self._environment.timeout(outage.for_s)
        self._nodes += outage.nodes
        for turn in held:
            if turn.triggered:
                self._triton.release(turn)
            else:
                turn.cancel()

    def _share(self, outage: Outage) -> int:
        return outage.nodes * self._platform.triton_parallel

    def _sample(self) -> Steps:
        every = 60.0
        while True:
            waiting = {p: len(films) for p, films in self._waiting.items()}
            now = self._environment.now
            self.record.samples.append((now, waiting, dict(self._pods), self._nodes))
            yield self._environment.timeout(every)
            for name, pods in self._pods.items():
                self.record.pod_seconds[name] += pods * every
            self.record.node_seconds += self._platform.triton_nodes * every
