"""GET /v1/jobs, one and many; retry and discard."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from hilum.domain.errors import InferenceFailed
from hilum.domain.principal import Role
from hilum_gateway import NOTICE
from tests.unit.gateway.api import Api, FakeGateway, film_bytes, problem

PICTURES = ("/heatmaps/pneumonia/covid19.png", "/outlines/lungs.svg")


def test_a_queued_job_has_no_result_yet(api: Api):
    """The whole shape is there, with nulls."""
    document = api.get(f"/v1/jobs/{api.accepted()}").json()
    assert document["state"] == "queued"
    assert (document["reason"], document["result"], document["attempts"]) == (None, None, 0)
    assert document["gate"] is None


def test_a_completed_job_shows_every_finding(api: Api):
    """Panel, model, version, and for each label probability, operating point and heatmap."""
    job_id = api.completed()
    document = api.get(f"/v1/jobs/{job_id}").json()
    assert document["state"] == "completed"
    assert document["attempts"] == 1
    assert set(document["timings_ms"]) >= {"wait", "fetch", "decode", "infer", "total"}
    result = document["result"]
    assert result["notice"] == NOTICE
    assert result["model_set"].startswith("ms-")
    (panel,) = result["panels"]
    assert (panel["panel"], panel["model"], panel["version"]) == ("pneumonia", "pneumonia", "1.0.0")
    assert (panel["in_scope"], panel["scope_reason"]) == (True, "")
    assert sum(finding["positive"] for finding in panel["findings"]) == 1
    labels = [finding["label"] for finding in panel["findings"]]
    assert labels == ["normal", "pneumonia_bacterial", "pneumonia_viral", "covid19"]
    for finding in panel["findings"]:
        assert finding["assessment"] == ("positive" if finding["positive"] else "negative")
        assert finding["probability"] >= finding["operating_point"] or not finding["positive"]
        assert (finding["rank"], finding["reason"], finding["reason_text"]) == ("validated", "", "")
        assert (finding["heatmap"] is not None) == (finding["positive"] and finding["abnormal"])
        assert bool(finding["boxes"]) == (finding["heatmap"] is not None)
        if finding["heatmap"]:
            assert api.get(finding["heatmap"]).status_code == 200
    assert sum(finding["probability"] for finding in panel["findings"]) == pytest.approx(
        1, abs=1e-4
    )


def test_a_rejected_job_says_why(api: Api):
    """Its film was cut off: that shows only when it is decoded."""
    (job,) = api.submit(("cut.pgm", film_bytes()[:-100])).json()["jobs"]
    api.gateway.work()
    document = api.get(f"/v1/jobs/{job['job_id']}").json()
    assert document["state"] == "rejected"
    assert document["reason"]["code"] == "truncated_film"
    assert document["reason"]["detail"]


def test_a_rejected_film_sent_again_says_why_at_once(api: Api):
    """Nobody has to ask for the job that the answer names."""
    cut = ("cut.pgm", film_bytes()[:-100])
    api.submit(cut)
    api.gateway.work()
    (again,) = api.submit(cut).json()["jobs"]
    assert again["state"] == "rejected"
    assert again["reason"] == api.get(again["links"]["self"]).json()["reason"]
    assert again["reason"]["code"] == "truncated_film"


def test_a_completed_job_links_to_its_pictures_and_its_film(api: Api):
    """The same links as the answer to its upload."""
    (sent,) = api.submit(("a.pgm", film_bytes())).json()["jobs"]
    api.gateway.work()
    links = api.get(f"/v1/jobs/{sent['job_id']}").json()["links"]
    assert links == sent["links"]
    assert set(links) == {"self", "preview", "original"}
    assert {api.get(link).status_code for link in links.values()} == {200}


def test_a_job_of_another_site_does_not_exist(api: Api, gateway: FakeGateway):
    """The same 404 as for a job that never was."""
    north = Api(gateway, Role.ADMIN, "north")
    there = api.accepted(site="south")
    other = uuid4()
    for path in ("", "/preview.png", "/original", *PICTURES):
        hidden = problem(north.get(f"/v1/jobs/{there}{path}"), 404, "not_found")
        missing = problem(north.get(f"/v1/jobs/{other}{path}"), 404, "not_found")
        assert str(hidden["detail"]).replace(there, "") == str(missing["detail"]).replace(
            str(other), ""
        )
    problem(north.post(f"/v1/jobs/{there}/retry"), 404, "not_found")
    assert north.get("/v1/jobs").json()["jobs"] == []
    assert north.get("/v1/jobs?site=south").json()["jobs"] == []


def test_what_is_no_job_id_is_an_invalid_request(api: Api):
    """A UUID is asked for."""
    problem(api.get("/v1/jobs/1"), 400, "invalid_request")


def test_pages_follow_one_another_without_gap_or_repeat(api: Api, gateway: FakeGateway):
    """Newest first, by cursor, while new jobs keep coming."""
    sent = []
    for seed in range(7):
        sent.append(api.accepted(seed))
        gateway.clock.advance(timedelta(seconds=seed % 2))  # some at the same moment
    seen: list[str] = []
    cursor = ""
    while True:
        page = api.get(f"/v1/jobs?limit=3{cursor}").json()
        seen += [job["job_id"] for job in page["jobs"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
        gateway.clock.advance(timedelta(seconds=5))
        api.accepted(100 + len(seen))
    assert sorted(seen) == sorted(sent)
    assert len(seen) == len(set(seen))


def test_jobs_are_filtered_by_state_priority_and_site(api: Api):
    """Each filter by itself."""
    done = api.completed(1, priority="stat", site="north")
    waiting = api.accepted(2, priority="batch", site="south")

    def ids(query: str) -> list[str]:
        return [job["job_id"] for job in api.get(f"/v1/jobs?{query}").json()["jobs"]]

    assert ids("state=completed") == [done] == ids("priority=stat") == ids("site=north")
    assert ids("state=queued") == [waiting] == ids("priority=batch") == ids("site=south")
    assert ids("state=failed") == []


@pytest.mark.parametrize(
    "query",
    [
        "state=done",
        "priority=urgent",
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=x",
        "cursor=%00",
        "cursor=é",
        "cursor=" + "A" * 32 + "A",
    ],
)
def test_a_malformed_query_is_an_invalid_request(api: Api, query):
    """Also a cursor that this API did not give."""
    problem(api.get(f"/v1/jobs?{query}"), 400, "invalid_request")


def test_an_operator_queues_a_parked_job_again(api: Api, gateway: FakeGateway):
    """Its attempts are back at zero, and it is rung for."""
    job_id = api.parked(InferenceFailed("no"))
    assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "failed"
    answer = Api(gateway, Role.OPERATOR).post(f"/v1/jobs/{job_id}/retry")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["attempts"]) == ("queued", 0)
    gateway.work()
    assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "completed"


def test_an_operator_discards_a_parked_job(api: Api, gateway: FakeGateway):
    """It is over then: a retry is a conflict."""
    job_id = api.parked(InferenceFailed("no"))
    operator = Api(gateway, Role.OPERATOR)
    assert operator.post(f"/v1/jobs/{job_id}/discard").json()["state"] == "discarded"
    problem(operator.post(f"/v1/jobs/{job_id}/retry"), 409, "transition_not_allowed")


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_what_the_state_does_not_allow_is_a_conflict(api: Api, action):
    """A completed job stays as it is."""
    problem(api.post(f"/v1/jobs/{api.completed()}/{action}"), 409, "transition_not_allowed")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUBMITTER])
@pytest.mark.parametrize("action", ["retry", "discard"])
def test_only_operators_operate(api: Api, gateway: FakeGateway, role, action):
    """403 for who may only look or send."""
    job_id = api.parked(InferenceFailed("no"))
    problem(Api(gateway, role).post(f"/v1/jobs/{job_id}/{action}"), 403, "not_permitted")


def test_an_action_is_found_in_the_audit_log_by_its_request(api: Api, gateway: FakeGateway):
    """Who, what, and the id that the answer carried."""
    job_id = api.parked(InferenceFailed("no"))
    answer = api.post(f"/v1/jobs/{job_id}/discard")
    with gateway.unit_of_work.begin(write=False) as transaction:
        event = transaction.audit.records()[-1].event
    assert (event.action, event.object_id) == ("job.discard", job_id)
    assert event.request_id == answer.headers["x-request-id"]
    assert event.actor.id in api.key
