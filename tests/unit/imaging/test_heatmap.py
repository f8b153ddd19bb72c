"""Class activation maps on their way to the screen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.imaging.heatmap import COLOURS, colourise, dequantise, layer, overlay, quantise
from tests.unit.imaging.pictures import waves


def spot(rows=7, columns=7, peak=(2, 5)):
    cam = np.full((rows, columns), -1.0, dtype=np.float32)
    cam[peak] = 4.0
    return cam


@given(
    st.lists(st.floats(-100, 100, width=32), min_size=4, max_size=4),
)
def test_quantising_keeps_positive_activations_to_half_a_step(values):
    """Packed and unpacked, an activation is off by half a step at most; negative ones are 0."""
    cam = np.array(values, dtype=np.float32).reshape(2, 2)
    packed, scale = quantise(cam)
    assert packed.dtype == np.uint8
    error = np.abs(dequantise(packed, scale) - cam.clip(min=0))
    assert error.max() <= scale * 0.5001 + 1e-6


def test_the_peak_takes_the_whole_range():
    """The strongest cell is 255, the rest in proportion, evidence against is 0."""
    packed, scale = quantise(np.array([[2.0, 1.0], [0.0, -3.0]], dtype=np.float32))
    assert packed.tolist() == [[255, 128], [0, 0]]
    assert scale == pytest.approx(2 / 255)


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan])
def test_no_evidence_is_an_empty_map(value):
    """Nothing positive: zeros, and a scale of 0."""
    packed, scale = quantise(np.full((3, 3), value, dtype=np.float32))
    assert not packed.any()
    assert scale == 0.0


def test_the_colour_table_rises_in_brightness():
    """Each colour is brighter than the one before, or as bright: order survives grey print."""
    luma = COLOURS @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(luma) > -0.6).all()
    assert luma[-1] - luma[0] > 100
    assert len(np.unique(COLOURS, axis=0)) > 200


def test_a_map_is_enlarged_smoothly_and_in_place():
    """The peak of the enlarged map lies over the peak cell's middle; no grid shows."""
    packed, _ = quantise(spot())
    alpha = layer(packed, 700, 700, opacity=1.0)[..., 3].astype(int)
    row, column = np.unravel_index(alpha.argmax(), alpha.shape)
    assert abs(row - 250) <= 50
    assert abs(column - 550) <= 50
    assert np.abs(np.diff(alpha, axis=1)).max() < 12


def test_without_activation_the_film_shows_through():
    """Where the map is 0 the overlay is exactly the film, and with no opacity everywhere."""
    film = waves(140, 140)
    packed, _ = quantise(spot())
    shown = overlay(film, packed)
    assert shown.shape == (140, 140, 3)
    assert np.array_equal(shown[100:, :60], np.stack([film[100:, :60]] * 3, axis=-1))
    clear = overlay(film, packed, opacity=0.0)
    assert np.array_equal(clear, np.stack([film] * 3, axis=-1))


def test_at_the_peak_the_colour_is_mixed_by_opacity():
    """At the peak the overlay is film and colour in the asked proportion."""
    film = np.full((70, 70), 100, dtype=np.uint8)
    shown = overlay(film, np.full((7, 7), 255, dtype=np.uint8), opacity=0.5)
    expected = 0.5 * 100 + 0.5 * COLOURS[255].astype(float)
    assert np.abs(shown[35, 35] - expected).max() <= 1.5


def test_colourise_gives_the_table_s_colours():
    """A constant map is one colour of the table."""
    shown = colourise(np.full((3, 3), 77, dtype=np.uint8), 20, 30)
    assert shown.shape == (20, 30, 3)
    assert (shown == COLOURS[77]).all()


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_an_opacity_outside_its_range_is_refused(opacity):
    """Opacity is 0 to 1."""
    with pytest.raises(ValueError, match="opacity"):
        overlay(waves(), np.zeros((2, 2), dtype=np.uint8), opacity)
