"""/v1/keys."""

from __future__ import annotations

import pytest

from hilum.domain.principal import Role
from tests.unit.gateway.api import Api, FakeGateway, problem
from tests.unit.gateway.asgi import Exchange


def test_a_new_key_works_and_is_shown_once(api: Api):
    """The list has everything but the secret."""
    made = api.post("/v1/keys", json={"name": "modality", "role": "submitter", "site": "north"})
    assert made.status_code == 201
    document = made.json()
    headers = {"Authorization": f"Bearer {document['key']}"}
    assert api.get("/v1/jobs", headers=headers).status_code == 200
    listed = api.get("/v1/keys")
    assert document["key"].partition(".")[2] not in listed.text
    (shown,) = [key for key in listed.json()["keys"] if key["key_id"] == document["key_id"]]
    assert (shown["name"], shown["role"], shown["site"]) == ("modality", "submitter", "north")
    assert shown["revoked_at"] is None


def test_a_revoked_key_stays_in_the_list(api: Api):
    """So that the audit log can still be read; to revoke it again finds nothing."""
    made = api.post("/v1/keys", json={"name": "x", "role": "viewer"}).json()
    path = f"/v1/keys/{made['key_id']}"
    assert api.client.delete(path).status_code == 204
    (shown,) = [k for k in api.get("/v1/keys").json()["keys"] if k["key_id"] == made["key_id"]]
    assert shown["revoked_at"] is not None
    problem(api.client.delete(path), 404, "not_found")


@pytest.mark.anyio
async def test_a_client_that_leaves_is_no_defect(gateway: FakeGateway, caplog):
    """No trace in the log for it."""
    key = gateway.new_key()
    async with Exchange(
        gateway.app, "POST", "/v1/keys", authorization=f"Bearer {key}", content_length="9"
    ) as call:
        call.disconnect()
        await call.over()
    assert "request.crashed" not in caplog.text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUBMITTER, Role.OPERATOR])
def test_only_admins_rule_over_keys(gateway: FakeGateway, role):
    """403 for every other role, whatever it asks."""
    other = Api(gateway, role)
    problem(other.get("/v1/keys"), 403, "not_permitted")
    problem(other.post("/v1/keys", json={"name": "x", "role": "admin"}), 403, "not_permitted")
    problem(other.client.delete("/v1/keys/abc"), 403, "not_permitted")


def test_an_admin_of_a_site_rules_over_that_site_alone(api: Api, gateway: FakeGateway):
    """It cannot make itself a key that sees more."""
    north = Api(gateway, Role.ADMIN, "north")
    for site in ("*", "south"):
        wanted = {"name": "x", "role": "admin", "site": site}
        problem(north.post("/v1/keys", json=wanted), 403, "not_permitted")
    wanted = {"name": "x", "role": "viewer", "site": "north"}
    assert north.post("/v1/keys", json=wanted).status_code == 201
    assert {key["site"] for key in north.get("/v1/keys").json()["keys"]} == {"north"}
    everywhere = api.key.removeprefix("hilum_").partition(".")[0]
    problem(north.client.delete(f"/v1/keys/{everywhere}"), 404, "not_found")
    assert api.get("/v1/keys").status_code == 200


def test_a_wish_that_is_too_long_is_not_read(api: Api):
    """A key needs a few bytes."""
    answer = api.post("/v1/keys", content=b" " * 100_000)
    problem(answer, 413, "request_too_large")


def test_what_is_no_json_is_an_invalid_request(api: Api):
    """And is not repeated: it may hold a secret."""
    answer = api.post("/v1/keys", content=b"{hunter2")
    assert "hunter2" not in str(problem(answer, 400, "invalid_request"))


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"name": "x"},
        {"name": "", "role": "viewer"},
        {"name": "x\ny", "role": "viewer"},
        {"name": "x", "role": "king"},
        {"name": "x", "role": "viewer", "site": ""},
        {"name": "x", "role": "viewer", "site": "a b"},
        {"name": "x", "role": "viewer", "site": "north\n"},
        [],
    ],
)
def test_a_malformed_wish_is_an_invalid_request(api: Api, wanted):
    """400, and no key."""
    before = len(api.get("/v1/keys").json()["keys"])
    problem(api.post("/v1/keys", json=wanted), 400, "invalid_request")
    assert len(api.get("/v1/keys").json()["keys"]) == before
