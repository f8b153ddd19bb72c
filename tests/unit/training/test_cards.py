"""Which card a recipe gets, and what is said in it of the recipe and of other reports."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hilum.serving.installed import read_model
from hilum_training.export.cards import card_of, later_fits_of
from hilum_training.export.model_card import render_card
from hilum_training.export.other_reports import ASKED, LOCALISATION, with_other_reports
from hilum_training.markdown import markdown
from hilum_training.recipe import read_recipe

ROOT = Path(__file__).resolve().parents[3]
REPORTS = ROOT / "training/reports"
SHIPPED = ROOT / "training/recipes/chest.toml"
RECIPE = read_recipe(SHIPPED)
MANIFEST = read_model(ROOT / "model_repository/chest").newest


def report(reports=REPORTS):
    metrics = json.loads((REPORTS / "chest/metrics.json").read_text(encoding="utf-8"))
    return with_other_reports(metrics, reports)


def card(recipe, path, metrics=None):
    written = card_of(path, recipe.data, metrics or report(), later_fits_of(recipe))
    manifest = replace(MANIFEST, version=recipe.version)
    return render_card(written.template, manifest, written.metrics)


@pytest.fixture
def ours(tmp_path):
    """A hospital's version: its own source beside the others, no second fit."""
    path = tmp_path / "chest-ours.toml"
    shutil.copyfile(SHIPPED, path)
    data = replace(RECIPE.data, sources=(*RECIPE.data.sources, "local"))
    return replace(RECIPE, version="0.3.0", data=data, settle=None), path


def test_a_recipe_without_a_card_gets_none_of_the_shipped_prose(ours):
    """What the shipped card claims was seen of the shipped network; figures are the report's."""
    text = card(*ours)
    for claim in (
        "Public collections",
        "two augmented views",
        "train chest`",
        "training/recipes/chest.toml",
        "stand in for the disease",
    ):
        assert claim in card(RECIPE, SHIPPED), "the shipped card has it"
        assert claim not in text
    for said in (
        "# Model card: chest, version 0.3.0",
        "Not a medical device",
        "Must not be used",
        "`montgomery`, `local`",
        "| kermany | CC BY 4.0 | normal |",
        "Failure modes and limitations\n\nNot examined.",
        "train chest-ours.toml",
        "Recipe: `chest-ours.toml`",
    ):
        assert said in text
    for panel in ours[0].panels:
        assert f"### {panel.name}\n" in text
    assert str(ours[1].parent) not in text


def test_the_card_beside_a_recipe_is_taken(ours):
    """Its names are those of the recipe and of the report."""
    path = ours[1]
    (path.parent / "chest-ours.card.md").write_text("$version $recipe_file $tuberculosis_accuracy")
    accuracy = report()["panels"]["tuberculosis"]["accuracy"]["value"]
    assert card(*ours).startswith(f"0.3.0 chest-ours.toml {accuracy} (")


def test_the_shipped_card_says_of_its_recipe_what_stands_in_it():
    """Consistency fine-tuning is described as long as there is one, and each source is named."""
    assert "two augmented views of each image" in card(RECIPE, SHIPPED)
    assert "image is smoothed" in card(RECIPE, SHIPPED)
    assert "two augmented views" not in card(replace(RECIPE, settle=None), SHIPPED)
    rough = replace(RECIPE, settle=replace(RECIPE.settle, smooth=False))
    assert "image is smoothed" not in card(rough, SHIPPED)
    assert ("it was distilled" in card(RECIPE, SHIPPED)) == (RECIPE.distil is not None)
    assert "it was distilled" not in card(replace(RECIPE, distil=None), SHIPPED)
    fewer = replace(RECIPE, data=replace(RECIPE.data, sources=("kermany",)))
    assert "Frontal images only (`kermany`)." in card(fewer, SHIPPED)


def test_what_runs_without_a_source_reached_there_stands_in_the_card():
    """Of each panel the worst and the best figure at a source that a run did not see."""
    metrics, text = report(), card(RECIPE, SHIPPED)
    rows = metrics["panels"]["tuberculosis"][ASKED]
    assert {row["asked_in"] for row in rows} == {"shenzhen", "montgomery"}
    worst = min((row["auroc"] for row in rows), key=lambda figure: figure["value"])
    assert f"`tuberculosis`: {worst['value']:.3f} (" in text


def test_the_card_says_where_maps_point_worse_than_chance_and_where_nobody_looked():
    """From the panels' reports: a whole interval below chance, and panels without boxes."""
    metrics, text = report(), card(RECIPE, SHIPPED)
    assert "never measured for `tuberculosis`" in text
    for panel, section in metrics["panels"].items():
        for row in section.get(LOCALISATION, ()):
            below = row["pointing_game"]["interval"][1] < row["pointing_game_by_chance"]
            found = f"{row['source']}, `{panel}`: {markdown(row['pointing_game'])}, by chance"
            assert (found in text) == below


def test_maps_of_other_weights_are_not_taken(tmp_path):
    """A panel's report that an earlier network left behind says nothing of this one."""
    (tmp_path / "pneumonia").mkdir()
    kept = json.loads((REPORTS / "pneumonia/metrics.json").read_text(encoding="utf-8"))
    path = tmp_path / "pneumonia/metrics.json"
    path.write_text(json.dumps(kept), encoding="utf-8")
    assert LOCALISATION in report(tmp_path)["panels"]["pneumonia"]
    path.write_text(json.dumps({**kept, "weights": "another"}), encoding="utf-8")
    assert LOCALISATION not in report(tmp_path)["panels"]["pneumonia"]


def test_a_report_alone_makes_a_card_that_says_what_was_not_measured(tmp_path):
    """A first try has no other reports beside it."""
    text = card(RECIPE, SHIPPED, report(tmp_path))
    assert "`pneumonia`, `infection`, `tuberculosis`, `pathology`: not measured" in text
    assert "never measured for `pneumonia`, `infection`, `tuberculosis`, `pathology`" in text
