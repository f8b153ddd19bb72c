"""Outlines of maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hilum.imaging.contour import enclosed_area, outer_outline, simplify


def disc(radius, size=60, centre=(30.0, 26.0)):
    """A map that falls off linearly and is 0.5 at the radius, with the centre (x, y)."""
    rows, columns = np.mgrid[0:size, 0:size] + 0.5
    distance = np.hypot(columns - centre[0], rows - centre[1])
    return np.clip(0.5 + (radius - distance) / 4, 0, 1)


def test_the_outline_of_a_disc_lies_on_its_circle():
    """Every corner is within a tenth of a pixel of the circle that the map describes."""
    outline = outer_outline(disc(15.3), 0.5)
    distance = np.hypot(outline[:, 0] - 30.0, outline[:, 1] - 26.0)
    assert np.abs(distance - 15.3).max() < 0.1
    assert enclosed_area(outline) == pytest.approx(np.pi * 15.3**2, rel=0.005)


def test_a_block_at_the_border_of_the_map_is_outlined_along_it():
    """Pixels at the border are enclosed up to the border, not to their middles."""
    values = np.zeros((6, 8))
    values[0:3, 0:4] = 1.0
    outline = outer_outline(values, 0.5)
    assert outline.min(axis=0).tolist() == [0.0, 0.0]
    assert outline.max(axis=0).tolist() == [4.0, 3.0]


def test_a_hole_is_left_out_and_the_larger_piece_taken():
    """One polygon comes back: the way round the largest piece."""
    values = np.zeros((20, 20))
    values[2:12, 2:12] = 1.0
    values[5:8, 5:8] = 0.0
    values[15:18, 15:18] = 1.0
    outline = outer_outline(values, 0.5)
    assert enclosed_area(outline) == pytest.approx(100, abs=1)


@pytest.mark.parametrize("inside", [((0, 0), (1, 1)), ((0, 1), (1, 0))])
def test_pixels_that_touch_by_a_corner_are_apart(inside):
    """Two pixels with a common corner give the outline of one of them."""
    values = np.zeros((2, 2))
    for place in inside:
        values[place] = 1.0
    assert enclosed_area(outer_outline(values, 0.5)) == pytest.approx(0.5)


def test_nothing_above_the_level_has_no_outline():
    """An empty map gives no corner."""
    assert outer_outline(np.zeros((5, 5)), 0.5).shape == (0, 2)


@given(arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 8))))
def test_any_map_gives_an_outline_inside_its_borders(values):
    """Whatever the map, corners are finite and within it, and run clockwise on the screen."""
    outline = outer_outline(values.astype(np.float64), 127.5)
    assert bool(len(outline)) == bool((values >= 128).any())
    assert np.isfinite(outline).all()
    assert (outline >= 0).all()
    assert (outline <= values.shape[::-1]).all()


@given(st.integers(3, 40), st.floats(0.01, 3), st.integers(0, 10_000))
def test_simplified_corners_stay_within_the_tolerance(count, tolerance, seed):
    """Each dropped corner lies within the tolerance of a side that stays."""
    polygon = np.random.default_rng(seed).uniform(0, 20, (count, 2))
    kept = simplify(polygon, tolerance)
    assert 1 < len(kept) <= count
    following = np.roll(kept, -1, axis=0)
    for point in polygon:
        along = following - kept
        place = np.sum((point - kept) * along, axis=1) / np.maximum((along**2).sum(axis=1), 1e-12)
        nearest = kept + np.clip(place, 0, 1)[:, np.newaxis] * along
        assert np.hypot(*(point - nearest).T).min() <= tolerance + 1e-9


def test_a_straight_side_needs_two_corners():
    """A square with many corners on its sides comes down to its four."""
    side = np.arange(10.0)
    square = np.concatenate(
        [
            np.stack([side, 0 * side], axis=1),
            np.stack([0 * side + 10, side], axis=1),
            np.stack([10 - side, 0 * side + 10], axis=1),
            np.stack([0 * side, 10 - side], axis=1),
        ]
    )
    assert sorted(simplify(square, 0.1).tolist()) == [[0, 0], [0, 10], [10, 0], [10, 10]]
