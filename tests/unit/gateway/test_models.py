"""GET /v1/models."""

from __future__ import annotations

from hilum_gateway import NOTICE
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model
from tests.unit.gateway.api import Api, FakeGateway, problem


def test_what_is_served_is_shown_with_versions_and_operating_points(api: Api):
    """The set's version is the one that results carry."""
    document = api.get("/v1/models").json()
    assert document["notice"] == NOTICE
    job = api.get(f"/v1/jobs/{api.completed()}").json()
    assert document["model_set"] == job["result"]["model_set"]
    (model,) = document["models"]
    assert (model["model"], model["version"], model["panel"]) == ("pneumonia", "1.0.0", "pneumonia")
    assert [label["operating_point"] for label in model["labels"]] == [0.25] * 4
    assert model["card"] == ""


def test_the_model_card_comes_with_the_model():
    """As Markdown."""
    gateway = FakeGateway()
    catalogue = InMemoryModelCatalogue([small_model()], {"pneumonia": "# Card"})
    gateway.container.catalogue.card = catalogue.card  # type: ignore[method-assign]
    assert Api(gateway).get("/v1/models").json()["models"][0]["card"] == "# Card"


def test_an_empty_repository_is_a_defect_of_the_installation(api: Api, gateway: FakeGateway):
    """500, for the operator."""
    gateway.catalogue.models = ()
    problem(api.get("/v1/models"), 500, "invalid_manifest")
