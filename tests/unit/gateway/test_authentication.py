"""Who may ask."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from hilum.domain.principal import Role
from tests.unit.gateway.api import Api, FakeGateway, problem
from tests.unit.gateway.asgi import Exchange

ID = "6a0f7c1e-0000-4000-8000-000000000000"


def v1_routes(gateway: FakeGateway) -> list[tuple[str, str]]:
    """Every route under /v1 as (method, path)."""
    paths = gateway.app.openapi()["paths"]
    return [
        (method.upper(), path.replace("{job_id}", ID).replace("{", "").replace("}", ""))
        for path, methods in paths.items()
        for method in methods
        if path.startswith("/v1/")
    ]


def test_every_route_under_v1_demands_a_key(gateway: FakeGateway):
    """Also one that is added tomorrow."""
    client = TestClient(gateway.app)
    routes = v1_routes(gateway)
    assert len(routes) >= 13
    for method, path in routes:
        answer = client.request(method, path)
        problem(answer, 401, "not_authenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.anyio
async def test_no_route_reads_the_body_of_a_stranger(gateway: FakeGateway):
    """It would cost memory, or the client's time, for nothing."""
    posts = [path for method, path in v1_routes(gateway) if method == "POST"]
    assert len(posts) >= 4
    for path in posts:
        promised = {"content_length": "1000000", "content_type": "application/json"}
        async with Exchange(gateway.app, "POST", path, expect="100-continue", **promised) as call:
            assert await call.status() == 401


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer hilum_x",
        "Bearer hilum_x.y",
        "hilum_x.y",
        "Bearer " + "x" * 5000,
    ],
)
def test_what_is_no_key_is_refused_alike(gateway: FakeGateway, header):
    """Malformed or unknown: a stranger cannot tell."""
    answer = TestClient(gateway.app).get("/v1/jobs", headers={"Authorization": header})
    problem(answer, 401, "not_authenticated")


def test_a_wrong_secret_of_a_known_key_is_refused(api: Api):
    """The public part alone opens nothing."""
    public = api.key.partition(".")[0]
    answer = api.get("/v1/jobs", headers={"Authorization": f"Bearer {public}.wrong"})
    problem(answer, 401, "not_authenticated")


def test_a_revoked_key_stops_working_with_its_next_request(api: Api, gateway: FakeGateway):
    """Nothing is cached."""
    other = Api(gateway, Role.VIEWER)
    assert other.get("/v1/jobs").status_code == 200
    key_id = other.key.removeprefix("hilum_").partition(".")[0]
    assert api.client.delete(f"/v1/keys/{key_id}").status_code == 204
    problem(other.get("/v1/jobs"), 401, "not_authenticated")


def test_a_viewer_may_look_at_everything(api: Api, gateway: FakeGateway):
    """Jobs, results, pictures, models."""
    job_id = api.completed()
    viewer = Api(gateway, Role.VIEWER)
    for path in (f"/v1/jobs/{job_id}", "/v1/jobs", "/v1/models", f"/v1/jobs/{job_id}/original"):
        assert viewer.get(path).status_code == 200
