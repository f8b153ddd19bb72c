"""Gateways and workers of two releases on one database and one broker, and a rollback."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sqlalchemy as sa

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.tables import AUDIT_EVENTS, GATE_READINGS, JOBS, RESULTS
from hilum.domain.job import ENDED
from hilum.imaging.phantom import phantom_film
from hilum_stack.postgres import PostgresServer
from hilum_stack.redis import RedisServer
from tests.contract.frozen import stopped
from tests.grey_networks import write_grey_repository
from tests.previous.answers import Client, differences
from tests.previous.images import png
from tests.previous.release import Release, Served, this_release
from tests.previous.stored import workers_of
from tests.servers import run_folder, started
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy.engine import Engine

SIDE_BY_SIDE = 300
ALONE = 24
_WAYS = (
    {"site": "north"},
    {"site": "south", "priority": "batch"},
    {"site": "south", "priority": "stat"},
)
_ENDS = [f"job.{state.value}" for state in ENDED]


@dataclass
class Ground:
    """What both releases share.

    Attributes:
        folder: Holds objects, models and logs.
        env: Addresses, for either release.
        engine: Reads the database without either.
        drawn: How many images were made.
    """

    folder: Path
    env: Mapping[str, str]
    engine: Engine
    drawn: int = 0

    @contextmanager
    def run(self, release: Release) -> Iterator[Served]:
        """Run a gateway and two workers of a release until the end of the block."""
        folder = self.folder / release.folder.name
        folder.mkdir(exist_ok=True)
        with release.serve("joined", folder, self.env, workers=2) as served:
            yield served

    def send(self, served: Sequence[Served], number: int) -> list[str]:
        """Send new images of two sites at three priorities, in turns to these gateways."""
        clients = [Client(one) for one in served]
        sent = []
        for place, first in enumerate(range(0, number, 4)):
            images = dict(self._draw() for _ in range(min(4, number - first)))
            told = clients[place % len(clients)].send(images, **_WAYS[place % len(_WAYS)])
            sent += [entry["job_id"] for entry in told.values()]
        return sent

    def _draw(self) -> tuple[str, bytes]:
        """Return an image that nobody sent before; of every ten one is no chest."""
        self.drawn += 1
        chest = phantom_film(256, 256, seed=self.drawn % 3).copy()
        if self.drawn % 10 == 0:
            chest = 240 + chest // 17
        chest[0, :4] = np.frombuffer(self.drawn.to_bytes(4, "big"), dtype=np.uint8)
        return f"{self.drawn}.png", png(chest)

    def rows(self, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
        """Return what a query gives."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def ends(self, sent: Sequence[str]) -> dict[str, list[str]]:
        """Return who ended each of these jobs, as the audit log tells it."""
        found: dict[str, list[str]] = {job: [] for job in sent}
        query = sa.select(AUDIT_EVENTS.c.object_id, AUDIT_EVENTS.c.actor).where(
            AUDIT_EVENTS.c.action.in_(_ENDS)
        )
        for job, actor in self.rows(query):
            if job in found:
                found[job].append(actor)
        return found

    def ended(self, sent: Sequence[str], by: Served | None = None) -> int:
        """Return how many of these jobs have ended, by a worker of a release or by any."""
        tails = [f"-{one.pid}" for one in workers_of(by)] if by else [""]
        return sum(
            any(actor.endswith(tail) for actor in actors for tail in tails)
            for actors in self.ends(sent).values()
        )

    def check(self, sent: Sequence[str], shown_by: Sequence[Served]) -> None:
        """Each job ended once, has one result, and these gateways show the same of it."""
        assert len(set(sent)) == len(sent)
        wait_for(lambda: self.ended(sent) == len(sent), f"{len(sent)} jobs to end", patience_s=300)
        assert set(map(len, self.ends(sent).values())) == {1}
        states = {str(job): state for job, state in self.rows(sa.select(JOBS.c.id, JOBS.c.state))}
        results = Counter(str(job) for (job,) in self.rows(sa.select(RESULTS.c.job_id)))
        refused = Counter(str(job) for (job,) in self.rows(sa.select(GATE_READINGS.c.job_id)))
        for job in sent:
            expected = {"completed": (1, 1), "rejected": (0, 1)}
            assert (results[job], refused[job]) == expected[states[job]], job
        assert {states[job] for job in sent} == {"completed", "rejected"}
        clients = [Client(one) for one in shown_by]
        for job in sent:
            first, *others = [client.get(f"/v1/jobs/{job}").json() for client in clients]
            assert first["state"] == states[job]
            assert [differences(first, other) for other in others] == [[]] * len(others)


@pytest.fixture(params=["folder", pytest.param("servers", marks=pytest.mark.real)])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """SQLite and a folder as the broker, or PostgreSQL and Redis."""
    with ExitStack() as running:
        folder = running.enter_context(run_folder())
        env = {
            "HILUM_DATABASE_URL": f"sqlite:///{folder}/hilum.db",
            "HILUM_BROKER_URL": f"filesystem://{folder}/broker",
            "HILUM_OBJECT_STORE_URL": f"file://{folder}/objects",
            "HILUM_INFERENCE_URL": "onnx://",
            "HILUM_MODEL_REPOSITORY": str(write_grey_repository(folder / "models")),
        }
        if request.param == "servers":
            env["HILUM_DATABASE_URL"] = running.enter_context(started(PostgresServer)).url
            env["HILUM_BROKER_URL"] = running.enter_context(started(RedisServer)).url
        engine = create_database_engine(env["HILUM_DATABASE_URL"], pool_size=1)
        yield Ground(folder, env, engine)
        engine.dispose()


def test_an_upgrade_side_by_side_and_a_rollback(previous: Release, ground: Ground) -> None:
    """Each image ends once: beside the other release, with each alone, after a rollback."""
    with ExitStack() as running:
        before = running.enter_context(ground.run(previous))
        sent = ground.send([before], ALONE)
        # The upgrade of the schema, while the previous release works.
        now = running.enter_context(ground.run(this_release()))
        half = SIDE_BY_SIDE // 2
        with stopped(workers_of(now)):
            sent += ground.send([before, now], half)
            wait_for(lambda: ground.ended(sent, by=before), "an end by the previous release")
        with stopped(workers_of(before)):
            further = ground.send([before, now], SIDE_BY_SIDE - half)
            wait_for(lambda: ground.ended(further, by=now), "an end by this release")
        sent += further
        ground.check(sent, [before, now])
    with ground.run(this_release()) as now:
        ground.check(ground.send([now], ALONE), [now])
        left = leave_work(ground, now)
    with ground.run(previous) as before:
        ground.check([*left, *ground.send([before], ALONE)], [before])


def leave_work(ground: Ground, served: Served) -> list[str]:
    """Lose the workers at work, as a rollback may, and accept more after that."""
    sent = ground.send([served], ALONE)
    wait_for(lambda: ground.ended(sent), "an end by this release")
    for worker in workers_of(served):
        worker.kill()
    return [*sent, *ground.send([served], ALONE)]
