"""Recipes: read from TOML, refused where their parts do not fit."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hilum.domain.model import FRONTAL
from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.recipe import read_recipe
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.segmentation.recipe import is_segmentation, read_segmentation_recipe

RECIPES = Path(__file__).resolve().parents[3] / "training/recipes"
CHEST = RECIPES / "chest.toml"
SHIPPED = read_recipe(CHEST)
VERSION = f'version = "{SHIPPED.version}"'
FRACTIONS = f"[{', '.join(f'{share:g}' for share in SHIPPED.data.fractions)}]"
EPOCHS = f"\nepochs = {SHIPPED.fit.epochs}\n"
INFECTION, PATHOLOGY = 'name = "infection"', 'name = "pathology"'
GERMS = {"pneumonia_bacterial", "pneumonia_viral", "covid19"}


def changed(tmp_path: Path, old: str, new: str, recipe: Path = CHEST) -> Path:
    text = recipe.read_text(encoding="utf-8")
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


def test_labels_rank_as_far_as_the_films_carry_them():
    """Germs and the fourteen findings are experimental, every other label is validated."""
    for panel in SHIPPED.panels:
        findings = {label.name for label in panel.labels if label.abnormal}
        experimental = {label.name for label in panel.labels if label.rank == "experimental"}
        expected = {"pneumonia": GERMS, "pathology": findings}.get(panel.name, set())
        assert experimental == expected, panel.name
        assert {label.rank for label in panel.labels} <= {"validated", "experimental"}
        assert {label.name for label in panel.labels if label.prevalence} == findings
        assert panel.caution.count(". ") == 0, "one sentence"


def cautions():
    """What every shipped recipe says with its panels."""
    lungs = read_segmentation_recipe(RECIPES / "lungs.toml")
    panels = [*SHIPPED.panels, *read_recipe(RECIPES / "gate.toml").panels]
    return {"lungs": lungs.caution, **{panel.name: panel.caution for panel in panels}}


@pytest.mark.parametrize(("panel", "caution"), cautions().items())
def test_a_caution_claims_nothing_of_the_data(panel, caution):
    """Data change without the recipe: what is said of them is computed, see the scope."""
    assert caution, panel
    counted = r"\d|\b(two|three|dozen|hundred|thousand|few|most|mostly|were real)\b"
    assert not re.search(f"{counted}|in training are|one hospital", caution), caution


def test_what_a_caution_says_of_its_labels_holds():
    """All findings are experimental, infection has the one disease, the heart is weak."""
    panels, said = {panel.name: panel for panel in SHIPPED.panels}, cautions()
    assert said["pathology"].startswith("Every one of these findings is experimental")
    assert {label.rank for label in panels["pathology"].labels} == {"experimental"}
    assert "no disease but infection" in said["infection"]
    assert [label.name for label in panels["infection"].labels if label.abnormal] == ["infected"]
    assert "evidence for it is weak" in said["lungs"]
    lungs = read_segmentation_recipe(RECIPES / "lungs.toml")
    assert [label.name for label in lungs.labels if label.weak] == ["heart"]


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
        (FRACTIONS, "[0.7, 0.1, 0.1]", "add up"),
        ('covid19 = ["covid19"]', 'covid19 = ["covid"]', "labels"),
        ('name = "infection"', 'name = "pneumonia"', "share"),
        ('kind = "single_label"', 'kind = "guess"', "kind"),
        ('kind = "single_label"', 'kind = "multi_label"', "candidates"),
        ('keep = "mean"', 'keep = "first"', "keep"),
        ('rule = "specificity"', 'rule = "gut feeling"', "rule"),
        ('positive_outputs = ["infected"]', 'positive_outputs = ["infectd"]', "infectd"),
        ('positive = ["tuberculosis"]', 'positive = ["tuberculosos"]', "tuberculosos"),
        ('source = "nih14"', 'source = "nih"', "sources: nih"),
        (INFECTION, f'{INFECTION}\nsources = ["kermany"]', "no source of"),
        (PATHOLOGY, f'{PATHOLOGY}\nsources = ["nih15"]', "nih15"),
        ('rule = "specificity"\nvalue = ', 'rule = "sensitivity"\nspecificity_floor = ', "missing"),
        ("[film]\n", "[films]\n", "the key film is missing"),
        (EPOCHS, "\n", r"\[fit\]: the key epochs is missing"),
        (EPOCHS, "\nepochs = 0\n", "fit: epochs is 0, which is not 1 or more"),
        ("batch = 32", "batch = 0", "fit: batch is 0"),
        ("batch = 32", "batch = 32.5", "batch is 32.5, not a whole number"),
        ("learning_rate = 8.0e-4", 'learning_rate = "fast"', "learning_rate is 'fast', not a num"),
        ("learning_rate = 8.0e-4", "learning_rate = nan", "learning_rate is nan"),
        ("learning_rate = 8.0e-4", "learning_rate = true", "learning_rate is True, not a number"),
        (FRACTIONS, "[0.8, 0.2]", "an array of 3 times a number"),
        (FRACTIONS, "[1.2, -0.4, 0.2]", "add up"),
        ('"square-area-v1"', '"square-v9"', "no preprocessing 'square-v9'"),
        ('"efficientnet-lite0"', '"resnet"', "no architecture 'resnet'"),
        (VERSION, 'version = "newer"', "version is 'newer'"),
        ("flip = 0.5 ", "flip = 5 ", "augment: flip is 5"),
        ("quality = 60 ", "quality = 600 ", "settle.guise: quality is 600"),
        ("[settle.guise]", "[settle.guises]", "the key guise is missing"),
        ("weight = 1.0", "weight = -1.0", "pathology: weight is -1.0"),
        ("\nvalue = 0.", "\nvalue = 90.", "operating_point: value is 90"),
        ("specificity_floor = 0.", "specificity_floor = 90.", "specificity_floor is 90"),
        ("normal_specificity = 0.", "normal_specificity = 90.", "normal_specificity is 90"),
        ("fewest = 8", "fewest = 0", "operating_point: fewest is 0"),
        ("fewest_patients = 20", "fewest_patients = 0", "fewest_patients is 0"),
        ("bar = 0.6", "bar = 1.0", "operating_point: bar is 1.0"),
        (
            'rank = "experimental"',
            'rank = "hopeful"',
            "no rank 'hopeful': there are validated, exp",
        ),
        ("prevalence = 0.", "prevalence = 1.", "label pneumonia_bacterial: prevalence is 1"),
        ("\nspecificity = 0.", "\nspecificity = 8.", "label other_abnormal: specificity is 8"),
        ('covid19 = ["covid19"]', 'covid19 = "covid19"', "covid19 is 'covid19', not an array"),
        (PATHOLOGY, f'{PATHOLOGY}\nsources = "nih14"', "sources is 'nih14', not an array"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(tmp_path, old, new, reason):
    """A missing, unknown or impossible value is named when the recipe is read, not hours later."""
    with pytest.raises(InvalidRecipe, match=rf"(?s)changed\.toml: .*{reason}"):
        read_recipe(changed(tmp_path, old, new))


def test_a_file_that_is_no_toml_is_named_with_its_line(tmp_path):
    """As an editor counts lines."""
    path = changed(tmp_path, VERSION, VERSION[:-1])
    line = path.read_text(encoding="utf-8").splitlines().index(VERSION[:-1]) + 1
    for read in (read_recipe, is_segmentation):
        with pytest.raises(InvalidRecipe, match=rf"changed\.toml: .*line {line},"):
            read(path)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[loss]\n", "[losses]\n", "the key loss is missing"),
        ("epochs = 10", "epochs = 0", "fit: epochs is 0"),
        ('"square-area-v1"', '"square-v9"', "no preprocessing"),
        ('version = "0.3.0"', 'version = "2"', "version is '2'"),
        ("dice = 1.0", "dice = -1.0", "loss: dice is -1.0"),
        ("widths = [12,", "widths = [0,", "widths"),
        ("size = 224 ", "size = 225 ", "multiple"),
    ],
)
def test_a_recipe_of_masks_is_held_to_the_same(tmp_path, old, new, reason):
    """What both kinds of recipe have is checked once, for both."""
    with pytest.raises(InvalidRecipe, match=rf"changed\.toml: .*{reason}"):
        read_segmentation_recipe(changed(tmp_path, old, new, RECIPES / "lungs.toml"))


def test_comparisons_do_not_change_what_counts_as_the_same_training():
    """Questions, points and ranks may change while a run is under way; its epochs may not."""
    recipe = SHIPPED
    unasked = tuple(
        replace(
            panel,
            comparisons=(),
            caution="",
            operating_point=replace(panel.operating_point, value=0.5),
            labels=tuple(replace(label, rank="not_shown") for label in panel.labels),
        )
        for panel in recipe.panels
    )
    assert replace(recipe, panels=unasked).training == recipe.training
    heavier = (replace(recipe.panels[0], weight=2.0), *recipe.panels[1:])
    assert replace(recipe, panels=heavier).training != recipe.training
    assert recipe.with_epochs(1).training != recipe.training
