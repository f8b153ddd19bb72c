"""The work queue beside its laws: every history within bounds, and long ones by chance."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from hilum.application.queue.reconcile import Reconcile
from hilum.application.queue.run_next import RunNext
from hilum.domain.errors import DatabaseUnavailable
from hilum.domain.job import SETTLED, JobEvent, JobState
from tests.fakes.job_repository import InMemoryJobs
from tests.model.explore import Bounds, by_chance, histories

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from hilum.application.ports.unit_of_work import Transaction
    from hilum.domain.job import Job
    from tests.model.world import World

HISTORIES: Final = 200


def laws_broken(world: World) -> list[str]:
    """What is wrong now, or once everything has healed: nothing is lost, and nothing waits."""
    world.settle()
    world.check()
    waits = [f"{job.site} is still {job.state}" for job in world.jobs if job.state not in SETTLED]
    return world.wrong + waits


@pytest.mark.parametrize("bounds", [Bounds(steps=7, faults=1), Bounds(steps=5, faults=2)], ids=str)
def test_no_history_within_bounds_breaks_a_law(bounds: Bounds) -> None:
    """Whatever goes wrong at whichever step, each image ends once, as it should."""
    reached = 0
    for history, world in histories(bounds):
        assert not (wrong := laws_broken(world)), (wrong, history)
        reached += 1
    assert reached > 500


def test_no_long_history_breaks_a_law() -> None:
    """Hundred steps and a dozen faults each."""
    assert long_history_that_breaks_a_law() is None


@pytest.mark.parametrize("guard", ["claim", "lease", "grace", "commit", "top-up", "urgency"])
def test_without_one_guard_a_law_is_broken(monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    """The model sees each: no law holds by chance."""
    _take_away(guard, monkeypatch)
    assert long_history_that_breaks_a_law() is not None


def long_history_that_breaks_a_law() -> object:
    """Look through so many long histories, by chance."""
    for seed in range(HISTORIES):
        chance = random.Random(seed)  # noqa: S311 - a seed
        history, world = by_chance(chance, Bounds(steps=100, faults=12))
        if wrong := laws_broken(world):
            return wrong, history
    return None


def _take_away(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the queue in one way."""
    give_back = InMemoryJobs._give_back  # noqa: SLF001 - it is what is broken

    def by_anybody(self: InMemoryJobs, known: Job, event: JobEvent, **changes: Any) -> Job | None:
        """End the job whoever has claimed it since."""
        now = self.get(known.id)
        running = now is not None and now.state is JobState.RUNNING
        return give_back(self, now if running else known, event, **changes)

    def too_early(self: InMemoryJobs, known: Job, event: JobEvent, **changes: Any) -> Job | None:
        """Release a job whatever its lease says."""
        return give_back(self, known, event, **{**changes, "lost": False})

    def running(self: InMemoryJobs, limit: int) -> list[Job]:
        jobs = self._rows.jobs.values()
        return [job for job in jobs if job.state is JobState.RUNNING][:limit]

    def written_once(self: Any, _: Job, write: Callable[[Transaction], Job | None]) -> Job | None:
        """Take an outcome that could not be written for one that was."""
        with suppress(DatabaseUnavailable), self._unit_of_work.begin() as transaction:
            return write(transaction)
        return None

    def least_urgent(self: InMemoryJobs, priorities: Any, owner: str, lease: timedelta) -> Any:
        """Claim what can wait first."""
        one_by_one = (claim(self, [priority], owner, lease) for priority in reversed(priorities))
        return next((job for job in one_by_one if job is not None), None)

    claim = InMemoryJobs.claim
    broken: dict[str, list[tuple[type, str, Callable[..., object]]]] = {
        "claim": [(InMemoryJobs, "_give_back", by_anybody)],
        "lease": [(InMemoryJobs, "_give_back", too_early), (InMemoryJobs, "expired", running)],
        "grace": [(Reconcile, "_expires", lambda *_: True)],
        "commit": [(RunNext, "_write", written_once), (InMemoryJobs, "expired", lambda *_: [])],
        "top-up": [(Reconcile, "_top_up", lambda *_: 0)],
        "urgency": [(InMemoryJobs, "claim", least_urgent)],
    }
    for owner, name, instead in broken[guard]:
        monkeypatch.setattr(owner, name, instead)
