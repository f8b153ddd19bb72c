"""Sentences of the details page, from reports that the test writes."""

from __future__ import annotations

import pytest

from hilum_training.evaluation.summary_sentences import (
    bounds_of_lungs,
    calibration_of_tuberculosis,
    lungs_sentence,
    maps_sentence,
    more_of_shenzhen,
    other_adults,
    where_maps_point,
)
from hilum_training.export.figure_text import NOTHING


def figure(value, low, high):
    return {"value": value, "interval": [low, high]}


def run(films, auroc, epochs=9, pixels=224):
    return {
        "learnt_from": {"shenzhen: normal": films},
        "epochs": epochs,
        "pixels": pixels,
        "within_source": [
            {"source": "shenzhen", "auroc": figure(0.95, 0.9, 0.99)},
            {"source": "montgomery", "auroc": auroc},
        ],
    }


def shenzhen(quarter, half, whole):
    figures = {"-25-percent": (100, quarter), "-50-percent": (200, half), "": (400, whole)}
    return {
        f"shifts/tb-learnt-in-shenzhen{share}": run(films, auroc)
        for share, (films, auroc) in figures.items()
    }


def test_a_rise_within_the_intervals_is_called_chance():
    """Overlapping intervals of fewest and all images are said to be within chance."""
    reports = shenzhen(
        figure(0.763, 0.676, 0.843), figure(0.805, 0.72, 0.88), figure(0.816, 0.737, 0.885)
    )
    text = more_of_shenzhen(reports)
    assert "on 100, 200 and 400 images" in text
    assert "+0.011" in text
    assert "the intervals overlap, so that the difference is within chance" in text


def test_intervals_apart_are_called_apart():
    """A rise beyond the intervals is no chance, and a missing run leaves no sentence."""
    reports = shenzhen(figure(0.6, 0.55, 0.65), figure(0.7, 0.66, 0.75), figure(0.8, 0.76, 0.85))
    assert "the intervals of the fewest and of all lie apart" in more_of_shenzhen(reports)
    del reports["shifts/tb-learnt-in-shenzhen-50-percent"]
    assert more_of_shenzhen(reports) == NOTHING


def test_a_run_beside_other_adults_is_named_with_all_that_sets_it_apart():
    """Pixels, images and epochs differ too, and the sentence says so."""
    alone = figure(0.816, 0.737, 0.885)
    reports = shenzhen(alone, alone, alone)
    assert other_adults(reports) == NOTHING
    reports["shifts/tb-without-montgomery"] = run(2000, figure(0.722, 0.625, 0.808), 5, 112)
    text = other_adults(reports)
    assert "0.722 (0.625 to 0.808), compared with 0.816 (0.737 to 0.885)" in text
    assert "112 pixels a side instead of 224, 2000 training images instead of 400" in text
    assert "5 epochs instead of 9" in text


def test_the_calibration_of_tuberculosis_says_on_how_few_images_it_rests():
    """Before and after, and its validation images beside those of the other panels."""
    section = {
        "calibration_error": {"before": 0.05, "after": figure(0.036, 0.02, 0.06)},
        "films": {"validation": 300, "test": 611},
        "labels": {"tuberculosis": {"test_films": 70, "validation": {"films": 37}}},
    }
    text = calibration_of_tuberculosis(
        {"tuberculosis": section, "pneumonia": {"films": {"validation": 695}}}
    )
    assert "from 0.05 to 0.036 (0.02 to 0.06)" in text
    assert "300 validation images, 37 of them of tuberculosis (pneumonia has 695)" in text
    assert calibration_of_tuberculosis({}) == NOTHING


def pointing(source, value, low, high, chance):
    return {
        "panel": "pneumonia",
        "source": source,
        "films_from": "test",
        "searched": "within lungs",
        "pointing_game": figure(value, low, high),
        "pointing_game_by_chance": chance,
    }


@pytest.mark.parametrize(
    ("row", "below", "above"),
    [
        (pointing("cohen", 0.2, 0.1, 0.3, 0.48), "in 1 of 2 rows", "in none of 2 rows"),
        (pointing("cohen", 0.6, 0.5, 0.7, 0.48), "in none of 2 rows", "in 1 of 2 rows"),
        (pointing("cohen", 0.5, 0.4, 0.6, 0.48), "in none of 2 rows", "in none of 2 rows"),
    ],
)
def test_maps_that_point_worse_than_chance_are_named(row, below, above):
    """So are those that point better; an interval across chance is neither."""
    text = where_maps_point([row, pointing("nih14", 0.3, 0.1, 0.5, 0.2)])
    assert f"**below chance** {below}" in text
    assert f"**above chance** {above}" in text
    named = "pneumonia, cohen, within lungs, test" in text
    assert named is ("1 of 2" in text)


def test_maps_that_were_not_measured_point_nowhere():
    """Without boxes there is nothing to say."""
    assert where_maps_point([]) == NOTHING


def dice(source, structure, value, films=9):
    return {"source": source, "structure": structure, "films": films, "dice": figure(value, 0, 1)}


def test_what_bounds_the_lungs_is_said_from_images_grid_and_annotators():
    """The change from the fewest films to all, by source; of the annotators who drew most."""
    few = [dice("kermany", "lungs_with_heart", 0.951), dice("shenzhen", "lung_fields", 0.951)]
    all_of_them = [
        dice("kermany", "lungs_with_heart", 0.952),
        dice("kermany", "lungs_with_heart", 0.5, films=2),
        dice("shenzhen", "lung_fields", 0.949),
    ]
    reports = {
        "lungs/shares/25-percent": {"training_films": 388, "structures": few},
        "lungs/shares/50-percent": {"training_films": 777, "structures": all_of_them},
        "lungs": {
            "structures": all_of_them,
            "grid": {"dice_mean": 0.997},
            "between_annotators": {"films": 15, "dice_mean": 0.944},
        },
    }
    text = bounds_of_lungs(reports)
    assert "From 388 training images" in text
    assert "-0.0020 (shenzhen) and +0.0010 (kermany)" in text
    assert "keeps 0.997 of a mask" in text
    assert "same 15 images, they agree with a Dice of 0.944" in text
    assert bounds_of_lungs({"lungs": reports["lungs"]}) == NOTHING


def test_maps_are_counted_by_side_and_panels_without_boxes_named():
    """One row of two below chance; three panels have no boxes."""
    rows = [pointing("cohen", 0.2, 0.1, 0.3, 0.48), pointing("nih14", 0.3, 0.1, 0.5, 0.2)]
    text = maps_sentence({"pneumonia": {"localisation": rows}})
    assert "below chance in 1 and above chance in 0 of 2 rows" in text
    assert "Not measured: `infection`, `tuberculosis` and `pathology`" in text
    assert maps_sentence({}) == NOTHING


def test_the_lungs_are_said_in_the_order_of_the_criteria():
    """Structures with many images come before those with few."""
    rows = [dice("montgomery", "lung_fields", 0.96), dice("shenzhen", "lung_fields", 0.95)]
    text = lungs_sentence({"lungs": {"structures": rows}})
    assert (
        text
        == "Dice: lung fields 0.95 (0 to 1) (shenzhen) and lung fields 0.96 (0 to 1) (montgomery)."
    )
    assert lungs_sentence({}) == NOTHING
