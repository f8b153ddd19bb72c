"""Runs with something held back: what a shift changes, and what its report says."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_training.evaluation.shifts import Shift, measure_shift, read_shift
from hilum_training.films.library import FilmSet, Library
from hilum_training.recipe_errors import InvalidRecipe
from tests.unit.training.panel_answers import RECIPE, ROOT, film

SHIFTS = sorted((ROOT / "training/recipes/shifts").glob("*.toml"))
ACROSS = Shift(
    name="across",
    about="Learnt in Shenzhen, asked in Montgomery",
    base="chest",
    panel="tuberculosis",
    sources=("shenzhen", "montgomery"),
    learn_from=("shenzhen",),
    epochs=3,
    reduce=2,
)


@pytest.mark.parametrize("path", SHIFTS, ids=lambda path: path.stem)
def test_every_shift_of_the_tree_is_a_recipe(path):
    """Read, applied to its base: one panel, its own name, and sources that the base knows."""
    shift = read_shift(path)
    recipe = shift.recipe(RECIPE)
    assert recipe.name == path.stem
    assert [panel.name for panel in recipe.panels] == [shift.panel]
    assert set(shift.learn_from) <= set(shift.sources) <= set(RECIPE.data.sources)
    assert recipe.film.size % recipe.network.reduce == 0


def test_a_shift_keeps_the_rest_of_its_base():
    """Augmentation, split and network stay: only what is held back differs."""
    recipe = ACROSS.recipe(RECIPE)
    assert recipe.data.only_train_sources == ("shenzhen",)
    assert (recipe.fit.epochs, recipe.network.reduce) == (3, 2)
    assert (recipe.augment, recipe.seed, recipe.data.fractions) == (
        RECIPE.augment,
        RECIPE.seed,
        RECIPE.data.fractions,
    )


def test_an_unknown_key_is_refused(tmp_path):
    """A misspelt key would otherwise change nothing, silently."""
    path = tmp_path / "wrong.toml"
    path.write_text('about = ""\nbase = "chest"\npanel = "infection"\nepoch = 3\n')
    with pytest.raises(InvalidRecipe, match=r"wrong\.toml"):
        read_shift(path)


def test_a_panel_that_the_base_does_not_have_is_refused():
    """A shift of nothing."""
    with pytest.raises(InvalidRecipe, match="no panel lungs"):
        Shift("a", "", "chest", "lungs", (), (), 1).recipe(RECIPE)


def tuberculosis_films(source: str, count: int, start: int) -> FilmSet:
    films = tuple(
        film(start + i, source, "tuberculosis" if i % 2 else "normal") for i in range(count)
    )
    return FilmSet(films, np.zeros((count, 8, 8, 1), np.uint8), tuple(f.group for f in films))


def test_the_report_says_which_source_training_had_seen():
    """A row for each site, the unseen one marked, and what was learnt from counted."""
    seen, unseen = tuberculosis_films("shenzhen", 40, 0), tuberculosis_films("montgomery", 20, 500)
    library = Library(seen, seen, seen.plus(unseen))
    right = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]] * 20)
    wrong = right[:20, [1, 0, 2]]
    report = measure_shift(
        ACROSS, ACROSS.recipe(RECIPE), library, (right, np.concatenate([right, wrong]))
    )
    rows = {row["source"]: row for row in report["within_source"]}
    assert (rows["shenzhen"]["seen_in_training"], rows["shenzhen"]["auroc"]["value"]) == (True, 1.0)
    assert not rows["montgomery"]["seen_in_training"]
    assert rows["montgomery"]["auroc"]["value"] == 0.0
    assert report["learnt_from"] == {"shenzhen: normal": 20, "shenzhen: tuberculosis": 20}
    assert "not for diagnosis" in report["notice"]
