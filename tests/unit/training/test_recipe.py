"""Recipes: read from TOML, refused where their parts do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hilum.domain.model import FRONTAL
from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.recipe import read_recipe
from hilum_training.recipe_errors import InvalidRecipe

RECIPES = Path(__file__).resolve().parents[3] / "training/recipes"
CHEST = RECIPES / "chest.toml"


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = CHEST.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_shipped_recipe_reads():
    """The chest recipe names a known preprocessing and its four panels."""
    recipe = read_recipe(CHEST)
    assert recipe.film.preprocessing in PREPROCESSING
    panels = {panel.name: panel for panel in recipe.panels}
    assert list(panels) == ["pneumonia", "infection", "tuberculosis", "pathology"]
    assert len(panels["pathology"].labels) == 14
    assert panels["pneumonia"].candidates["pneumonia_unspecified"] == (
        "pneumonia_bacterial",
        "pneumonia_viral",
    )


def test_no_label_of_disease_passes_for_more_than_weak_evidence():
    """The films carry none of them beyond the hospitals and collections that they came from."""
    for panel in read_recipe(CHEST).panels:
        weak = {label.name for label in panel.labels if label.weak}
        assert weak == {label.name for label in panel.labels if label.abnormal}, panel.name
        assert panel.caution.count(". ") == 0, "one sentence"


def test_networks_that_serve_together_agree_about_the_film_and_the_split():
    """Gate and chest take the same input, and one seed keeps the same patients unseen."""
    chest, gate = read_recipe(CHEST), read_recipe(RECIPES / "gate.toml")
    assert gate.film == chest.film
    assert (gate.seed, gate.data.fractions) == (chest.seed, chest.data.fractions)
    assert FRONTAL in gate.panels[0].names


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("seed = 20261121", "", "seed"),
        ("seed = 20261121", "seed = 1\nspeed = 2", "speed"),
        ("dropout = 0.3", "dropout = 0.3\nreduce = 3", "multiple"),
        ("[0.7, 0.1, 0.2]", "[0.7, 0.1, 0.1]", "add up"),
        ('covid19 = ["covid19"]', 'covid19 = ["covid"]', "labels"),
        ('name = "infection"', 'name = "pneumonia"', "share"),
        ('kind = "single_label"', 'kind = "guess"', "kind"),
        ('kind = "single_label"', 'kind = "multi_label"', "candidates"),
        ('keep = "mean"', 'keep = "first"', "keep"),
        ('rule = "specificity"', 'rule = "gut feeling"', "rule"),
        ('positive_outputs = ["infected"]', 'positive_outputs = ["infectd"]', "infectd"),
        ('positive = ["tuberculosis"]', 'positive = ["tuberculosos"]', "tuberculosos"),
        ('source = "nih14"', 'source = "nih"', "sources: nih"),
        ('sources = ["shenzhen", "montgomery",', 'sources = ["montgomery",', "no source of"),
        ('sources = ["nih14"]', 'sources = ["nih15"]', "nih15"),
        ('rule = "specificity"\nvalue = 0.9', 'rule = "sensitivity"', "missing"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(tmp_path, old, new, reason):
    """A missing, unknown or impossible value is named when the recipe is read, not hours later."""
    with pytest.raises(InvalidRecipe, match=reason):
        read_recipe(changed(tmp_path, old, new))


def test_comparisons_do_not_change_what_counts_as_the_same_training():
    """Questions of the evaluation may change while a run is under way; its epochs may not."""
    recipe = read_recipe(CHEST)
    unasked = tuple(replace(panel, comparisons=(), caution="") for panel in recipe.panels)
    assert replace(recipe, panels=unasked).training == recipe.training
    heavier = (replace(recipe.panels[0], weight=2.0), *recipe.panels[1:])
    assert replace(recipe, panels=heavier).training != recipe.training
    assert recipe.with_epochs(1).training != recipe.training
