"""Workers and the broker die; no accepted film does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
import redis

from hilum.adapters.task_queue.celery_app import create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from hilum.domain.job import Priority
from tests.contract.task_queue.redis_refusals import REFUSALS, refusing
from tests.integration.faults.ledger import wait_until
from tests.integration.faults.sender import new_film

if TYPE_CHECKING:
    from hilum_stack.real import RealStack
    from tests.integration.faults.ledger import Ledger
    from tests.integration.faults.sender import Sender

pytestmark = pytest.mark.real


def test_a_worker_killed_in_the_middle_of_a_job_costs_no_film(
    stack: RealStack, ledger: Ledger, sender: Sender, frozen
):
    """After kill -9 the job's lease runs out, another worker takes it, and one result is there."""
    victim = stack.workers[0]
    with frozen(stack.triton):
        ids = sender.send(8)
        # Both workers hang in inference with every thread they have: the victim holds some jobs.
        held = "SELECT count(*) FROM jobs WHERE id = ANY(%s::uuid[]) AND state = 'running'"
        wait_until(lambda: ledger.rows(held, ids)[0][0] >= 4, "four jobs running")
        victim.kill()
    try:
        ledger.wait_for_state(ids, "completed")
    finally:
        victim.launch()
    ledger.assert_every_film_ended_once(ids)
    lost = ledger.rows("SELECT sum(losses) FROM jobs WHERE id = ANY(%s::uuid[])", ids)[0][0]
    assert lost >= 1


def test_redis_restarted_with_jobs_waiting_costs_no_film(
    stack: RealStack, ledger: Ledger, sender: Sender, frozen
):
    """Workers find their way back to a broker that was restarted, and finish what waits."""
    with frozen(stack.triton):
        ids = sender.send(12)
        stack.redis.restart()
    ledger.wait_for_state(ids, "completed")
    ledger.assert_every_film_ended_once(ids)
    later = sender.send(2)
    ledger.wait_for_state(later, "completed")


def test_redis_killed_with_jobs_waiting_costs_no_film(
    stack: RealStack, ledger: Ledger, sender: Sender, frozen
):
    """A broker that crashed may have lost its last second; the database has not."""
    with frozen(stack.triton):
        ids = sender.send(12)
        stack.redis.kill()
        stack.redis.launch()
    ledger.wait_for_state(ids, "completed")
    ledger.assert_every_film_ended_once(ids)


def test_redis_flushed_with_jobs_waiting_costs_no_film(
    stack: RealStack, ledger: Ledger, sender: Sender, frozen
):
    """When every wake-up is lost, the reconciler publishes others."""
    with frozen(stack.triton):
        ids = sender.send(12)
        broker = redis.Redis.from_url(stack.redis.url)
        # In one step, because the reconciler soon publishes again.
        before, _, after = broker.pipeline().dbsize().flushall().dbsize().execute()
        assert before > after == 0
    ledger.wait_for_state(ids, "completed")
    ledger.assert_every_film_ended_once(ids)


def test_films_are_accepted_and_analysed_while_redis_is_down(
    stack: RealStack, ledger: Ledger, sender: Sender
):
    """An outage of the broker costs speed: each worker goes on with one slot."""
    stack.redis.stop()
    try:
        ids = sender.send(6)
        ledger.wait_for_state(ids, "completed")
        ledger.assert_every_film_ended_once(ids)
    finally:
        stack.redis.launch()
    later = sender.send(2)
    ledger.wait_for_state(later, "completed")
    ledger.assert_every_film_ended_once(later)


@pytest.mark.parametrize("word", REFUSALS)
def test_images_are_analysed_while_redis_refuses(
    stack: RealStack, ledger: Ledger, sender: Sender, word: str
):
    """A Redis that answers with errors costs speed. The gateway accepts, and no worker ends."""
    workers = [worker.pid for worker in stack.workers]
    with refusing(stack.redis, word):
        ids = sender.send(6)
        ledger.wait_for_state(ids, "completed")
    later = sender.send(2)
    ledger.wait_for_state(later, "completed")
    ledger.assert_every_film_ended_once([*ids, *later])
    stack.require_running()
    assert [worker.pid for worker in stack.workers] == workers


def test_doubled_wake_ups_change_nothing(stack: RealStack, ledger: Ledger, sender: Sender, frozen):
    """Wake-ups that nobody needed find nothing to claim, or claim what another one would have."""
    queue = CeleryTaskQueue(create_celery(stack.redis.url))
    with frozen(stack.triton):
        ids = sender.send(8)
        for priority in Priority:
            queue.wake([priority] * 50)
    ledger.wait_for_state(ids, "completed")
    ledger.assert_every_film_ended_once(ids)
    wait_until(lambda: not any(map(queue.waiting, Priority)), "every wake-up taken")


def test_the_same_film_sent_twice_at_once_has_one_job(
    stack: RealStack, ledger: Ledger, sender: Sender
):
    """Many senders of one film at the same moment get one job, one result and one object."""
    film = new_film()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: sender.post(film), range(8)))
    ids = {answer.json()["jobs"][0]["job_id"] for answer in answers}
    assert len(ids) == 1
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [httpx.codes.OK] * 7 + [httpx.codes.ACCEPTED]
    ledger.wait_for_state(list(ids), "completed")
    ledger.assert_every_film_ended_once(list(ids))
    ledger.assert_rows_and_objects_agree()
