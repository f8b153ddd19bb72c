"""KEDA scales the workers of the chart by the jobs in PostgreSQL, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.job import Priority
from tests.cluster.patience import wait_long

if TYPE_CHECKING:
    from tests.cluster.keda.job_table import JobTable
    from tests.cluster.keda.worker_slice import WorkerSlice


def test_the_scaled_objects_are_ready_and_have_nothing_to_do(
    routine: WorkerSlice, batch: WorkerSlice
):
    """KEDA reads the chart's query with the chart's TriggerAuthentication, and finds no job."""
    for workers in (routine, batch):
        workers.wait_for_condition("Ready", "True")
        workers.wait_for_condition("Active", "False")
        wait_long(lambda workers=workers: workers.jobs == 0, f"no job for {workers.name}")


def test_workers_follow_what_waits_and_what_runs(routine: WorkerSlice, jobs: JobTable):
    """Jobs that run need their pods as much as those that wait; those that ended need none."""
    jobs.add(32, Priority.ROUTINE)
    jobs.start(16)
    jobs.finish(8)

    routine.wait_for_pods(6)

    routine.wait_for_condition("Active", "True")
    assert routine.jobs == 24
    wait_long(lambda: routine.jobs_per_pod == "4", "Kubernetes to read 24 jobs for 6 pods")
    jobs.finish_all()
    routine.wait_for_pods(1)
    routine.wait_for_condition("Active", "False")


def test_urgent_films_count_for_the_slice_that_takes_them(routine: WorkerSlice, jobs: JobTable):
    """A slice with two queues counts the jobs of both."""
    jobs.add(6, Priority.STAT)
    jobs.add(6, Priority.ROUTINE)

    routine.wait_for_pods(3)

    assert routine.jobs == 12


def test_a_backlog_brings_the_most_pods_and_no_more(routine: WorkerSlice, jobs: JobTable):
    """Every pod holds database connections, so the chart's upper limit holds."""
    jobs.add(400, Priority.ROUTINE)

    routine.wait_for_pods(8)

    wait_long(lambda: routine.jobs_per_pod == "50", "Kubernetes to read 400 jobs for 8 pods")
    assert routine.replicas == 8


def test_a_slice_without_work_has_no_pod_until_a_job_comes(
    batch: WorkerSlice, routine: WorkerSlice, jobs: JobTable
):
    """Batch workers wake up for a backlog and go again, and nobody else counts their jobs."""
    jobs.add(25, Priority.BATCH)

    batch.wait_for_pods(3)

    assert batch.jobs == 25
    assert routine.jobs == 0
    assert routine.replicas == 1
    jobs.finish_all()
    batch.wait_for_pods(0)


def test_a_database_that_cannot_be_asked_takes_no_worker_away(routine: WorkerSlice, jobs: JobTable):
    """Workers are still there when PostgreSQL is back, and scale again."""
    jobs.add(16, Priority.ROUTINE)
    routine.wait_for_pods(4)

    jobs.server.stop()
    routine.wait_until_the_count_is("False")

    assert routine.replicas == 4
    jobs.server.launch()
    routine.wait_until_the_count_is("True")
    jobs.finish_all()
    routine.wait_for_pods(1)


def test_a_database_that_refuses_the_count_takes_no_worker_away(batch: WorkerSlice, jobs: JobTable):
    """Even workers that may go down to none stay, and the ScaledObject says that it is unready."""
    jobs.add(25, Priority.BATCH)
    batch.wait_for_pods(3)

    with jobs.refused():
        batch.wait_until_the_count_is("False")
        batch.wait_for_condition("Ready", "False")
        assert batch.replicas == 3

    batch.wait_for_condition("Ready", "True")
    batch.wait_until_the_count_is("True")
    jobs.finish_all()
    batch.wait_for_pods(0)
