"""What every model catalogue does: a fake, and a folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hilum.adapters.model_catalogue.model_catalogue import CARD, MANIFEST, FilesystemModelCatalogue
from hilum.domain.errors import InvalidManifest
from hilum.domain.model import ModelSet
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.domain.model import ModelManifest

    Make = Callable[[list[ModelManifest], Mapping[str, str]], ModelCatalogue]

PNEUMONIA = small_model()
TUBERCULOSIS = small_model("tb-small", panel="tuberculosis")
FRACTURES = small_model("ribs", panel="fractures")
CARDS = {PNEUMONIA.name: "# Pneumonia\n\nMeasured on café films.\n"}


@pytest.fixture(params=["fake", "folder"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes a catalogue of models and cards, of each kind."""

    def folder(models: list[ModelManifest], cards: Mapping[str, str]) -> ModelCatalogue:
        for model in models:
            home = tmp_path / model.name
            home.mkdir()
            (home / MANIFEST).write_text(model.to_json(), encoding="utf-8")
            if model.name in cards:
                (home / CARD).write_text(cards[model.name], encoding="utf-8")
        return FilesystemModelCatalogue(tmp_path)

    return InMemoryModelCatalogue if request.param == "fake" else folder


def test_gives_the_models_in_the_order_of_their_panels(make):
    """The order in which panels are shown does not depend on names of models or folders."""
    catalogue = make([TUBERCULOSIS, PNEUMONIA, FRACTURES], CARDS)
    models = catalogue.current().models
    assert models == (FRACTURES, PNEUMONIA, TUBERCULOSIS)


def test_the_version_of_the_set_is_that_of_its_models(make):
    """Results are keyed by it, so it is the same however the models were read."""
    catalogue = make([PNEUMONIA, FRACTURES], {})
    assert catalogue.current().version == ModelSet((FRACTURES, PNEUMONIA)).version
    assert catalogue.current().version != ModelSet((PNEUMONIA,)).version


def test_gives_a_model_s_card(make):
    """The card is Markdown, empty where there is none."""
    catalogue = make([PNEUMONIA, FRACTURES], CARDS)
    assert catalogue.card(PNEUMONIA) == CARDS[PNEUMONIA.name]
    assert catalogue.card(FRACTURES) == ""


def test_an_empty_catalogue_is_a_wrong_installation(make):
    """A service without models must not start as if there were nothing to find."""
    with pytest.raises(InvalidManifest):
        make([], {}).current()


def newer(model: ModelManifest) -> ModelManifest:
    """The next version of a model."""
    return replace(model, version="1.1.0", serving_version=2)


@pytest.fixture(params=["fake", "folder"])
def make_versions(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes a catalogue whose first models lie beside newer versions of themselves."""

    def fake(models: list[ModelManifest], cards: Mapping[str, str]) -> ModelCatalogue:
        catalogue = InMemoryModelCatalogue([newer(model) for model in models], cards)
        catalogue.older = tuple(models)
        return catalogue

    def folder(models: list[ModelManifest], cards: Mapping[str, str]) -> ModelCatalogue:
        for model in models:
            home = tmp_path / model.name
            (home / "1").mkdir(parents=True)
            (home / MANIFEST).write_text(newer(model).to_json(), encoding="utf-8")
            (home / "1" / MANIFEST).write_text(model.to_json(), encoding="utf-8")
            if model.name in cards:
                (home / CARD).write_text(cards[model.name], encoding="utf-8")
        return FilesystemModelCatalogue(tmp_path)

    return fake if request.param == "fake" else folder


def test_versions_lie_beside_one_another(make_versions):
    """All of them are installed, by name and number; the newest are current."""
    catalogue = make_versions([TUBERCULOSIS, PNEUMONIA], CARDS)
    assert catalogue.current().models == (newer(PNEUMONIA), newer(TUBERCULOSIS))
    assert list(catalogue.installed()) == [
        PNEUMONIA,
        newer(PNEUMONIA),
        TUBERCULOSIS,
        newer(TUBERCULOSIS),
    ]
    assert catalogue.card(newer(PNEUMONIA)) == CARDS[PNEUMONIA.name]
