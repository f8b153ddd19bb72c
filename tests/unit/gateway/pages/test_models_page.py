"""The page of the models."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hilum.application.models.models_of_site import ModelsOfSite
from hilum.domain.model import OperatingPoint, Rank, Scope, ScopeLimit
from hilum.domain.principal import Role
from hilum.domain.scope import CHILD
from hilum_gateway.pages.model_figures import figure_of, headline_figures
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_chest, whole_set
from tests.unit.gateway.pages.browsing import FakeGateway
from tests.unit.gateway.pages.results import with_panels

MEASURED = {
    "within_source": [
        {
            "question": "normal or pneumonia",
            "source": "kermany",
            "positive_films": 755,
            "negative_films": 285,
            "auroc": {"value": 0.9971, "interval": [0.9952, 0.9984]},
        }
    ],
    "accuracy": {"value": 0.91, "interval": None},
    "labels": {"normal": {"auroc": {"value": 0.983, "interval": [0.97, 0.99]}}},
}


@pytest.fixture
def gateway() -> FakeGateway:
    """One version in force of each model, and an older one of the chest beside it."""
    gateway = FakeGateway(models=whole_set())
    chest = small_chest()
    panel = replace(
        chest.panels[0],
        metrics=MEASURED,
        operating_points=tuple(
            OperatingPoint(label.name, 0.25, 0.9, 0.8125, "validation films")
            for label in chest.panels[0].labels
        ),
    )
    models = [
        replace(model, panels=(panel, model.panels[1])) if model.name == "chest" else model
        for model in gateway.catalogue.models
    ]
    gateway.catalogue = InMemoryModelCatalogue(
        models, {"chest": "# Chest\n\nNot for <script>alert(1)</script> **use**.\n"}
    )
    gateway.catalogue.older = (replace(chest, version="0.9.0"),)
    gateway.of_site = ModelsOfSite(
        catalogue=gateway.catalogue, unit_of_work=gateway.unit_of_work, clock=gateway.clock
    )
    return gateway.rebuilt()


def sheet(page: str, name: str) -> str:
    """The card of one version."""
    return re.search(rf'<section class="card model" id="{name}".*?</section>', page, re.DOTALL)[0]


def test_every_installed_version_is_shown_and_which_reads(gateway):
    """What active for the person's site is marked; the older version stands below, unmarked."""
    page = gateway.person(Role.VIEWER, "north").get("/models").text
    ids = re.findall(r'class="card model" id="([\w.-]+)"', page)
    assert ids == ["gate-1.0.0", "chest-1.0.0", "lungs-1.0.0", "chest-0.9.0"]
    assert "active for north" in sheet(page, "chest-1.0.0")
    assert "installed, not active for north" in sheet(page, "chest-0.9.0")
    assert gateway.catalogue.current().version in page


def test_operating_points_stand_with_what_was_measured(gateway):
    """Threshold, sensitivity and specificity of each label, and the headline figures."""
    text = sheet(gateway.person().get("/models").text, "chest-1.0.0")
    row = re.search(r'<tr data-label="normal">.*?</tr>', text, re.DOTALL)[0]
    assert re.findall(r"<td>([\d.]+)", row) == ["0.250", "0.900", "0.812", "0.983"]
    assert "AUROC: normal or pneumonia (kermany)" in text
    assert "<td>0.997</td><td>0.995 to 0.998</td><td>755 / 285</td>" in text
    assert "accuracy, all sources together" in text


def ranked(gateway: FakeGateway) -> FakeGateway:
    """The same, with a scope, and with a rank, a prevalence or no operating point for labels."""
    chest = next(model for model in gateway.catalogue.models if model.name == "chest")
    pneumonia, pathology = chest.panels
    scope = Scope(
        minimum_age=18,
        views=("PA", "AP"),
        limits=(ScopeLimit("child", 0.5, CHILD),),
        sources=("shenzhen", "montgomery"),
        never_shown=("children",),
    )
    labels = (
        replace(pathology.labels[0], prevalence=0.05),
        replace(pathology.labels[1], rank=Rank.EXPERIMENTAL),
        *pathology.labels[2:],
    )
    pathology = replace(
        pathology,
        scope=scope,
        labels=labels,
        operating_points=(OperatingPoint("effusion", 0.4, 0.9, 0.9, "12 images of shenzhen"),),
        metrics={"labels": {"nodule": {"no_point": "3 validation patients with it"}}},
    )
    ranked = with_panels(chest, pneumonia, pathology)
    gateway.catalogue.models = tuple(
        ranked if model.name == "chest" else model for model in gateway.catalogue.models
    )
    return gateway


def test_a_scope_is_shown_with_its_panel(gateway):
    """Ages, views, what the pixels decide, sources, and who was never shown."""
    text = sheet(ranked(gateway).person().get("/models").text, "chest-1.0.0")
    found = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", text))
    assert found == {
        "Ages": "18 years and older",
        "Views": "PA, AP",
        "Not assessed": "not validated for children, and the image looks like a child&#39;s",
        "Trained on": "shenzhen, montgomery",
        "Never shown": "children",
    }


def test_a_label_has_its_rank_and_what_its_operating_point_rests_on(gateway):
    """The text of the manifest stands beside what a flag means at the stated prevalence."""
    text = sheet(ranked(gateway).person().get("/models").text, "chest-1.0.0")
    row = re.search(r'<tr data-label="effusion">.*?</tr>', text, re.DOTALL)[0]
    assert '<td class="rank-validated">validated</td>' in row
    assert "12 images of shenzhen." in row
    assert "If 5 of 100 images show it, 32 of 100 flagged images do." in row


def test_a_label_without_an_operating_point_says_why(gateway):
    """The reason that was measured comes first, otherwise the rank is the reason."""
    text = sheet(ranked(gateway).person().get("/models").text, "chest-1.0.0")
    rows = {
        label: re.search(rf'<tr data-label="{label}">.*?</tr>', text, re.DOTALL)[0]
        for label in ("cardiomegaly", "nodule")
    }
    assert "No operating point: 3 validation patients with it." in rows["nodule"]
    assert "experimental</td>" in rows["cardiomegaly"]
    assert "Experimental, and not switched on at this site." in rows["cardiomegaly"]


def test_structures_have_no_operating_points(gateway):
    """A panel of outlines lists its structures only."""
    text = sheet(gateway.person().get("/models").text, "lungs-1.0.0")
    assert "right lung" in text
    assert "Operating point" not in text


def test_a_card_cannot_bring_markup_into_the_page(gateway):
    """What a card says is text, formatted by the page alone."""
    text = sheet(gateway.person().get("/models").text, "chest-1.0.0")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>" not in text
    assert "<strong>use</strong>" in text


def test_whoever_sees_all_sites_can_ask_for_one(gateway):
    """The form is for keys of all sites; another site's models are not for a key of one."""
    everywhere = gateway.person(Role.VIEWER)
    assert "active for default" in everywhere.get("/models").text
    assert "active for south" in everywhere.get("/models?site=south").text
    bound = gateway.person(Role.VIEWER, "north")
    assert "choose-site" not in bound.get("/models").text
    assert bound.get("/models?site=south").status_code == 403


def test_the_models_are_for_who_is_signed_in(gateway):
    """A visitor is sent to sign in first, and back."""
    answer = gateway.visitor().get("/models")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/models")


@pytest.mark.parametrize("path", ["/", "/models"])
def test_every_page_leads_to_the_worklist_and_the_models(gateway, path):
    """The header has both, and says which one is open."""
    page = gateway.person().get(path).text
    current = re.findall(r'<a href="([^"]+)" aria-current="page">(?:Worklist|Models)', page)
    assert current == [path]


@pytest.mark.parametrize(
    ("found", "value"),
    [
        ({"value": 0.5, "interval": [0.4, 0.6]}, "0.500"),
        (0.25, "0.250"),
        (1, "1.000"),
        ({"value": None, "interval": None}, None),
        ("0.9", None),
        (True, None),
        (None, None),
    ],
)
def test_only_a_number_is_a_figure(found, value):
    """What another release measured in another form is left out, not shown wrongly."""
    figure = figure_of("AUROC", found)
    assert (figure.value if figure else None) == value


@pytest.mark.parametrize(
    "metrics",
    [{}, {"within_source": {}}, {"within_source": [3, None, {}]}, {"calibration_error": 0.1}],
)
def test_metrics_of_another_form_give_no_figure(metrics):
    """The page of models stands whatever a manifest measured."""
    assert list(headline_figures(metrics)) == []
