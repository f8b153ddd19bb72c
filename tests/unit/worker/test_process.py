"""A real worker process: SQLite, a folder, Celery's filesystem transport, the shipped model."""

from __future__ import annotations

import json
import signal

import pytest

from hilum.application.queue.messages import FORMER_QUEUES, FORMER_TASK, QUEUES, WAKE_TASK
from hilum.domain.job import JobState, Priority
from tests.fakes.task_queue import RecordingTaskQueue
from tests.unit.worker.embedded import EmbeddedPlatform, noise_film, wait_until


@pytest.fixture
def platform(tmp_path) -> EmbeddedPlatform:
    return EmbeddedPlatform(tmp_path)


def test_a_worker_says_how_it_is(platform):
    """Its row has its slots and the state of its breakers, by the time of a beat."""
    with platform.worker(HILUM_QUEUE_LEASE_SECONDS="1") as worker:

        def told():
            with platform.unit_of_work.begin(write=False) as transaction:
                return transaction.workers.all()

        (row,) = wait_until(told, "a beat")
        assert worker.stop() == 0
    assert row.breakers == {"object_store": "closed", "inference": "closed"}
    assert (row.slots, row.draining) == (2, False)


def test_a_film_that_was_submitted_is_read(platform):
    """Findings of every panel, its size, timings, one attempt; and a log line of it."""
    (job,) = platform.submit([noise_film(1)])
    with platform.worker() as worker:
        (done,) = platform.settled([job])
        assert worker.stop() == 0
    assert (done.state, done.attempts) == (JobState.COMPLETED, 1)
    with platform.unit_of_work.begin(write=False) as transaction:
        analysis = transaction.results.get(job.id)
    labels = [finding.label for finding in analysis.panels[0].findings]
    assert labels == ["normal", "pneumonia_bacterial", "pneumonia_viral", "covid19"]
    assert (analysis.rows, analysis.columns, analysis.inverted) == (300, 300, False)
    lines = [json.loads(line) for line in worker.log.splitlines()]
    of_job = [line for line in lines if line.get("job_id") == str(job.id)]
    (line,) = [line for line in of_job if line["message"] == "attempt.ended"]
    assert (line["kind"], line["state"], line["attempts"]) == ("analysis", "completed", 1)
    assert line["timings_ms"]["total"] > 0


def test_a_worker_that_is_asked_to_stop_finishes_what_it_has_begun(platform):
    """And takes nothing new; the next worker reads the rest. Nothing counts as lost."""
    jobs = platform.submit([noise_film(n, 1600) for n in range(24)])
    with platform.worker() as worker:
        wait_until(lambda: platform.count(JobState.RUNNING) == 2, "two films in flight")
        assert worker.stop() == 0
        assert not worker.ready_file.exists()
    assert platform.count(JobState.RUNNING) == 0
    assert 0 < platform.count(JobState.COMPLETED) < len(jobs)
    with platform.worker():
        done = platform.settled(jobs)
    assert {(job.state, job.attempts, job.losses) for job in done} == {(JobState.COMPLETED, 1, 0)}


def test_the_films_of_a_worker_that_was_killed_are_read_by_another(platform):
    """Each has one result; the films in flight have a loss on their account."""
    jobs = platform.submit([noise_film(n, 1600) for n in range(8)])
    with platform.worker() as worker:
        wait_until(lambda: platform.count(JobState.RUNNING) == 2, "two films in flight")
        worker.stop(signal.SIGKILL)
        in_flight = platform.count(JobState.RUNNING)
        worker.ready_file.unlink()
    assert in_flight == 2
    with platform.worker():
        done = platform.settled(jobs)
    assert {job.state for job in done} == {JobState.COMPLETED}
    assert sum(job.losses for job in done) == in_flight
    with platform.unit_of_work.begin(write=False) as transaction:
        events = [record.event for record in transaction.audit.records()]
    completed = [event.object_id for event in events if event.action == "job.completed"]
    assert sorted(completed) == sorted(str(job.id) for job in jobs)


def test_messages_that_nobody_can_read_are_dropped(platform):
    """An unknown task, files of garbage: the next image is analysed."""
    queue = QUEUES[Priority.ROUTINE]
    with platform.worker() as worker:
        platform.celery.send_task("hilum.analyse.v99", kwargs={"x": 1}, queue=queue)
        folder = platform.broker.path / queue
        (folder / "00000000000000000000-a.msg").write_text("not json")
        (folder / "00000000000000000000-b.msg").touch()
        (folder / "00000000000000000000-c.msg").write_bytes(b"\xff\xfe\x00")
        (job,) = platform.submit([noise_film(1)])
        assert platform.settled([job])[0].state is JobState.COMPLETED
        assert worker.alive
        wait_until(lambda: not platform.messages(queue), "every message taken")


@pytest.mark.parametrize("broker", ["folder", pytest.param("redis", marks=pytest.mark.real)])
def test_every_message_of_a_known_task_is_a_wake_up(broker, tmp_path, request):
    """Whatever it holds, in a queue of this release or the previous one, which names a job."""
    server = request.getfixturevalue("redis_server") if broker == "redis" else None
    platform = EmbeddedPlatform(tmp_path, server.url if server else None)
    former = {"job_id": "6f1c2a34-9d0e-4b5f-8a67-1e2d3c4b5a69", "priority": "batch"}
    messages = [
        *((WAKE_TASK, [], {"queue": "analysis.stat"}, queue) for queue in QUEUES.values()),
        *((FORMER_TASK, [], former, queue) for queue in FORMER_QUEUES.values()),
        (WAKE_TASK, [1, 2, 3], {"more": []}, QUEUES[Priority.STAT]),
        (FORMER_TASK, [], {}, FORMER_QUEUES[Priority.STAT]),
    ]
    with platform.worker(HILUM_QUEUE_RECONCILE_SECONDS="1000"):
        for seed, (task, arguments, payload, queue) in enumerate(messages):
            (job,) = platform.submit([noise_film(seed)], queue=RecordingTaskQueue())
            platform.celery.send_task(task, args=arguments, kwargs=payload, queue=queue)
            assert platform.settled([job])[0].state is JobState.COMPLETED


def test_urgent_films_are_read_first(platform):
    """Queues are emptied in the order of urgency, whatever was sent first."""
    late = platform.submit([noise_film(n) for n in range(4)], Priority.BATCH)
    middle = platform.submit([noise_film(n) for n in range(4, 8)], Priority.ROUTINE)
    first = platform.submit([noise_film(n) for n in range(8, 12)], Priority.STAT)
    with platform.worker(HILUM_WORKER_MAX_SLOTS="1"):
        jobs = platform.settled([*late, *middle, *first])
    jobs.sort(key=lambda job: job.started_at)
    assert [job.priority for job in jobs] == [
        *[Priority.STAT] * 4,
        *[Priority.ROUTINE] * 4,
        *[Priority.BATCH] * 4,
    ]


def test_a_slice_of_workers_leaves_the_other_queues_alone(platform):
    """Routine images wait for a worker of their own, and no attempt is made. Operations are run."""
    others = platform.submit([noise_film(n) for n in range(3)], Priority.ROUTINE)
    urgent = platform.submit([noise_film(n) for n in range(3, 6)], Priority.STAT)
    with platform.worker(HILUM_WORKER_QUEUES="stat") as worker:
        assert {job.state for job in platform.settled(urgent)} == {JobState.COMPLETED}
        queues = ("hilum.analysis.stat", "hilum.stat", "hilum.delivery", "hilum.operations")
        assert f'"queues": {json.dumps(queues)}' in worker.log
        assert worker.stop() == 0
    assert {(job.state, job.attempts) for job in map(platform.job, others)} == {
        (JobState.QUEUED, 0)
    }
    with platform.worker(HILUM_WORKER_QUEUES="batch,routine"):
        assert {job.state for job in platform.settled(others)} == {JobState.COMPLETED}


def test_a_slice_of_workers_wakes_every_queue(platform):
    """A wake-up that got lost comes back, whichever worker reconciles."""
    jobs = platform.submit([noise_film(n) for n in range(3)], Priority.BATCH)
    queue = QUEUES[Priority.BATCH]
    for message in platform.messages(queue):
        message.unlink()
    with platform.worker(HILUM_WORKER_QUEUES="stat"):
        wait_until(lambda: len(platform.messages(queue)) == len(jobs), "three wake-ups")
    assert {(job.state, job.attempts) for job in map(platform.job, jobs)} == {(JobState.QUEUED, 0)}


def test_several_workers_share_a_queue_and_read_each_film_once(platform):
    """SQLite lets one of them write at a time; none of them fails for it."""
    second_ready = str(platform.folder / "second")
    with platform.worker() as one, platform.worker(HILUM_WORKER_READY_FILE=second_ready) as two:
        jobs = platform.submit([noise_film(n) for n in range(40)])
        done = platform.settled(jobs)
        assert (one.stop(), two.stop()) == (0, 0)
    assert {(job.state, job.attempts) for job in done} == {(JobState.COMPLETED, 1)}
    for worker in (one, two):
        assert '"level": "ERROR"' not in worker.log
        assert '"state": "completed"' in worker.log


def test_a_broken_film_is_rejected_and_harms_no_other(platform):
    """Its pixels end before they should; that is found when it is read, not at the door."""
    whole = noise_film(1, 1200)
    jobs = platform.submit([whole[: len(whole) // 2], noise_film(2)])
    with platform.worker():
        broken, good = platform.settled(jobs)
    assert (broken.state, broken.reason.code) == (JobState.REJECTED, "truncated_film")
    assert good.state is JobState.COMPLETED
