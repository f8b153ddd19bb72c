"""GET /v1/models."""

from __future__ import annotations

from hilum_gateway import NOTICE
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model, whole_set
from tests.unit.gateway.api import Api, FakeGateway, problem


def test_what_is_served_is_shown_with_versions_and_operating_points(api: Api):
    """The set's version is the one that results carry."""
    document = api.get("/v1/models").json()
    assert document["notice"] == NOTICE
    job = api.get(f"/v1/jobs/{api.completed()}").json()
    assert document["model_set"] == job["result"]["model_set"]
    (model,) = document["models"]
    assert (model["model"], model["version"]) == ("pneumonia", "1.0.0")
    (panel,) = model["panels"]
    assert (panel["panel"], panel["kind"]) == ("pneumonia", "single_label")
    assert [label["operating_point"] for label in panel["labels"]] == [0.25] * 4
    assert model["card"] == ""


def test_every_panel_of_every_model_is_shown_with_its_kind():
    """Also the gate, and structures, which have no operating point."""
    models = Api(FakeGateway(models=whole_set())).get("/v1/models").json()["models"]
    panels = {panel["panel"]: panel for model in models for panel in model["panels"]}
    assert {name: panel["kind"] for name, panel in panels.items()} == {
        "gate": "gate",
        "pneumonia": "single_label",
        "pathology": "multi_label",
        "lungs": "structures",
    }
    assert {label["operating_point"] for label in panels["lungs"]["labels"]} == {None}
    assert panels["pathology"]["caution"]


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
