"""Sites over the API: who sees them, and who sets which weight."""

from __future__ import annotations

import pytest

from hilum.domain.principal import Role
from tests.unit.gateway.api import Api, FakeGateway, problem

PATH = "/v1/sites/north/weight"


def test_a_site_is_listed_from_its_first_image_on(api: Api):
    """With the weight 1."""
    assert api.get("/v1/sites").json() == {"sites": []}
    api.accepted(1, site="south")
    api.accepted(2, site="north")
    sites = [{"site": name, "weight": 1.0} for name in ("north", "south")]
    assert api.get("/v1/sites").json() == {"sites": sites}


def test_a_weight_is_set_shown_and_audited(api: Api, gateway: FakeGateway):
    """With the flows of the site, and before its first image."""
    answer = api.put(PATH, json={"weight": 2})
    assert answer.json() == {"sites": [{"site": "north", "weight": 2.0}]}
    with gateway.unit_of_work.begin(write=False) as transaction:
        event = transaction.audit.records()[-1].event
    assert (event.action, event.object_type, event.object_id) == ("site.weight", "site", "north")
    assert event.details == {"weight": 2.0}
    assert event.request_id == answer.headers["x-request-id"]
    api.accepted(site="north")
    assert {flow["weight"] for flow in api.get("/v1/flows").json()["flows"]} == {2.0}


def test_a_site_with_twice_the_weight_is_served_twice_as_often(api: Api, gateway: FakeGateway):
    """While both wait, as many jobs of each."""
    api.put(PATH, json={"weight": 2})
    waiting = [(name, seed) for seed in range(8) for name in ("north", "south")]
    sites = {api.accepted(place, site=name): name for place, (name, _) in enumerate(waiting)}
    gateway.work()
    with gateway.unit_of_work.begin(write=False) as transaction:
        done = [
            sites[record.event.object_id]
            for record in transaction.audit.records()
            if record.event.action == "job.completed"
        ]
    assert len(done) == 16
    assert 7 <= done[:12].count("north") <= 8


@pytest.mark.parametrize("weight", [0, 0.09, 100.1, -1, "much", None])
def test_another_weight_is_refused(api: Api, gateway: FakeGateway, weight: object):
    """And nothing changes."""
    api.accepted(site="north")
    before = gateway.unit_of_work.rows
    problem(api.put(PATH, json={"weight": weight}), 400, "invalid_request")
    problem(api.put("/v1/sites/*/weight", json={"weight": 2}), 400, "invalid_request")
    assert gateway.unit_of_work.rows == before


def test_who_manages_one_site_sees_and_changes_that_one(api: Api, gateway: FakeGateway):
    """No other one."""
    api.accepted(1, site="north")
    api.accepted(2, site="south")
    north = Api(gateway, Role.ADMIN, "north")
    answer = north.put(PATH, json={"weight": 3})
    assert answer.json() == {"sites": [{"site": "north", "weight": 3.0}]}
    problem(north.put("/v1/sites/south/weight", json={"weight": 3}), 403, "not_permitted")
    assert [one["weight"] for one in api.get("/v1/sites").json()["sites"]] == [3.0, 1.0]
