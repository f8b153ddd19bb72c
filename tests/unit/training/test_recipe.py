"""Recipes: read from TOML, refused where their parts do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.recipe import InvalidRecipe, read_recipe

RECIPE = Path(__file__).resolve().parents[3] / "training/recipes/pneumonia.toml"


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = RECIPE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_the_shipped_recipe_reads():
    """The pneumonia recipe names a known preprocessing and the panel's four labels."""
    recipe = read_recipe(RECIPE)
    assert recipe.film.preprocessing in PREPROCESSING
    assert recipe.data.labels == ("normal", "pneumonia_bacterial", "pneumonia_viral", "covid19")
    assert recipe.data.candidates["pneumonia_unspecified"] == (
        "pneumonia_bacterial",
        "pneumonia_viral",
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("seed = 20261121", "", "seed"),
        ("seed = 20261121", "seed = 1\nspeed = 2", "speed"),
        ("size = 192", "size = 190", "multiple"),
        ("[0.7, 0.1, 0.2]", "[0.7, 0.1, 0.1]", "add up"),
        ('covid19 = ["covid19"]', 'covid19 = ["covid"]', "labels"),
        ("blocks = [1, 1, 1]", "blocks = [1, 1]", "length"),
        ('rule = "youden"', 'rule = "gut feeling"', "rule"),
        ('rule = "youden"', 'rule = "sensitivity"', "missing"),
        ('name = "covid19"', 'name = "covid"', "differ"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(tmp_path, old, new, reason):
    """A missing, unknown or impossible value is named when the recipe is read, not hours later."""
    with pytest.raises(InvalidRecipe, match=reason):
        read_recipe(changed(tmp_path, old, new))


def test_comparisons_do_not_change_what_counts_as_the_same_training():
    """Questions of the evaluation may change while a run is under way; its epochs may not."""
    recipe = read_recipe(RECIPE)
    assert replace(recipe, comparisons=()).training == recipe.training
    assert recipe.with_epochs(1).training != recipe.training
