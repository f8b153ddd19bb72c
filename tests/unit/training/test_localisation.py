"""Boxes from maps against readers' boxes."""

from __future__ import annotations

import numpy as np
import pytest

from hilum.imaging.localisation import Box
from hilum_training.evaluation.localisation import (
    compare_with_lung_mask,
    localise,
    overlap,
    read_boxes,
    summarise_localisation,
)


def cam(row, column, value=5.0):
    """float32 [14, 14] with one peak."""
    heatmap = np.full((14, 14), -1.0, dtype=np.float32)
    heatmap[row, column] = value
    return heatmap


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Box(0, 0, 10, 10, 1), 1.0),
        (Box(5, 0, 10, 10, 1), 1 / 3),
        (Box(10, 0, 10, 10, 1), 0.0),
        (Box(20, 20, 5, 5, 1), 0.0),
        (Box(0, 0, 5, 5, 1), 0.25),
    ],
)
def test_overlap_is_intersection_over_union(other, expected):
    """One for the same box, nothing for boxes that only touch."""
    assert overlap(Box(0, 0, 10, 10, 1), other) == pytest.approx(expected)
    assert overlap(other, Box(0, 0, 10, 10, 1)) == pytest.approx(expected)


def test_a_peak_inside_a_reader_s_box_is_a_hit():
    """The pointing game is won inside the box and lost outside, in film pixels on each axis."""
    truth = [Box(x=600, y=100, width=200, height=100, score=1)]
    inside = localise(cam(5, 9), None, truth, 400, 1000)
    outside = localise(cam(9, 5), None, truth, 400, 1000)
    assert inside.hit
    assert not outside.hit
    assert inside.best_overlaps[0] > 0.1
    assert outside.best_overlaps == (0.0,)


def test_chance_is_the_share_of_the_searched_area_inside_the_boxes():
    """A blind pointer hits a quarter box one time in four, and within half the film one in two."""
    truth = [Box(0, 0, 50, 50, 1)]
    upper = np.zeros((224, 224), dtype=np.uint8)
    upper[:112] = 255
    assert localise(cam(3, 3), None, truth, 100, 100).chance == pytest.approx(0.25, abs=0.01)
    assert localise(cam(3, 3), upper, truth, 100, 100).chance == pytest.approx(0.5, abs=0.03)


def test_nothing_that_speaks_for_the_label_is_a_miss():
    """An all-negative map points nowhere, even if its least bad place lies in the box."""
    found = localise(cam(3, 3, value=-0.5), None, [Box(0, 0, 100, 100, 1)], 100, 100)
    assert not found.hit
    assert found.best_overlaps == (0.0,)


def test_the_lung_mask_takes_the_pointer_off_the_marker():
    """The map's strongest place is in a corner: within the lungs its second one wins the game."""
    heatmap = np.maximum(cam(0, 0, 9.0), cam(7, 9, 4.0))
    lungs = np.zeros((224, 224), dtype=np.uint8)
    lungs[80:160, 120:190] = 255
    truth = [[Box(130, 100, 40, 40, 1)]]
    compared = compare_with_lung_mask([heatmap], [lungs], truth, [(224, 224)], ["one"])
    assert compared["whole_film"]["pointing_game"]["value"] == 0
    assert compared["within_lungs"]["pointing_game"]["value"] == 1
    assert compared["within_lungs"]["mean_best_overlap"]["value"] > 0.05


def test_the_summary_counts_boxes_and_films():
    """The game is counted by film, overlaps by reader's box, with intervals by patient."""
    truth = [Box(0, 0, 20, 20, 1), Box(80, 80, 20, 20, 1)]
    films = [
        localise(cam(1, 1), None, truth, 100, 100),
        localise(cam(7, 7), None, truth[:1], 100, 100),
    ]
    summary = summarise_localisation(films, ["a", "b"])
    assert (summary["films"], summary["boxes"]) == (2, 3)
    assert summary["pointing_game"] == {"value": 0.5, "interval": [0.0, 1.0]}
    assert summary["overlap_at_least_0.1"]["value"] == pytest.approx(1 / 3, abs=1e-4)
    assert summary["mean_best_overlap"]["value"] == pytest.approx(
        films[0].best_overlaps[0] / 3, abs=1e-4
    )
    assert summarise_localisation([], []) is None


def test_boxes_are_read_by_label_and_source(tmp_path):
    """Only the wanted labels of the wanted source, in pixels of the pack's film."""
    (tmp_path / "boxes.csv").write_text(
        "file,label,x,y,w,h,native_x,native_y,native_w,native_h,annotator,licence\n"
        "images/nih14/a.jpg,Pneumonia,10,20.5,30,40,0,0,0,0,x,y\n"
        "images/nih14/a.jpg,Pneumonia,1,2,3,4,0,0,0,0,x,y\n"
        "images/nih14/b.jpg,Mass,1,2,3,4,0,0,0,0,x,y\n"
        "images/cohen/c.jpg,Pneumonia,1,2,3,4,0,0,0,0,x,y\n",
        encoding="utf-8",
    )
    assert read_boxes(tmp_path, {"Pneumonia": "nih14"}) == {
        "images/nih14/a.jpg": (Box(10, 20.5, 30, 40, 1), Box(1, 2, 3, 4, 1))
    }
