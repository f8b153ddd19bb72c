"""What every doorbell does: a fake, Celery on a folder, and Celery on a real Redis."""

from __future__ import annotations

import os
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

import pytest
import redis

from hilum.adapters.task_queue.celery_app import create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from hilum.application.messages import AnalyseJob
from hilum.domain.errors import BrokerUnavailable
from hilum.domain.job import Priority
from tests.contract.frozen import frozen
from tests.contract.queue_consumer import Listener
from tests.fakes.task_queue import RecordingTaskQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hilum.application.ports.task_queue import TaskQueue
    from hilum_stack.redis import RedisServer

REAL = [pytest.param("redis", marks=pytest.mark.real)]


@dataclass(frozen=True)
class Bell:
    """A queue, who listens to it, and what makes its broker go, come back and forget."""

    queue: TaskQueue
    listen: Callable[..., Listener | FakeListener]
    stop: Callable[[], object]
    start: Callable[[], object]
    flush: Callable[[], object]


class FakeListener:
    """Hears the rings of a fake."""

    def __init__(self, fake: RecordingTaskQueue) -> None:
        self._fake = fake

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing runs."""

    def heard(self, count: int) -> list[AnalyseJob | None]:
        """The next rings."""
        return [self._fake.hear() for _ in range(count)]


def fake_bell() -> Bell:
    """In memory."""
    fake = RecordingTaskQueue()
    return Bell(
        fake,
        listen=lambda: FakeListener(fake),
        stop=lambda: setattr(fake, "available", False),
        start=lambda: setattr(fake, "available", True),
        flush=fake.flush,
    )


def folder_bell(folder: Path) -> Bell:
    """Celery's filesystem transport; a file in the folder's place is its outage."""
    queues = folder / "queues"
    aside = folder / "aside"
    url = f"filesystem://{queues}"

    def stop() -> None:
        queues.rename(aside)
        queues.touch()

    def start() -> None:
        queues.unlink()
        aside.rename(queues)

    def flush() -> None:
        for message in queues.rglob("*.msg"):
            message.unlink()

    return Bell(
        CeleryTaskQueue(create_celery(url)),
        partial(Listener, url),
        stop=stop,
        start=start,
        flush=flush,
    )


@contextmanager
def redis_bell(server: RedisServer) -> Iterator[Bell]:
    """A database of a real Redis."""
    url = server.url

    def flush() -> None:
        with redis.Redis.from_url(url) as client:
            client.flushall()

    flush()
    yield Bell(
        CeleryTaskQueue(create_celery(url)),
        partial(Listener, url),
        stop=server.kill,
        start=server.launch,
        flush=flush,
    )
    if not server.running:
        server.launch()


@pytest.fixture(params=["fake", "folder", *REAL])
def bell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bell]:
    """A doorbell, of each kind."""
    if request.param == "fake":
        yield fake_bell()
    elif request.param == "folder":
        yield folder_bell(tmp_path)
    else:
        with redis_bell(request.getfixturevalue("redis_server")) as made:
            yield made


def rings(count: int, priority: Priority = Priority.ROUTINE) -> list[AnalyseJob]:
    """Rings for different jobs."""
    return [AnalyseJob(uuid.uuid4(), priority) for _ in range(count)]


def hear_all(listener: Listener | FakeListener, expected: list[AnalyseJob]) -> None:
    """Listen until all of these were heard, in order.

    Others may come between: a ring that was not acknowledged before an outage comes again.
    """
    missing = list(expected)
    while missing:
        [heard] = listener.heard(1)
        if heard == missing[0]:
            missing.pop(0)


def test_a_ring_is_heard(bell):
    """A worker that listens hears the job and its priority."""
    with bell.listen() as listener:
        for priority in Priority:
            sent = rings(1, priority)
            bell.queue.ring(sent)
            assert listener.heard(1) == sent


def test_rings_wait_for_a_worker(bell):
    """What is rung while nobody listens is counted, and heard in order when somebody does."""
    sent = rings(5)
    bell.queue.ring(sent[:3])
    bell.queue.ring(sent[3:])
    assert bell.queue.pending(Priority.ROUTINE) == 5
    assert bell.queue.pending(Priority.STAT) == 0
    with bell.listen() as listener:
        assert listener.heard(5) == sent
    assert bell.queue.pending(Priority.ROUTINE) == 0


def test_urgent_rings_are_heard_first(bell):
    """Stat empties before routine, and routine before batch, whatever came first."""
    batch, routine, stat = (
        rings(4, priority) for priority in (Priority.BATCH, Priority.ROUTINE, Priority.STAT)
    )
    for group in zip(batch, routine, stat, strict=True):
        bell.queue.ring(group)
    with bell.listen() as listener:
        assert listener.heard(12) == [*stat, *routine, *batch]


def test_rings_many_at_once(bell):
    """The reconciler rings for hundreds of jobs in one call."""
    bell.queue.ring(rings(700))
    assert bell.queue.pending(Priority.ROUTINE) == 700


def test_rings_for_nobody(bell):
    """No message is no ring."""
    bell.queue.ring([])
    assert [bell.queue.pending(priority) for priority in Priority] == [0, 0, 0]


def test_the_same_job_may_be_rung_twice(bell):
    """Each ring is a message of its own; the database makes the second one a no-op."""
    [message] = rings(1)
    bell.queue.ring([message, message])
    with bell.listen() as listener:
        assert listener.heard(2) == [message, message]


def test_threads_ring_at_the_same_time(bell):
    """The gateway rings from the threads that serve requests."""
    began = threading.Barrier(12)

    def ring() -> None:
        began.wait()
        for message in rings(5):
            bell.queue.ring([message])

    threads = [threading.Thread(target=ring) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bell.queue.pending(Priority.ROUTINE) == 60


def test_checks(bell):
    """A broker that answers is said to."""
    bell.queue.check()


def test_an_outage_is_told_and_ends(bell):
    """While the broker is down every call says so; afterwards the same queue rings again."""
    bell.queue.ring(rings(1))
    bell.stop()
    for call in (
        lambda: bell.queue.ring(rings(2)),
        lambda: bell.queue.pending(Priority.ROUTINE),
        bell.queue.check,
    ):
        with pytest.raises(BrokerUnavailable):
            call()
    bell.start()
    bell.queue.check()
    after = rings(1)
    bell.queue.ring(after)
    with bell.listen() as listener:
        hear_all(listener, after)


def test_a_listener_survives_an_outage(bell):
    """A worker waits for its broker and hears again when it is back."""
    with bell.listen() as listener:
        before = rings(1)
        bell.queue.ring(before)
        assert listener.heard(1) == before
        bell.stop()
        bell.start()
        after = rings(3)
        bell.queue.ring(after)
        hear_all(listener, after)


def test_a_flush_loses_rings_and_nothing_else(bell):
    """Unheard rings are gone, which is why the database is the truth; new rings are heard."""
    with bell.listen() as listener:
        first = rings(1)
        bell.queue.ring(first)
        assert listener.heard(1) == first
        bell.flush()
        after = rings(1)
        bell.queue.ring(after)
        assert listener.heard(1) == after
    bell.queue.ring(rings(3))
    bell.flush()
    assert bell.queue.pending(Priority.ROUTINE) == 0


@pytest.mark.real
def test_a_redis_that_hangs_is_given_up(redis_server):
    """A broker that accepts and answers nothing does not keep the caller."""
    with redis_bell(redis_server) as bell:
        bell.queue.ring(rings(1))
        with frozen(redis_server):
            with pytest.raises(BrokerUnavailable):
                bell.queue.ring(rings(1))
            with pytest.raises(BrokerUnavailable):
                bell.queue.check()
        bell.queue.check()


@pytest.mark.real
def test_a_restart_of_redis_is_not_noticed(redis_server):
    """A connection that died while nobody used it is replaced within the call."""
    with redis_bell(redis_server) as bell:
        bell.queue.ring(rings(2))
        redis_server.restart()
        bell.queue.ring(rings(1))
        assert bell.queue.pending(Priority.ROUTINE) == 3


@pytest.mark.real
def test_a_wrong_password_is_told_without_it(redis_server):
    """An operator reads that the broker does not answer; no credential stands in the text."""
    url = redis_server.url.replace(redis_server.password, "hush-hush")
    with pytest.raises(BrokerUnavailable) as raised:
        CeleryTaskQueue(create_celery(url)).check()
    assert "hush" not in raised.value.detail


@pytest.mark.parametrize("bell", ["folder", *REAL], indirect=True)
def test_a_forked_child_rings(bell):
    """A process that was forked after its parent had rung rings on a connection of its own."""
    bell.queue.ring(rings(1))
    child = os.fork()
    if child == 0:
        try:
            bell.queue.ring(rings(1))
        except BaseException:  # noqa: BLE001 - a child of pytest must not go on as pytest
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert bell.queue.pending(Priority.ROUTINE) == 2


@pytest.mark.real
def test_a_busy_listener_survives_an_outage(redis_server):
    """A worker whose slots were all taken when the broker went hears again when it is back."""
    with redis_bell(redis_server) as bell, Listener(redis_server.url, slots=2, held=True) as busy:
        before = rings(2)
        bell.queue.ring(before)
        assert set(busy.heard(2)) == set(before)
        bell.stop()
        busy.release()
        busy.unacknowledged(2)
        bell.start()
        after = rings(3)
        bell.queue.ring(after)
        heard: set[AnalyseJob] = set()
        while not heard.issuperset(after):
            heard.update(busy.heard(1))


@pytest.mark.parametrize("bell", ["folder", *REAL], indirect=True)
def test_a_busy_listener_takes_no_more_than_it_has_slots(bell):
    """What one worker cannot start now waits where another one can take it."""
    sent = rings(4)
    with bell.listen(slots=2, held=True) as busy:
        bell.queue.ring(sent)
        first = busy.heard(2)
        assert bell.queue.pending(Priority.ROUTINE) == 2
        with bell.listen() as other:
            assert {*first, *other.heard(2)} == set(sent)
