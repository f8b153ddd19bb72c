"""Triton, MinIO and PostgreSQL go away and come back; no accepted film is lost, none is half."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from tests.integration.faults.ledger import wait_until
from tests.integration.faults.sender import new_film

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum_stack.real import RealStack
    from tests.integration.faults.ledger import Ledger
    from tests.integration.faults.sender import Sender

pytestmark = pytest.mark.real


def test_films_wait_while_triton_is_down(stack: RealStack, ledger: Ledger, sender: Sender):
    """Jobs go back to the queue with a reason and without an attempt, and end once it is up."""
    stack.triton.kill()
    try:
        ids = sender.send(4)
        told = "SELECT reason_code FROM jobs WHERE id = ANY(%s::uuid[]) AND state = 'queued'"
        wait_until(
            lambda: ("inference_unavailable",) in ledger.rows(told, ids), "a job back in the queue"
        )
    finally:
        stack.triton.launch()
    ledger.wait_for_state(ids, "completed")
    ledger.assert_every_film_ended_once(ids)
    assert sender.job(ids[0])["reason"] is None


def test_an_upload_while_minio_is_down_is_refused_whole(
    stack: RealStack, ledger: Ledger, sender: Sender
):
    """503 with Retry-After and a stable code; no row, no object; the same upload works later."""
    film = new_film()
    rows = [ledger.count(table) for table in ("studies", "instances", "jobs")]
    stack.minio.stop()
    try:
        answer = sender.post(film)
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert answer.json()["code"] == "object_store_unavailable"
        assert int(answer.headers["Retry-After"]) > 0
        ready = sender.client.get("/readyz")
        assert ready.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert [ledger.count(table) for table in ("studies", "instances", "jobs")] == rows
    finally:
        stack.minio.launch()
    wait_until(lambda: sender.client.get("/readyz").status_code == httpx.codes.OK, "ready again")
    again = sender.post(film)
    assert again.status_code == httpx.codes.ACCEPTED
    ids = [again.json()["jobs"][0]["job_id"]]
    ledger.wait_for_state(ids, "completed")
    ledger.assert_every_film_ended_once(ids)
    ledger.assert_rows_and_objects_agree()


def test_minio_that_dies_in_the_middle_of_an_upload_keeps_nothing_half(
    stack: RealStack, ledger: Ledger, sender: Sender
):
    """A film of several parts whose store dies between two of them leaves no row and no object."""
    film = new_film()
    noise = bytes(range(256)) * 4096
    boundary = "a-boundary"

    def body() -> Iterator[bytes]:
        yield (
            f"--{boundary}\r\nContent-Disposition: form-data; "
            'name="files"; filename="large.png"\r\n\r\n'
        ).encode()
        yield film
        for _ in range(12):  # behind the picture's end: more than two parts of 5 MiB
            yield noise
        stack.minio.kill()
        yield noise
        yield f"\r\n--{boundary}--\r\n".encode()

    rows = ledger.count("jobs")
    try:
        answer = sender.client.post(
            "/v1/studies",
            content=body(),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert ledger.count("jobs") == rows
    finally:
        stack.minio.launch()
    named = {row[0] for row in ledger.rows("SELECT object_key FROM instances")}
    assert ledger.object_names("films/") == named


def test_postgres_restarted_with_jobs_in_flight_costs_no_film(
    stack: RealStack, ledger: Ledger, sender: Sender, frozen
):
    """Workers and gateway reconnect by themselves; what was in flight is taken back."""
    with frozen(stack.triton):
        ids = sender.send(8)
        running = "SELECT count(*) FROM jobs WHERE state = 'running'"
        wait_until(lambda: ledger.rows(running)[0][0] >= 4, "four jobs running")
        stack.postgres.restart()
    ledger.wait_for_state(ids, "completed")
    ledger.assert_every_film_ended_once(ids)
    later = sender.send(2)
    ledger.wait_for_state(later, "completed")


def test_an_upload_while_postgres_is_down_is_refused(
    stack: RealStack, ledger: Ledger, sender: Sender
):
    """503 with a stable code; sending again when it is back gives one job."""
    film = new_film()
    stack.postgres.stop()
    try:
        answer = sender.post(film)
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert answer.json()["code"] == "database_unavailable"
        assert "Retry-After" in answer.headers
    finally:
        stack.postgres.launch()
    wait_until(lambda: sender.client.get("/readyz").status_code == httpx.codes.OK, "ready again")
    again = sender.post(film)
    assert again.status_code == httpx.codes.ACCEPTED
    ids = [again.json()["jobs"][0]["job_id"]]
    ledger.wait_for_state(ids, "completed")
    ledger.assert_every_film_ended_once(ids)


def test_the_audit_chain_holds_after_all_of_this(ledger: Ledger):
    """No fault left a fork or a gap in the chain, and the database refuses to change it."""
    links = ledger.rows("SELECT previous_hash, hash FROM audit_events ORDER BY sequence")
    assert len(links) > 0
    assert all(after[0] == before[1] for before, after in pairwise(links))
    for change in ("UPDATE audit_events SET actor = 'nobody'", "DELETE FROM audit_events"):
        with pytest.raises(psycopg.Error, match="append-only"):
            ledger.rows(change)
