"""Another network beside the shipped one: what a rival changes, and what its rows say."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_training.evaluation.rival_figures import ACCURACY, MEAN_AREA, Said, compare_rival, surely
from hilum_training.evaluation.rival_tables import rival_rows, rival_verdicts
from hilum_training.evaluation.rivals import main
from hilum_training.films.library import FilmSet, Library
from hilum_training.panel_recipe import LossRecipe
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.rival import read_rival
from tests.unit.training.panel_answers import RECIPE, ROOT, film, panel

RIVALS = sorted((ROOT / "training/recipes/rivals").glob("*.toml"))
TUBERCULOSIS = panel("tuberculosis")
PATHOLOGY = panel("pathology")


@pytest.mark.parametrize("path", RIVALS, ids=lambda path: path.stem)
def test_every_rival_of_the_tree_is_another_run_of_its_base(path):
    """Its own name and weights, the base's films, split, panels and length."""
    rival = read_rival(path)
    recipe = rival.recipe(RECIPE)
    assert recipe.name == path.stem
    assert recipe.training != RECIPE.training
    assert (recipe.data, recipe.film, recipe.fit) == (RECIPE.data, RECIPE.film, RECIPE.fit)
    assert [item.name for item in recipe.panels] == [item.name for item in RECIPE.panels]


def written(tmp_path, text: str):
    path = tmp_path / "other.toml"
    path.write_text(f'about = ""\nbase = "chest"\nseed = 2\n{text}', encoding="utf-8")
    return path


def test_a_rival_changes_the_loss_of_the_panels_that_it_names(tmp_path):
    """The other panels keep theirs."""
    recipe = read_rival(written(tmp_path, "[loss.pathology]\nfocus = 2.0\n")).recipe(RECIPE)
    losses = {item.name: item.loss for item in recipe.panels}
    assert losses.pop("pathology") == LossRecipe(focus=2.0)
    assert set(losses.values()) == {LossRecipe()}


@pytest.mark.parametrize("text", ["speed = 3\n", "[loss.pathology]\nweight = 1.0\n"])
def test_an_unknown_key_of_a_rival_is_refused(tmp_path, text):
    """A misspelt key would otherwise change nothing, silently."""
    with pytest.raises(InvalidRecipe, match=r"other\.toml"):
        read_rival(written(tmp_path, text))


def test_a_loss_of_a_panel_that_is_not_there_is_refused(tmp_path):
    """Likewise a misspelt panel."""
    rival = read_rival(written(tmp_path, "[loss.pathologies]\nfocus = 2.0\n"))
    with pytest.raises(InvalidRecipe, match="no panel pathologies"):
        rival.recipe(RECIPE)


def test_a_rival_that_is_not_there_is_named(tmp_path, capsys):
    """Nothing is trained."""
    assert main(["nobody", "--runs", str(tmp_path)]) == 2
    assert "rivals: nobody" in capsys.readouterr().err


def tuberculosis_library() -> Library:
    films = tuple(
        film(place, "shenzhen", "tuberculosis" if place % 2 else "normal") for place in range(40)
    )
    part = FilmSet(films, np.zeros((40, 8, 8, 1), np.uint8), tuple(f.group for f in films))
    return Library(part, part, part)


def test_a_better_rival_is_surely_better_and_the_mean_lies_between():
    """The shipped network guesses, the rival knows: every figure says so, with its interval."""
    library = tuberculosis_library()
    knows = np.array([[2.0, 0.0, -2.0], [0.0, 2.0, -2.0]] * 20)
    guesses = np.random.default_rng(1).normal(size=(40, 3))
    shipped, rival = (
        Said({"tuberculosis": logits}, {"tuberculosis": logits}) for logits in (guesses, knows)
    )
    rows = compare_rival([TUBERCULOSIS], library, shipped, rival)
    assert [row["figure"] for row in rows][-1] == ACCURACY
    area = rows[0]
    assert (area["panel"], area["films"]) == ("tuberculosis", "20 + 20")
    assert area["rival"] == 1.0
    assert area["shipped"] < area["mean"] <= area["rival"]
    gain = area["rival_less_shipped"]
    assert gain["value"] == pytest.approx(area["rival"] - area["shipped"], abs=1e-3)
    assert gain["interval"][0] > 0
    assert surely(rows, "rival_less_shipped") == (2, 0)
    back = compare_rival([TUBERCULOSIS], library, rival, shipped)
    assert surely(back, "rival_less_shipped") == (0, 2)


def test_a_network_beside_itself_gains_nothing():
    """Every difference is zero, and none is sure."""
    library = tuberculosis_library()
    logits = {"tuberculosis": np.random.default_rng(2).normal(size=(40, 3))}
    rows = compare_rival([TUBERCULOSIS], library, Said(logits, logits), Said(logits, logits))
    for key in ("rival_less_shipped", "mean_less_shipped"):
        assert {row[key]["value"] for row in rows} == {0.0}
        assert surely(rows, key) == (0, 0)


def test_findings_have_a_row_each_and_one_for_their_mean():
    """A finding that no test film shows has none; the mean is over those with five films."""
    findings = [("hernia",), *[("mass",), ("edema",), ("edema",), ("edema",)] * 15]
    films = tuple(
        film(place, "nih14", "other", findings=shown) for place, shown in enumerate(findings)
    )
    part = FilmSet(films, np.zeros((61, 8, 8, 1), np.uint8), tuple(f.group for f in films))
    generator = np.random.default_rng(3)
    logits = [{"pathology": generator.normal(size=(61, 14))} for _ in range(2)]
    rows = compare_rival(
        [PATHOLOGY], Library(part, part, part), *(Said(item, item) for item in logits)
    )
    edema, hernia, mass = (f"AUROC, {name}" for name in ("edema", "hernia", "mass"))
    assert [row["figure"] for row in rows] == [MEAN_AREA, edema, hernia, mass]
    assert rows[0]["shipped"] == pytest.approx(
        (rows[1]["shipped"] + rows[3]["shipped"]) / 2, abs=1e-3
    )


def test_the_summary_counts_what_a_rival_surely_gains_and_loses():
    """Alone it costs one network, as a mean two; every figure stands in a row."""
    library = tuberculosis_library()
    knows = np.array([[2.0, 0.0, -2.0], [0.0, 2.0, -2.0]] * 20)
    guesses = np.random.default_rng(1).normal(size=(40, 3))
    said = [Said({"tuberculosis": item}, {"tuberculosis": item}) for item in (guesses, knows)]
    rows = compare_rival([TUBERCULOSIS], library, *said)
    reports = {"rivals/other": {"about": "Another", "rows": rows}, "gate": {"panel": "gate"}}
    alone, both = rival_verdicts(reports)
    assert (alone["figures compared"], alone["better"], alone["worse"]) == (2, 2, 0)
    assert (alone["cost of one"], both["cost of one"]) == (1, 2)
    assert [row["shipped"] for row in rival_rows(reports)] == [row["shipped"] for row in rows]
    assert rival_verdicts({"gate": {}}) == rival_rows({"gate": {}}) == []
