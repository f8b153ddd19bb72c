"""Operator actions over the API: what each does, who may, and what each refusal says."""

from __future__ import annotations

from uuid import uuid4

import pytest

from hilum.domain.errors import InferenceFailed, OutOfMemory
from hilum.domain.principal import Role
from hilum_gateway.advice import ADVICE
from tests.unit.gateway.api import Api, FakeGateway, film_bytes, problem

ACTS = {
    "retry": None,
    "discard": None,
    "cancel": {"reason": "sent by mistake"},
    "expedite": None,
    "reprioritise": {"priority": "stat"},
}
WHILE_QUEUED = ("cancel", "expedite", "reprioritise")
PAUSE = {"site": "north", "priority": "routine", "seconds": 60, "reason": "scanner is calibrated"}
RESUME = {"site": "north", "priority": "routine"}
RETRY = {"kind": "retry_jobs", "reason": "Triton is back"}
NO_OPERATORS = [Role.VIEWER, Role.READER, Role.SUBMITTER, Role.AUDITOR]


def act(api: Api, job_id: object, action: str):
    return api.post(f"/v1/jobs/{job_id}/{action}", json=ACTS[action])


def audited(gateway: FakeGateway):
    with gateway.unit_of_work.begin(write=False) as transaction:
        return transaction.audit.records()[-1].event


def in_backoff(api: Api, gateway: FakeGateway) -> str:
    """A job that waits for another attempt."""
    job_id = api.accepted()
    gateway.engine.failure = OutOfMemory("no")
    gateway.work()
    gateway.engine.failure = None
    return job_id


def test_a_cancelled_job_is_over_and_keeps_the_reason(api: Api, gateway: FakeGateway):
    """The image is new when it is sent again."""
    job_id = api.accepted(1)
    answer = act(Api(gateway, Role.OPERATOR), job_id, "cancel")
    assert answer.status_code == 200
    assert answer.json()["state"] == "discarded"
    told = {"code": "cancelled", "detail": "sent by mistake", "advice": ADVICE["cancelled"]}
    assert answer.json()["reason"] == told
    assert answer.json()["finished_at"] is not None
    event = audited(gateway)
    assert (event.action, event.object_id) == ("job.cancel", job_id)
    assert event.details == {"reason": "sent by mistake"}
    assert event.request_id == answer.headers["x-request-id"]
    assert api.accepted(1) != job_id


def test_an_expedited_job_runs_before_its_backoff_is_over(api: Api, gateway: FakeGateway):
    """And is audited."""
    job_id = in_backoff(api, gateway)
    gateway.work()
    assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "queued"
    assert act(Api(gateway, Role.OPERATOR), job_id, "expedite").status_code == 200
    assert audited(gateway).action == "job.expedite"
    gateway.work()
    assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "completed"


def test_a_reprioritised_job_goes_behind_its_sites_jobs_of_that_priority(
    api: Api, gateway: FakeGateway
):
    """And before every job of a lower one."""
    waiting = api.accepted(1, priority="stat")
    first = api.accepted(2)
    moved = api.accepted(3)
    answer = act(Api(gateway, Role.OPERATOR), moved, "reprioritise")
    assert answer.json()["priority"] == "stat"
    assert audited(gateway).details == {"priority": "stat"}
    gateway.work()
    ended = {job: api.get(f"/v1/jobs/{job}").json() for job in (waiting, moved, first)}
    with gateway.unit_of_work.begin(write=False) as transaction:
        done = [
            record.event.object_id
            for record in transaction.audit.records()
            if record.event.action == "job.completed"
        ]
    assert done == [waiting, moved, first]
    assert {job["state"] for job in ended.values()} == {"completed"}


@pytest.mark.parametrize("action", ACTS)
def test_what_the_state_does_not_allow_is_a_conflict(api: Api, gateway: FakeGateway, action: str):
    """A completed job, and each act in the state of the others; nothing changes."""
    waiting = action in WHILE_QUEUED
    wrong = [api.completed(1)]
    wrong.append(api.parked(InferenceFailed("no"), 2) if waiting else api.accepted(3))
    for job_id in wrong:
        before = api.get(f"/v1/jobs/{job_id}").json()
        refusal = problem(act(api, job_id, action), 409, "transition_not_allowed")
        assert f"a {before['state']} job cannot {action}" in str(refusal["detail"])
        assert api.get(f"/v1/jobs/{job_id}").json() == before
        assert audited(gateway).action != f"job.{action}"


@pytest.mark.parametrize("role", NO_OPERATORS)
@pytest.mark.parametrize("action", ACTS)
def test_who_may_not_operate_is_refused(api: Api, gateway: FakeGateway, action: str, role: Role):
    """Whatever the state of the job."""
    job_id = api.accepted()
    problem(act(Api(gateway, role), job_id, action), 403, "not_permitted")
    assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "queued"


@pytest.mark.parametrize("action", ACTS)
def test_a_job_of_another_site_does_not_exist(api: Api, gateway: FakeGateway, action: str):
    """Nor does one that never was."""
    north = Api(gateway, Role.OPERATOR, "north")
    for job_id in (api.accepted(site="south"), uuid4()):
        problem(act(north, job_id, action), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("jobs/{job}/cancel", {}),
        ("jobs/{job}/cancel", {"reason": ""}),
        ("jobs/{job}/reprioritise", {"priority": "urgent"}),
        ("flows/pause", {**PAUSE, "seconds": 0}),
        ("flows/pause", {**PAUSE, "seconds": 8 * 24 * 3600}),
        ("flows/pause", {**PAUSE, "reason": ""}),
        ("flows/pause", {**PAUSE, "kind": "delivery"}),
        ("flows/resume", {"site": "north"}),
        ("operations", {**RETRY, "kind": "nothing_like_this"}),
        ("operations", {**RETRY, "rate": 0}),
        ("operations", {"kind": "retry_jobs"}),
    ],
)
def test_a_malformed_request_is_refused(api: Api, gateway: FakeGateway, path: str, body):
    """With a stable code, and without a trace in the audit log."""
    job_id = api.accepted()
    before = audited(gateway)
    problem(api.post(f"/v1/{path.format(job=job_id)}", json=body), 400, "invalid_request")
    assert audited(gateway) == before


def test_a_paused_site_waits_until_it_is_resumed(api: Api, gateway: FakeGateway):
    """The others do not. Both acts are audited, and the list tells the pause."""
    north, south = api.accepted(1, site="north"), api.accepted(2, site="south")
    operator = Api(gateway, Role.OPERATOR)
    answer = operator.post("/v1/flows/pause", json=PAUSE)
    assert answer.status_code == 200
    paused = [flow for flow in answer.json()["flows"] if flow["paused_until"]]
    assert [(flow["site"], flow["pause_reason"]) for flow in paused] == [
        ("north", "scanner is calibrated")
    ]
    event = audited(gateway)
    assert (event.action, event.object_id) == ("flow.pause", "analysis/routine/north")
    assert event.details == {"reason": "scanner is calibrated", "seconds": 60.0}
    gateway.work()
    states = [api.get(f"/v1/jobs/{job}").json()["state"] for job in (north, south)]
    assert states == ["queued", "completed"]
    operator.post("/v1/flows/resume", json=RESUME)
    assert audited(gateway).action == "flow.resume"
    gateway.work()
    assert api.get(f"/v1/jobs/{north}").json()["state"] == "completed"
    problem(operator.post("/v1/flows/resume", json=RESUME), 409, "transition_not_allowed")


@pytest.mark.parametrize("path", ["pause", "resume"])
def test_a_flow_is_changed_by_an_operator_of_its_site(api: Api, gateway: FakeGateway, path: str):
    """And by nobody else."""
    api.accepted(site="north")
    refused = [Api(gateway, role) for role in NO_OPERATORS]
    refused.append(Api(gateway, Role.OPERATOR, "south"))
    before = api.get("/v1/flows").json()
    for other in refused:
        problem(other.post(f"/v1/flows/{path}", json=PAUSE), 403, "not_permitted")
    assert api.get("/v1/flows").json() == before


def test_a_key_of_a_site_sees_that_sites_flows(api: Api, gateway: FakeGateway):
    """And an operator of it pauses it."""
    api.accepted(1, site="north")
    api.accepted(2, site="south")
    north = Api(gateway, Role.OPERATOR, "north")
    assert {flow["site"] for flow in north.get("/v1/flows").json()["flows"]} == {"north"}
    assert north.post("/v1/flows/pause", json=PAUSE).status_code == 200


def test_failed_jobs_are_retried_by_an_operation(api: Api, gateway: FakeGateway):
    """It is accepted, shows its progress, and ends."""
    jobs = [api.parked(InferenceFailed("no"), seed) for seed in (1, 2)]
    operator = Api(gateway, Role.OPERATOR)
    answer = operator.post("/v1/operations", json={**RETRY, "code": "inference_failed", "rate": 99})
    assert answer.status_code == 202
    started = answer.json()
    assert (started["state"], started["total"], started["done"]) == ("queued", 2, 0)
    assert (started["site"], started["arguments"]) == ("*", {"code": "inference_failed"})
    with gateway.unit_of_work.begin(write=False) as transaction:
        event = transaction.audit.records()[-1].event
    assert event.action == "operation.queued"
    assert event.details["reason"] == "Triton is back"
    gateway.work()
    path = f"/v1/operations/{started['operation_id']}"
    ended = operator.get(path).json()
    assert (ended["state"], ended["done"], ended["failed"]) == ("completed", 2, 0)
    assert operator.get("/v1/operations").json()["operations"] == [ended]
    assert {api.get(f"/v1/jobs/{job}").json()["state"] for job in jobs} == {"completed"}
    problem(operator.post(f"{path}/stop"), 409, "transition_not_allowed")
    problem(operator.post(f"{path}/retry"), 409, "transition_not_allowed")


def test_a_stopped_operation_retries_nothing_more(api: Api, gateway: FakeGateway):
    """The jobs stay as they are."""
    job_id = api.parked(InferenceFailed("no"))
    path = f"/v1/operations/{api.post('/v1/operations', json=RETRY).json()['operation_id']}"
    assert api.post(f"{path}/stop").json()["state"] == "stopped"
    gateway.work()
    assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "failed"


def test_arguments_reach_the_operation_and_wrong_ones_are_refused(api: Api):
    """As a filter, or as what its kind needs."""
    right = api.post("/v1/operations", json={**RETRY, "arguments": {"priority": "stat"}})
    assert right.json()["arguments"] == {"priority": "stat"}
    wrong = api.post("/v1/operations", json={**RETRY, "arguments": {"priority": "soon"}})
    problem(wrong, 400, "invalid_request")


def test_an_argument_replaces_no_fact_of_the_audit_log(api: Api, gateway: FakeGateway):
    """Whatever a caller calls it."""
    told = {"does": "nothing", "site": "elsewhere", "reason": "another"}
    api.post("/v1/operations", json={**RETRY, "arguments": told})
    with gateway.unit_of_work.begin(write=False) as transaction:
        details = transaction.audit.records()[-1].event.details
    assert details == {"does": "retry_jobs", "site": "*", "reason": RETRY["reason"]}


@pytest.mark.parametrize("role", NO_OPERATORS)
def test_operations_are_for_operators(api: Api, gateway: FakeGateway, role: Role):
    """Others may look at them, and neither start nor stop one."""
    other = Api(gateway, role)
    problem(other.post("/v1/operations", json=RETRY), 403, "not_permitted")
    path = f"/v1/operations/{api.post('/v1/operations', json=RETRY).json()['operation_id']}"
    for action in ("stop", "retry"):
        problem(other.post(f"{path}/{action}"), 403, "not_permitted")
    assert other.get(path).json()["state"] == "queued"


def test_an_operation_of_another_site_does_not_exist(api: Api, gateway: FakeGateway):
    """Nor may one be started there."""
    north = Api(gateway, Role.OPERATOR, "north")
    problem(north.post("/v1/operations", json={**RETRY, "site": "south"}), 403, "not_permitted")
    path = f"/v1/operations/{api.post('/v1/operations', json=RETRY).json()['operation_id']}"
    problem(north.get(path), 404, "not_found")
    for action in ("stop", "retry"):
        problem(north.post(f"{path}/{action}"), 404, "not_found")
    mine = north.post("/v1/operations", json=RETRY).json()
    assert mine["site"] == "north"
    assert [one["site"] for one in north.get("/v1/operations").json()["operations"]] == ["north"]


def test_the_next_upload_of_a_cancelled_image_is_analysed(api: Api, gateway: FakeGateway):
    """Its job is a new one."""
    (sent,) = api.submit(("a.pgm", film_bytes(5))).json()["jobs"]
    act(api, sent["job_id"], "cancel")
    (again,) = api.submit(("a.pgm", film_bytes(5))).json()["jobs"]
    assert again["outcome"] == "new"
    gateway.work()
    assert api.get(f"/v1/jobs/{again['job_id']}").json()["state"] == "completed"
