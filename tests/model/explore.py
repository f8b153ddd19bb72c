"""Every history of a world, within bounds, and long ones by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilum.application.queue.messages import QUEUES
from hilum.domain.job import JobState
from tests.model.world import World

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

RARE = 0.3
"""Share of the faults of a long history that the short ones do not have."""

History = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far histories go.

    Attributes:
        steps: Most steps.
        faults: Most steps of them that are faults, or acts of a person.
    """

    steps: int
    faults: int


def histories(bounds: Bounds) -> Iterator[tuple[History, World]]:
    """Give one history of each state that the bounds let a world reach.

    Two histories that lead to the same state have the same futures. Only the first is gone on with.

    Yields:
        The steps, and the world after them.
    """
    seen: set[Any] = set()
    waiting: list[tuple[History, int]] = [((), bounds.faults)]
    while waiting:
        history, faults = waiting.pop(0)
        world = replayed(history)
        regular = list(world.actions())
        wrong = list(world.faults()) if faults else []
        state = (signature(world), faults)
        if state in seen:
            continue
        seen.add(state)
        if len(history) < bounds.steps:
            waiting += [((*history, step), faults) for step in regular]
            waiting += [((*history, step), faults - 1) for step in wrong]
        yield history, world


def by_chance(chance: random.Random, bounds: Bounds) -> tuple[History, World]:
    """One long history."""
    world, steps, faults = World(), [], bounds.faults
    for place in range(bounds.steps):
        regular = world.actions()
        wrong = world.rare() if chance.random() < RARE else world.faults()
        left = bounds.steps - place
        possible = wrong if faults and wrong and chance.random() < faults / left else regular
        step = chance.choice(list(possible))
        faults -= possible is wrong
        steps.append(step)
        possible[step]()
        world.check()
    return tuple(steps), world


def replayed(history: History) -> World:
    """A world after these steps."""
    world = World()
    for step in history:
        {**world.actions(), **world.faults()}[step]()
        world.check()
    return world


def signature(world: World) -> Any:
    """What the future of a world depends on."""
    now = world.stage.clock.now()
    rows = world.rows.rows
    numbers = {job.id: number for number, job in enumerate(world.jobs)}
    jobs = tuple(
        (
            job.site,
            job.state,
            job.attempts,
            job.losses,
            job.reason.code if job.reason else None,
            job.lease_owner,
            job.lease_expires_at and job.lease_expires_at - now,
            job.not_before is not None and job.not_before > now,
            job.idempotency_key.startswith("ended"),
        )
        for job in world.jobs
    )
    workers = tuple(
        (
            worker.stopped_at,
            worker.job
            and (
                numbers[worker.job.id],
                worker.job.started_at == rows.jobs[worker.job.id].started_at,
                worker.job.started_at and now - worker.job.started_at,
            ),
        )
        for worker in world.workers.values()
    )
    queue = world.stage.queue
    broker = tuple(queue.waiting(one) for one in QUEUES) if queue.available else None
    paused = frozenset(key for key, flow in rows.work_flows.items() if flow.paused_until)
    running = any(job.state is JobState.RUNNING for job in world.jobs)
    grace = max(world.grace_until, now) - now if running else None
    return jobs, workers, broker, paused, grace
