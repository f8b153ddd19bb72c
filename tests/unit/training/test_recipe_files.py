"""Which recipe a name on the command line means."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilum_training.recipe_errors import InvalidRecipe, RecipeMissing
from hilum_training.recipe_files import find_recipe, tell_panel


def recipes(folder, **files: str):
    """Files by stem: the name of the network and its panels, or a text as it is."""
    for stem, text in files.items():
        name, *panels = text.split()
        lines = [f'name = "{name}"', *(f'[[panel]]\nname = "{panel}"' for panel in panels)]
        toml = text if text.startswith("[") else "\n".join(lines)
        (folder / f"{stem.replace('_', '-')}.toml").write_text(toml, encoding="utf-8")
    return folder


def test_a_panel_is_found_in_the_recipe_that_is_called_as_its_network_is(tmp_path):
    """Beside a copy whose file sorts first: the copy is another recipe of the same network."""
    folder = recipes(tmp_path, chest="chest pneumonia", chest_ours="chest pneumonia", gate="gate g")
    assert min(folder.glob("*.toml")).name == "chest-ours.toml"
    assert find_recipe(folder, "pneumonia").name == "chest.toml"
    assert find_recipe(folder, "chest-ours").name == "chest-ours.toml"
    assert find_recipe(folder, "g").name == "gate.toml"


def test_a_panel_of_a_single_recipe_is_found_whatever_its_file_is_called(tmp_path):
    """Nothing else can be meant."""
    assert find_recipe(recipes(tmp_path, ours="chest lungs"), "lungs").name == "ours.toml"


@pytest.mark.parametrize(
    "files", [{"a": "chest p", "b": "chest p"}, {"one": "one p", "two": "two p"}]
)
def test_a_panel_that_could_be_of_several_recipes_is_refused_with_their_names(tmp_path, files):
    """Hours of training must not go by the order of file names."""
    first, second = sorted(files)
    with pytest.raises(InvalidRecipe, match=rf"{first}\.toml, {second}\.toml: name the recipe"):
        find_recipe(recipes(tmp_path, **files), "p")


def test_a_broken_file_is_told_only_where_it_may_be_the_one(tmp_path):
    """A half-written recipe does not stop the training of another."""
    folder = recipes(tmp_path, broken="[[panel", chest="chest pneumonia")
    assert find_recipe(folder, "pneumonia").name == "chest.toml"
    with pytest.raises(InvalidRecipe, match=r"broken\.toml: .*line 1"):
        find_recipe(folder, "tuberculosis")
    (folder / "broken.toml").unlink()
    with pytest.raises(RecipeMissing, match="no panel tuberculosis"):
        find_recipe(folder, "tuberculosis")


@pytest.mark.parametrize("named", ["gate", "./gate.toml", "recipes/gate.toml"])
def test_only_a_panel_is_told_where_it_was_found(tmp_path, monkeypatch, capsys, named):
    """A recipe's own name, or its file, says it already."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    recipes(tmp_path / "recipes", gate="gate frontal")
    recipes(tmp_path, gate="gate frontal")
    tell_panel(named, find_recipe(Path("recipes"), named))
    assert capsys.readouterr().err == ""
    tell_panel("frontal", find_recipe(Path("recipes"), "frontal"))
    assert capsys.readouterr().err == "frontal is a panel of recipes/gate.toml\n"
