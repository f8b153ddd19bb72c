"""The hyperparameter search, on a recipe that trains in seconds."""

from __future__ import annotations

import argparse
import json
import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")
keras_tuner = pytest.importorskip("keras_tuner", reason="needs the training environment")

from hilum_training.recipe_errors import InvalidRecipe, RecipeMissing  # noqa: E402 - after the skip
from hilum_training.tuning import add_parser, drawn, run, with_values  # noqa: E402 - same
from tests.unit.training.baseline_films import (  # noqa: E402 - after the skip
    CHEST,
    small_pack,
    tiny_recipes,
)


def command(*arguments: str) -> argparse.Namespace:
    """What the command line gives to the command."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(dest="command", required=True))
    return parser.parse_args(["tune", *arguments])


def test_a_search_runs_the_recipe_and_its_trials_and_writes_what_it_found(tmp_path, monkeypatch):
    """One trial: the trained run is the drawn one, and the table is sorted by its loss."""
    monkeypatch.setenv("HILUM_CXR_DIR", str(small_pack(tmp_path / "pack")))
    recipes = tiny_recipes(tmp_path / "recipes", "infection-cnn")
    options = ["--trials=1", "--epochs=1", "--limit=40", f"--recipes={recipes}"]
    options += [f"--runs={tmp_path / 'runs'}", f"--reports={tmp_path / 'reports'}"]
    run(command("infection-cnn", *options))
    folder = tmp_path / "reports/tuning"
    result = json.loads((folder / "infection-cnn-cnn.json").read_text())
    assert sorted(row["who"].split()[0] for row in result["trials"]) == ["recipe", "trial"]
    losses = [row["validation_loss"] for row in result["trials"]]
    assert losses == sorted(losses)
    first, second = (row["values"]["learning_rate"] for row in result["trials"])
    assert first != second
    assert "## infection-cnn-cnn" in (folder / "README.md").read_text()


def test_the_space_lies_around_the_recipe_and_its_default_is_the_recipe():
    """What is not drawn is the recipe's own."""
    values = drawn(keras_tuner.HyperParameters(), CHEST)
    assert values["learning_rate"] == CHEST.fit.learning_rate
    assert values["weight_decay"] == CHEST.fit.weight_decay
    changed = with_values(CHEST, {**values, "dropout": 0.45, "balance": 1.0})
    assert (changed.network.dropout, changed.fit.balance) == (0.45, 1.0)
    assert changed.panels == CHEST.panels


def test_a_recipe_that_does_not_exist_is_refused(tmp_path):
    """Before a film is read."""
    with pytest.raises(RecipeMissing, match="nothing"):
        run(command("nothing", f"--recipes={tmp_path}"))


@pytest.mark.parametrize(("recipe", "reason"), [("lungs", "masks"), ("gate", "not in the pack")])
def test_what_the_search_cannot_train_is_refused(recipe, reason):
    """Masks are another fit, and a gate is taught with pictures that the search does not open."""
    with pytest.raises(InvalidRecipe, match=reason):
        run(command(recipe))
