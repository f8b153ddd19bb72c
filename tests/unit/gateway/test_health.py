"""/healthz, /readyz and /metrics."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from hilum.domain.errors import InferenceFailed
from hilum.domain.work import Priority, Reason
from hilum.runtime.metrics import served
from hilum_gateway.wiring.readiness import Readiness
from tests.contract.test_deliveries import claim, queue
from tests.fakes.clock import SettableClock
from tests.unit.gateway.api import Api, FakeGateway, fake_settings, film_bytes, problem


@pytest.fixture
def client(gateway: FakeGateway) -> TestClient:
    """Somebody without a key."""
    return TestClient(gateway.app)


def samples(client: TestClient) -> dict[tuple[str, ...], float]:
    """Every sample by its name and label values."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_process_that_answers_is_healthy_whatever_else_is_down(client, gateway: FakeGateway):
    """An outage of the database must not restart the gateway."""
    gateway.unit_of_work.available = False
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_gateway_with_everything_is_ready(client):
    """Each part by its name."""
    document = client.get("/readyz").json()
    assert document["status"] == "ready"
    assert set(document["checks"]) == {"database", "store", "models", "broker"}
    assert all(check["ok"] for check in document["checks"].values())


@pytest.mark.parametrize(
    ("part", "code"),
    [("database", "database_unavailable"), ("store", "object_store_unavailable")],
)
def test_a_gateway_that_cannot_keep_a_film_is_not_ready(client, gateway: FakeGateway, part, code):
    """503, and the part that is down is named, without saying where it stands."""
    down = gateway.unit_of_work if part == "database" else gateway.store
    down.available = False
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unready"
    failed = {
        name: check["detail"] for name, check in answer.json()["checks"].items() if not check["ok"]
    }
    assert failed == {part: code}


def test_a_gateway_without_models_is_not_ready(client, gateway: FakeGateway):
    """A film is accepted for a model set."""
    gateway.catalogue.models = ()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["models"] == {"ok": False, "detail": "invalid_manifest"}


def test_a_broker_that_is_down_degrades_and_does_not_unready(client, gateway: FakeGateway):
    """Films are still accepted, and rung for later."""
    gateway.queue.available = False
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["broker"] == {"ok": False, "detail": "broker_unavailable"}


def test_a_check_that_breaks_is_a_check_that_fails(client, gateway: FakeGateway):
    """A defect in one does not hide the others."""

    def broken() -> None:
        raise RuntimeError("secret")

    gateway.store.check = broken  # type: ignore[method-assign]
    gateway.app.state.readiness = Readiness(gateway.container)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["store"]["detail"] == "internal_error"
    assert answer.json()["checks"]["database"]["ok"]
    assert "secret" not in answer.text


WATCHED = {"metrics": {"port": 0}}
"""Prometheus has a port of its own, any that is free."""


def test_metrics_at_the_main_port_need_a_key_where_they_have_a_port_of_their_own():
    """The main port is the one that an Ingress shows to everybody; probes stay open."""
    gateway = FakeGateway(settings=fake_settings(**WATCHED))
    stranger = TestClient(gateway.app)
    problem(stranger.get("/metrics"), 401, "not_authenticated")
    assert "hilum_jobs" not in stranger.get("/metrics").text
    assert "hilum_jobs" in Api(gateway).get("/metrics").text
    assert stranger.get("/healthz").status_code == 200
    assert stranger.get("/readyz").status_code == 200


def test_metrics_on_a_port_of_their_own_need_no_key(gateway: FakeGateway):
    """They are those of the main port."""
    with served(gateway.app.state.metrics.registry, "127.0.0.1", 0) as port:
        told = httpx.get(f"http://127.0.0.1:{port}/metrics")
    assert told.status_code == 200
    assert told.headers["content-type"].startswith("text/plain")
    assert 'hilum_jobs{priority="stat",state="queued"}' in told.text


def test_requests_are_counted_by_route_and_not_by_path(client, api: Api):
    """A million jobs are one series."""
    for seed in range(3):
        api.get(f"/v1/jobs/{api.accepted(seed)}")
    api.get("/v1/nothing/like/this")
    found = samples(client)
    assert found["hilum_http_requests_total", "GET", "/v1/jobs/{job_id}", "200"] == 3
    assert found["hilum_http_requests_total", "GET", "unmatched", "404"] == 1
    assert found["hilum_http_requests_total", "POST", "/v1/studies", "202"] == 3
    assert found["hilum_http_request_seconds_count", "GET", "/v1/jobs/{job_id}"] == 3


def test_an_invented_method_makes_no_series(client):
    """Labels are few, whatever clients send."""
    client.request("BREW", "/v1/jobs")
    assert ("hilum_http_requests_total", "other", "/v1/jobs", "405") in samples(client)


def test_films_are_counted_by_what_became_of_them(client, api: Api):
    """Accepted, duplicate, refused with the reason."""
    api.submit(("a", film_bytes(1)), ("b", film_bytes(1)), ("c", b"text"))
    found = samples(client)
    assert found["hilum_films_total", "", "accepted"] == 1
    assert found["hilum_films_total", "", "duplicate"] == 1
    assert found["hilum_films_total", "unsupported_format", "refused"] == 1


def test_queues_are_measured_in_the_database(client, api: Api, gateway: FakeGateway):
    """Whatever the broker says, or whether it is there."""
    api.accepted(1, priority="stat")
    gateway.queue.flush()
    gateway.clock.advance(timedelta(seconds=90))
    found = samples(client)
    assert found["hilum_jobs", "stat", "queued"] == 1
    assert found["hilum_jobs", "routine", "queued"] == 0
    assert found["hilum_oldest_queued_seconds", "stat"] == 90


def test_every_kind_of_work_is_measured(client, api: Api, gateway: FakeGateway):
    """By the database's clock: what waits, what runs, and what failed until an operator acts."""
    database_clock = SettableClock(gateway.clock.now())
    gateway.unit_of_work.rows.now = database_clock.now
    gateway.clock.advance(timedelta(seconds=300))
    api.parked(InferenceFailed("no"))
    api.post("/v1/operations", json={"kind": "retry_jobs", "reason": "a test"})
    api.post("/v1/operations", json={"kind": "retry_jobs", "reason": "a test"})
    database_clock.advance(timedelta(seconds=30))
    with gateway.unit_of_work.begin() as transaction:
        transaction.operations.claim(list(Priority), "w1", timedelta(seconds=15))
    found = samples(client)
    assert found["hilum_dead_letters", "analysis"] == 1
    assert found["hilum_dead_letters", "operation"] == 0
    assert found["hilum_work", "operation", "queued"] == 1
    assert found["hilum_work", "operation", "running"] == 1
    assert found["hilum_work", "analysis", "queued"] == 0
    assert found["hilum_work_oldest_queued_seconds", "operation"] == 30
    assert found["hilum_work_oldest_queued_seconds", "analysis"] == 0


def test_what_waits_for_each_destination_is_measured(client, gateway: FakeGateway):
    """Its age by the database's clock, and dead letters until an operator acts."""
    queue(gateway.unit_of_work, "pacs", "pacs", "pacs")
    claimed = claim(gateway.unit_of_work)
    assert claimed is not None
    with gateway.unit_of_work.begin() as transaction:
        transaction.deliveries.park(claimed, reason=Reason("why", "because"), lost=False)
        age = (transaction.now - claimed.queued_at).total_seconds()
    found = samples(client)
    assert found["hilum_deliveries_waiting", "north/pacs"] == 2
    assert found["hilum_deliveries_failed", "north/pacs"] == 1
    assert found["hilum_deliveries_oldest_waiting_seconds", "north/pacs"] == pytest.approx(
        max(0.0, age)
    )


def test_a_database_that_is_down_leaves_a_gap_and_not_a_zero(client, gateway: FakeGateway):
    """The rest is still told."""
    gateway.unit_of_work.available = False
    found = samples(client)
    assert not [name for name, *_ in found if name.startswith("hilum_jobs")]
    assert any(name == "process_resident_memory_bytes" for name, *_ in found)


def test_each_application_counts_for_itself(client, gateway: FakeGateway):
    """No registry is shared between two applications of one process."""
    client.get("/healthz")
    other = samples(TestClient(FakeGateway().app))
    assert ("hilum_http_requests_total", "GET", "/healthz", "200") not in other
