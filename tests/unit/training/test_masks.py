"""The pack's masks: what each teaches, and how agreement with them is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.segmentation.masks import annotator, list_outlines, read_masks, split_sides
from hilum_training.segmentation.measure import (
    Agreement,
    between_annotators,
    border_distances,
    dice_coefficient,
    enlarge,
    kept_by_grid,
    summarise,
)
from hilum_training.segmentation.ratios import RatioPair, summarise_ratios
from hilum_training.segmentation.recipe import (
    STRUCTURES,
    is_segmentation,
    read_segmentation_recipe,
)
from tests.unit.training.mask_folders import Chest, MaskFolder

RECIPES = Path(__file__).resolve().parents[3] / "training/recipes"


@pytest.fixture
def pack(tmp_path):
    """Four films of each convention, each with masks of its own kind."""
    folder = MaskFolder(tmp_path / "pack")
    for patient in range(4):
        folder.add(f"m{patient}", Chest(patient), "fields", source="montgomery")
        folder.add(f"k{patient}", Chest(100 + patient), "whole", source="kermany_native")
        folder.add(f"c{patient}", Chest(200 + patient), "regions", "whole", source="cohen")
    return folder.close()


def test_each_convention_teaches_its_own_structures(pack):
    """Masks without the heart never stand for lungs with it, nor the other way round."""
    outlines = list_outlines(pack)
    chest = Chest(3).structures
    fields = read_masks(pack, outlines["images/m3.png"])
    assert sorted(fields) == ["left_lung", "right_lung"]
    assert all(np.array_equal(fields[name], chest[name]) for name in fields)
    whole = read_masks(pack, outlines["images/k3.png"])
    assert list(whole) == ["lungs_with_heart"]
    assert np.array_equal(whole["lungs_with_heart"], Chest(103).structures["lungs_with_heart"])


def test_regions_give_lung_fields_as_lung_less_heart(pack):
    """Drawn with the part behind the heart, lungs become fields by taking the heart off."""
    outlines = list_outlines(pack)["images/c3.png"]
    found, chest = read_masks(pack, outlines), Chest(203).structures
    assert sorted(found) == sorted(STRUCTURES)
    for name in ("right_lung", "left_lung", "heart"):
        assert np.array_equal(found[name], chest[name]), name
    assert annotator(outlines, "heart") == "reader of regions"
    assert "INCLUDING" in annotator(outlines, "lungs_with_heart")


def test_the_right_lung_is_on_the_left_of_the_picture():
    """Sides are the patient's; specks do not count as lungs."""
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:15, 2:12] = mask[5:14, 18:28] = mask[0, 0] = True
    sides = split_sides(mask)
    assert np.argwhere(sides["right_lung"])[:, 1].max() == 11
    assert np.argwhere(sides["left_lung"])[:, 1].min() == 18
    assert split_sides(mask & (np.arange(30) < 15)) == {}


def test_dice_and_border_distance_of_shifted_squares():
    """Two squares of side 10, one moved by 3: half known by heart."""
    one, other = np.zeros((2, 40, 40), dtype=bool)
    one[10:20, 10:20] = True
    other[10:20, 13:23] = True
    assert dice_coefficient(one, other) == pytest.approx(0.7)
    assert border_distances(one, other) == (pytest.approx(3.0), pytest.approx(3.0))
    assert border_distances(one, one) == (0.0, 0.0)
    assert all(np.isnan(border_distances(one, np.zeros_like(one))))
    assert dice_coefficient(np.zeros_like(one), np.zeros_like(one)) == 1.0


def test_a_served_mask_is_enlarged_onto_the_film():
    """Each axis is scaled by its own factor, and half a probability is the border."""
    mask = np.zeros((4, 4), dtype=np.uint8)
    mask[:, :2] = 255
    grown = enlarge(mask, (40, 80))
    assert grown.shape == (40, 80)
    assert grown[:, :40].mean() > 0.97
    assert grown[:, 41:].mean() < 0.03


def test_agreement_is_summarised_by_source_annotator_and_structure():
    """Conventions and sources are never pooled."""

    def row(source, dice, within=float("nan")):
        return Agreement(
            f"{source}{dice}", source, "x", "lung_fields", source, dice, 4.0, 2.0, 200, within
        )

    rows = summarise([row("a", 0.9), row("a", 0.8), row("b", 1.0, 0.75)])
    assert [item["source"] for item in rows] == ["a", "b"]
    assert rows[0]["dice"]["value"] == pytest.approx(0.85)
    assert rows[0]["dice_below_0.9"] == 1
    assert rows[0]["lung_fields_within"]["value"] is None
    assert rows[0]["hausdorff_95_percent_of_width"]["value"] == pytest.approx(1.0)
    assert rows[1]["lung_fields_within"]["value"] == 0.75


def test_two_annotators_of_one_film_are_compared(pack):
    """Only films that both drew count, and the drawn chests of both are the same."""
    outlines = list(list_outlines(pack).values())
    agreed = between_annotators(pack, outlines)
    assert agreed["films"] == 4
    assert agreed["dice_mean"] == pytest.approx(1.0)
    assert agreed["hausdorff_95_pixels"] == 0
    assert between_annotators(pack, [item for item in outlines if not item.whole]) is None


def test_what_a_grid_keeps_of_masks_falls_with_its_cells(pack):
    """On a grid as fine as the drawing nothing is lost; on a coarse one borders are."""
    outlines = list(list_outlines(pack).values())
    fine, coarse = (kept_by_grid(pack, outlines, side) for side in (256, 8))
    assert fine["masks"] == coarse["masks"] > len(outlines)
    assert fine["dice_lowest"] > 0.99
    assert coarse["dice_mean"] < fine["dice_mean"] - 0.02
    assert kept_by_grid(pack, [], 8) is None


def test_ratios_are_compared_where_both_were_measured():
    """Bias and mean difference over pairs; what could not be measured is counted."""
    pairs = [
        RatioPair("a", 0.50, "heart_mask", 0.52, "heart_mask", ""),
        RatioPair("a", 0.40, "heart_mask", 0.38, "heart_mask", ""),
        RatioPair("a", 0.45, "heart_mask", None, "", "left lung: absent"),
    ]
    (row,) = summarise_ratios(pairs)
    assert (row["films"], row["measured_on_both"], row["not_measured"]) == (3, 2, 1)
    assert row["mean_absolute_difference"] == pytest.approx(0.02)
    assert row["bias"] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "structures"', 'kind = "single_label"', "kind"),
        ("widths =", "width =", "width"),
        ("fractions = [0.65, 0.15, 0.2]", "fractions = [0.65, 0.15, 0.1]", "fractions"),
        ('name = "heart"', 'name = "hart"', "label"),
        ("size = 224", "size = 220", "size"),
        ("dice = 1.0", "dise = 1.0", "dise"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(tmp_path, old, new, message):
    """Unknown keys, wrong sums and wrong names are found before training."""
    text = (RECIPES / "lungs.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "lungs.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InvalidRecipe, match=message):
        read_segmentation_recipe(path)


def test_segmentation_recipes_are_told_from_others():
    """The command line asks before it reads."""
    assert is_segmentation(RECIPES / "lungs.toml")
    assert not is_segmentation(RECIPES / "chest.toml")
