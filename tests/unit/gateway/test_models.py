"""GET /v1/models and what is below it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from hilum.application.models.manage_models import ManageModels
from hilum.application.models.models_of_site import KEPT
from hilum.domain.model import OperatingPoint, Rank, Scope, ScopeLimit
from hilum.domain.principal import Role, local_command
from hilum.domain.scope import CHILD
from hilum_gateway import NOTICE
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model, whole_set
from tests.unit.gateway.api import Api, FakeGateway, problem
from tests.unit.gateway.pages.results import with_panels


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


CARDS = {"chest": "# Chest\n\nMeasured on café films.\n"}


def measured(version: str = "1.0.0"):
    """The chest model with a metric, in a version."""
    (chest,) = [model for model in whole_set() if model.name == "chest"]
    first, *others = chest.panels
    panels = (replace(first, metrics={"auroc": {"value": 0.9, "interval": [0.8, 0.95]}}), *others)
    number = int(version[0])
    return replace(chest, version=version, serving_version=number, panels=panels)


@pytest.fixture
def chest() -> FakeGateway:
    """A gateway with the whole set, the chest model measured."""
    others = [model for model in whole_set() if model.name != "chest"]
    gateway = FakeGateway(models=[*others, measured()])
    gateway.catalogue.cards.update(CARDS)
    return gateway


def with_second_version(gateway: FakeGateway, site: str) -> None:
    """A newer chest model, promoted at one site."""
    others = [model for model in gateway.catalogue.models if model.name != "chest"]
    gateway.of_site.of_site(site)
    gateway.catalogue.older = (measured(),)
    gateway.catalogue.models = (*others, measured("2.0.0"))
    manage = ManageModels(
        models=gateway.of_site, unit_of_work=gateway.unit_of_work, clock=gateway.clock
    )
    manage.adopt_shipped("chest", "2.0.0", site, local_command("test"))
    manage.promote("chest", "2.0.0", site, local_command("test"))
    gateway.clock.advance(KEPT)


def test_one_model_is_shown_with_all_of_its_manifest(chest):
    """Files with digests, tensors, panels, and where to go from there."""
    api = Api(chest)
    document = api.get("/v1/models/chest").json()
    assert (document["version"], document["in_force"], document["installed"]) == (
        "1.0.0",
        True,
        ["1.0.0"],
    )
    assert document["artefacts"] == [{"path": "1/model.onnx", "sha256": "0" * 64, "size_bytes": 1}]
    assert document["inputs"][0]["shape"] == [32, 32, 1]
    assert {spec["panel"] for spec in document["outputs"]} == {"pneumonia", "pathology"}
    assert document["notice"] == NOTICE
    for path in document["links"].values():
        assert api.get(path).status_code == 200


def test_a_panel_is_shown_with_its_scope_and_the_ranks_of_its_labels(chest):
    """Also what a flag means at the prevalence that the manifest states."""
    others = [model for model in chest.catalogue.models if model.name != "chest"]
    panel, *more = measured().panels
    label = replace(panel.labels[0], rank=Rank.EXPERIMENTAL, prevalence=0.05)
    panel = replace(
        panel,
        scope=Scope(maximum_age=15, limits=(ScopeLimit("child", 0.5, CHILD),)),
        labels=(label, *panel.labels[1:]),
        operating_points=(OperatingPoint(label.name, 0.4, 0.9, 0.9, "12 images"),),
    )
    chest.catalogue.models = (*others, with_panels(measured(), panel, *more))
    shown = Api(chest).get("/v1/models/chest").json()
    found = shown["panels"][0]
    assert (found["scope"]["minimum_age"], found["scope"]["maximum_age"]) == (None, 15)
    assert found["scope"]["limits"][0]["reason"] == "looks_like_a_child"
    assert "children" in found["scope"]["limits"][0]["reason_text"]
    first, second = found["labels"][:2]
    assert (first["rank"], second["rank"]) == ("experimental", "validated")
    assert (first["prevalence"], second["prevalence"]) == (0.05, None)
    assert (second["operating_point"], second["predictive_value"]) == (None, None)
    assert shown["scope_measures"] == ["child"]


def test_a_card_is_markdown(chest):
    """As it was written, in UTF-8."""
    answer = Api(chest).get("/v1/models/chest/card")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.text == CARDS["chest"]


def test_metrics_are_given_by_panel(chest):
    """Those of the manifest, and that they are for research."""
    document = Api(chest).get("/v1/models/chest/metrics").json()
    assert document["panels"]["pneumonia"] == {"auroc": {"value": 0.9, "interval": [0.8, 0.95]}}
    assert (document["model"], document["version"]) == ("chest", "1.0.0")
    assert document["notice"] == NOTICE


def test_each_site_is_shown_what_it_reads_with(chest):
    """A key that is bound to a site sees its own, one of all sites asks for any."""
    with_second_version(chest, "north")
    everyone, north = Api(chest), Api(chest, Role.VIEWER, "north")
    assert everyone.get("/v1/models/chest").json()["version"] == "1.0.0"
    assert everyone.get("/v1/models/chest?site=north").json()["version"] == "2.0.0"
    shown = north.get("/v1/models/chest").json()
    assert (shown["site"], shown["version"], shown["installed"]) == (
        "north",
        "2.0.0",
        ["1.0.0", "2.0.0"],
    )
    sets = [api.get("/v1/models").json()["model_set"] for api in (everyone, north)]
    assert sets[0] != sets[1]
    older = north.get("/v1/models/chest?version=1.0.0").json()
    assert (older["version"], older["in_force"]) == ("1.0.0", False)


def test_a_film_is_read_by_what_its_site_promoted(chest):
    """The result carries the version and the set that the models' page names."""
    with_second_version(chest, "north")
    chest.engine = type(chest.engine)([*chest.catalogue.older, *chest.catalogue.models])
    api = Api(chest)
    for site, version in (("north", "2.0.0"), ("south", "1.0.0")):
        result = api.get(f"/v1/jobs/{api.completed(site=site)}").json()["result"]
        assert {panel["version"] for panel in result["panels"]} == {version}
        assert result["model_set"] == api.get(f"/v1/models?site={site}").json()["model_set"]


PATHS = ("", "/chest", "/chest/card", "/chest/metrics")


@pytest.mark.parametrize("path", PATHS)
def test_models_are_shown_to_no_stranger(chest, path):
    """401 without a key; a viewer's key is enough."""
    problem(TestClient(chest.app).get(f"/v1/models{path}"), 401, "not_authenticated")
    assert Api(chest, Role.VIEWER).get(f"/v1/models{path}").status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_key_sees_the_models_of_its_own_site_only(chest, path):
    """403: another site's operating points are not this one's business."""
    api = Api(chest, Role.VIEWER, "north")
    problem(api.get(f"/v1/models{path}?site=south"), 403, "not_permitted")


MISSING = (
    "/ribs",
    "/ribs/card",
    "/ribs/metrics",
    "/chest?version=9.9.9",
    "/chest/metrics?version=9.9.9",
    "/gate/card",
    "/chest/nothing",
)


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_there_is_not_found(chest, path):
    """404 for an unknown model or version, and where there is no card."""
    problem(Api(chest).get(f"/v1/models{path}"), 404, "not_found")
