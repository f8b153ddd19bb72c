"""What a baseline's file may say, and what it takes from the recipe that it is compared with."""

from __future__ import annotations

import pytest

from hilum_training.baselines.recipes import read_baseline
from hilum_training.recipe_errors import InvalidRecipe
from tests.unit.training.baseline_films import CHEST, RECIPES, shipped

NAMES = sorted(path.stem for path in (RECIPES / "baselines").glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_committed_baseline_keeps_split_and_seed_of_the_network_that_ships(name):
    """Else patients unseen by one would be known to the other."""
    baseline = shipped(name)
    assert baseline.name == name
    for recipe in baseline.recipes:
        assert recipe.seed == CHEST.seed
        assert recipe.data.fractions == CHEST.data.fractions
        assert recipe.data.near_duplicate_bits == CHEST.data.near_duplicate_bits
        assert set(recipe.data.sources) <= set(CHEST.data.sources)
        assert recipe.panels == (baseline.panel,)


@pytest.mark.parametrize("name", NAMES)
def test_every_committed_baseline_has_its_answers_beside_it(name):
    """Each label of a baseline is answered by labels of a panel that ships."""
    baseline = shipped(name)
    (panel,) = (panel for panel in CHEST.panels if panel.name == baseline.beside.panel)
    assert tuple(baseline.beside.outputs) == baseline.panel.names
    for outputs in baseline.beside.outputs.values():
        assert set(outputs) <= set(panel.names)


def test_the_originals_are_all_rebuilt():
    """Five apps, one of them with two tables of figures."""
    assert {shipped(name).panel.name for name in NAMES} == {
        "covid",
        "pneumonia",
        "infection",
        "tuberculosis",
        "pathology",
    }
    ensemble = [recipe.network.architecture for recipe in shipped("pneumonia-ensemble").recipes]
    assert ensemble == ["mobilenet", "inception-v3"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('panels = ["lungs"]', "no panel lungs"),
        ('panels = ["infection"]\nsurprise = 1', "surprise"),
        ('panels = ["infection"]\n[film]\nwidth = 3', "width"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, line, complaint):
    """The complaint names what is wrong."""
    path = tmp_path / "odd.toml"
    path.write_text(f'name = "odd"\nmethod = "network"\noriginal = "none"\n{line}\n')
    with pytest.raises(InvalidRecipe, match=complaint):
        read_baseline(path, CHEST)


def test_a_method_that_does_not_exist_is_refused(tmp_path):
    """A method is one of four."""
    path = tmp_path / "odd.toml"
    path.write_text('name = "odd"\nmethod = "guess"\noriginal = ""\npanels = ["infection"]\n')
    with pytest.raises(InvalidRecipe, match="guess"):
        read_baseline(path, CHEST)
