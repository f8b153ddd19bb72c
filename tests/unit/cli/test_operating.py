"""Operator commands against a real gateway with a real worker behind it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilum.adapters.postgres.engine import create_database_engine
from tests.unit.worker.embedded import noise_film, wait_until


@pytest.fixture
def sent(client):
    """Send an image that was never sent before; its job's id."""

    def send(seed: int, *options: str) -> str:
        path = Path(f"film-{seed}.png")
        path.write_bytes(noise_film(seed))
        document = json.loads(client("analyse", path, "--no-wait", "--json", *options).stdout)
        job_id: str = document["films"][0]["job"]["job_id"]
        return job_id

    return send


def state(client, job_id: str) -> str:
    jobs = json.loads(client("jobs", "--limit", "200", "--json").stdout)
    return next(job["state"] for job in jobs if job["job_id"] == job_id)


def test_a_paused_sites_jobs_are_cancelled_reprioritised_and_resumed(client, sent):
    """A reason is kept with a cancelled job. After the end of the pause the others are analysed."""
    flow = ("--site", "west", "--priority", "routine")
    paused = client("flows", "pause", *flow, "--seconds", "600", "--reason", "a test")
    assert paused.exit_code == 0, paused.output
    assert "a test" in client("flows", "list").stdout
    jobs = [sent(900 + n, "--site", "west") for n in range(3)]
    cancelled = client("cancel", jobs[0], "--reason", "sent by mistake")
    assert cancelled.stdout.split() == [jobs[0], "discarded"]
    assert "cancelled: sent by mistake" in client("jobs", "--state", "discarded").stdout
    again = client("cancel", jobs[0], "--reason", "again")
    assert again.exit_code == 1
    assert "transition_not_allowed" in again.stderr
    assert client("expedite", jobs[1]).stdout.split() == [jobs[1], "queued"]
    assert state(client, jobs[1]) == "queued"
    # At another priority nothing is paused.
    client("reprioritise", jobs[1], "--priority", "stat")
    wait_until(lambda: state(client, jobs[1]) == "completed", "a job left the paused flow")
    assert state(client, jobs[2]) == "queued"
    assert client("flows", "resume", *flow).exit_code == 0
    wait_until(lambda: state(client, jobs[2]) == "completed", "the pause ended")
    refused = client("flows", "resume", *flow)
    assert refused.exit_code == 1
    assert "transition_not_allowed" in refused.stderr


def test_a_sites_weight_is_set_and_shown(client):
    """A site that is not known yet is made."""
    weight = client("sites", "weight", "east", "2.5")
    assert weight.exit_code == 0, weight.output
    assert client("sites", "list").stdout == weight.stdout
    assert ["east", "2.5"] in [line.split() for line in weight.stdout.splitlines()]


def test_failed_jobs_are_retried_by_an_operation_that_a_worker_runs(client, sent, stack):
    """By filter and rate. The command waits for it, and the jobs are analysed."""
    jobs = [sent(950 + n) for n in range(3)]
    for job_id in jobs:
        wait_until(lambda job=job_id: state(client, job) == "completed", "the image was read")
    # No job parks itself on order: the rows are changed in the database.
    engine = create_database_engine(stack.env["HILUM_DATABASE_URL"])
    with engine.begin() as connection:
        for job_id in jobs:
            connection.exec_driver_sql(
                "UPDATE jobs SET state = 'failed', reason_code = 'decoder_crashed',"
                " reason_detail = 'a test' WHERE id = ?",
                (job_id.replace("-", ""),),
            )
    engine.dispose()
    code = ("--code", "decoder_crashed", "--rate", "50", "--reason", "fixed")
    done = client("operations", "retry-jobs", *code, "--wait")
    assert done.exit_code == 0, done.output
    operation_id, *rest = done.stdout.splitlines()[1].split()
    assert rest == ["retry_jobs", "*", "completed", "3", "0", "3", "fixed"]
    assert operation_id in client("operations", "list").stdout
    assert operation_id in client("operations", "show", operation_id).stdout
    for act in ("stop", "retry"):
        refused = client("operations", act, operation_id)
        assert refused.exit_code == 1
        assert "transition_not_allowed" in refused.stderr
    for job_id in jobs:
        wait_until(lambda job=job_id: state(client, job) != "failed", "the job was retried")


@pytest.mark.parametrize(
    "arguments",
    [
        ("cancel", "x"),
        ("reprioritise", "x"),
        ("flows", "pause", "--site", "x"),
        ("sites", "weight", "x", "0"),
        ("operations", "retry-jobs"),
    ],
)
def test_what_an_act_needs_must_be_said(client, arguments):
    """A reason, a priority, a flow."""
    assert client(*arguments).exit_code == 2
