"""Boxes from activation maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hilum.imaging.localisation import boxes_from_heatmap


def cam(*peaks: tuple[int, int, float]):
    """float32 [14, 14] of -1 with single cells raised: (row, column, value)."""
    values = np.full((14, 14), -1.0, dtype=np.float32)
    for row, column, value in peaks:
        values[row, column] = value
    return values


def test_a_box_lies_about_the_peak_in_film_pixels():
    """A peak at a cell of the map is boxed at that place of the film, each axis at its scale."""
    (box,) = boxes_from_heatmap(cam((3, 10, 8.0)), None, 1400, 700)
    assert box.x + box.width / 2 == pytest.approx(525, abs=10)
    assert box.y + box.height / 2 == pytest.approx(350, abs=20)
    assert 25 < box.width < 100
    assert 50 < box.height < 200
    assert 5 < box.score <= 8


def test_boxes_come_strongest_first_and_no_more_than_asked():
    """Three places, two wanted: the weaker one is left out."""
    heatmap = cam((2, 2, 8.0), (2, 11, 7.0), (11, 6, 6.0))
    boxes = boxes_from_heatmap(heatmap, None, 224, 224, count=2)
    assert len(boxes) == 2
    assert boxes[0].score > boxes[1].score
    assert boxes[0].x < 60
    assert boxes[1].x > 150


def test_what_lies_outside_the_lungs_is_left_out():
    """The strongest place is a marker in the corner: with the lung mask it is not boxed."""
    heatmap = cam((0, 0, 20.0), (7, 9, 5.0))
    lungs = np.zeros((224, 224), dtype=np.uint8)
    lungs[60:180, 120:200] = 255
    (box,) = boxes_from_heatmap(heatmap, lungs, 224, 224)
    assert box.x > 110
    assert box.y > 50
    (corner,) = boxes_from_heatmap(heatmap, None, 224, 224)
    assert (corner.x, corner.y) == (0, 0)


def test_a_mask_without_lung_restricts_nothing():
    """A segmentation that failed must not hide what the map says."""
    heatmap = cam((7, 9, 5.0))
    empty = np.zeros((224, 224), dtype=np.uint8)
    assert boxes_from_heatmap(heatmap, empty, 9, 9) == boxes_from_heatmap(heatmap, None, 9, 9)


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan])
def test_no_evidence_no_box(value):
    """A map that speaks against the label, or says nothing, gives no box."""
    assert boxes_from_heatmap(np.full((7, 7), value, dtype=np.float32), None, 100, 100) == ()


def test_a_lower_threshold_gives_a_larger_box():
    """The threshold is a share of the peak."""
    rows, columns = np.mgrid[0:14, 0:14]
    hill = (10 - np.hypot(rows - 7, columns - 7)).astype(np.float32)
    (narrow,) = boxes_from_heatmap(hill, None, 224, 224, threshold=0.8)
    (wide,) = boxes_from_heatmap(hill, None, 224, 224, threshold=0.4)
    assert wide.width > 2 * narrow.width


@given(
    arrays(np.float32, (5, 7), elements=st.floats(-50, 50, width=32)),
    st.integers(64, 4000),
    st.integers(64, 4000),
)
def test_boxes_lie_on_the_film(heatmap, rows, columns):
    """Whatever the map, a box has an area and stays within the film."""
    for box in boxes_from_heatmap(heatmap, None, rows, columns):
        assert box.x >= 0
        assert box.y >= 0
        assert box.width > 0
        assert box.height > 0
        assert box.x + box.width <= columns + 0.02
        assert box.y + box.height <= rows + 0.02
        assert box.score > 0


@pytest.mark.parametrize("threshold", [0.0, -0.5, 1.5, float("nan")])
def test_a_threshold_that_is_no_share_is_refused(threshold):
    """It is a share of the peak, above 0 and at most 1."""
    with pytest.raises(ValueError, match="threshold"):
        boxes_from_heatmap(cam((1, 1, 1.0)), None, 10, 10, threshold=threshold)
