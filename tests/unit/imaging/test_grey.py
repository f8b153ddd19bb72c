"""The grey scale pipeline on arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilum.imaging.grey import (
    GreyTransform,
    StoredBits,
    display_table,
    percentile_range,
    render,
    stored_values,
)
from hilum.imaging.voi import LookupTable, VoiFunction, Window

TWELVE = StoredBits(allocated=16, stored=12)


@pytest.mark.parametrize(
    ("bits", "pattern", "value"),
    [
        (StoredBits(16, 12), 0x0FFF, 4095),
        (StoredBits(16, 12), 0xF123, 0x123),
        (StoredBits(16, 12, shift=4), 0x123F, 0x123),
        (StoredBits(16, 12, signed=True), 0x0FFF, -1),
        (StoredBits(16, 12, signed=True), 0xF7FF, 2047),
        (StoredBits(16, 16, signed=True), 0x8000, -32768),
        (StoredBits(8, 8, signed=True), 0x80, -128),
        (StoredBits(8, 6), 0xC1, 1),
    ],
)
def test_patterns_and_the_numbers_they_stand_for(bits, pattern, value):
    """Unused bits are ignored, shifts undone, two's complement taken in the stored bits."""
    assert stored_values(bits)[pattern] == value


def naive(pixels, transform):
    """The same pipeline, pixel by pixel in float64, without tables."""
    values = pixels.astype(np.float64) * transform.slope + transform.intercept
    window = transform.window
    if window.function is VoiFunction.LINEAR:
        unit = (values - (window.centre - 0.5)) / (window.width - 1) + 0.5
    else:
        unit = (values - window.centre) / window.width + 0.5
    unit = np.clip(unit, 0, 1)
    shown = (1 - unit if transform.inverted else unit) * 255
    if transform.padding is not None:
        low, high = transform.padding
        shown[(pixels >= low) & (pixels <= high)] = 0
    return shown


linear_windows = st.builds(
    Window,
    st.floats(-5000, 5000),
    st.floats(2, 9000),
    st.sampled_from([VoiFunction.LINEAR, VoiFunction.LINEAR_EXACT]),
)
transforms = st.builds(
    GreyTransform,
    st.just(StoredBits(16, 12, signed=True)),
    st.sampled_from([1.0, 0.5, -2.0, 3.7]),
    st.floats(-2000, 2000),
    window=linear_windows,
    padding=st.sampled_from([None, (0, 0), (-100, 50), (1000, 1400)]),
    inverted=st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), transforms)
def test_the_table_gives_what_arithmetic_on_each_pixel_gives(seed, transform):
    """One look-up per pixel equals the formulas, to half a grey step."""
    pixels = np.random.default_rng(seed).integers(-2048, 2048, (9, 11)).astype(np.int16)
    difference = render(pixels, transform) - naive(pixels, transform)
    assert np.abs(difference).max() <= 0.5 + 1e-5


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), low=st.integers(0, 2000), span=st.integers(1, 2000))
def test_a_negative_labelled_so_is_the_same_film(seed, low, span):
    """Inverted values with inverted polarity give the very same pixels, without any window."""
    pixels = np.random.default_rng(seed).integers(low, low + span, (40, 40)).astype(np.uint16)
    plain = render(pixels, GreyTransform(TWELVE))
    twin = render((4095 - pixels).astype(np.uint16), GreyTransform(TWELVE, inverted=True))
    assert np.array_equal(plain, twin)


def test_eight_bits_pass_through_untouched():
    """8-bit pixels without VOI are the film, not even copied."""
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    shown = render(pixels, GreyTransform(StoredBits(8, 8)))
    assert np.array_equal(shown, pixels)
    assert np.shares_memory(shown, pixels)


def test_shallow_pixels_fill_the_range():
    """6 stored bits without VOI: 63 is white."""
    pixels = np.array([[0, 21, 63]], dtype=np.uint8)
    assert render(pixels, GreyTransform(StoredBits(8, 6))).tolist() == [[0, 85, 255]]


def test_a_bright_marker_does_not_darken_the_film():
    """The fallback window leaves a few extreme pixels out."""
    pixels = np.random.default_rng(3).integers(1000, 1200, (200, 200)).astype(np.uint16)
    marked = pixels.copy()
    marked[:10, :10] = 4095
    plain, shown = (render(p, GreyTransform(TWELVE)) for p in (pixels, marked))
    assert np.abs(shown[10:, 10:].astype(int) - plain[10:, 10:]).max() <= 2
    assert (shown[:10, :10] == 255).all()


def test_a_film_of_one_value_and_a_film_of_padding_alone():
    """One value is middle grey under either polarity, padding is black, and nothing fails."""
    flat = np.full((4, 4), 700, dtype=np.uint16)
    for inverted in (False, True):
        assert (render(flat, GreyTransform(TWELVE, inverted=inverted)) == 128).all()
    assert not render(flat, GreyTransform(TWELVE, padding=(700, 700))).any()


def test_a_modality_table_feeds_the_window():
    """The window sees what the Modality LUT gives out."""
    table = LookupTable(0, np.arange(4096, dtype=np.uint16)[::-1], bits=12)
    transform = GreyTransform(
        TWELVE, modality_table=table, window=Window(2047.5, 4095, VoiFunction.LINEAR_EXACT)
    )
    shown = display_table(transform, np.zeros((1, 1), dtype=np.uint16))
    assert (shown[0], shown[4095]) == (255, 0)


def test_percentiles_are_mirrored():
    """The range of negated values is the negated range, repeats and order aside."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 50, 300).astype(float)
    counts = rng.integers(0, 9, 300)
    low, high = percentile_range(values, counts, tail=0.1)
    assert percentile_range(-values, counts, tail=0.1) == (-high, -low)
    assert values.min() < low < high < values.max()


def test_nothing_counted_has_no_range():
    """No pixels, no percentiles."""
    assert percentile_range(np.arange(4.0), np.zeros(4, dtype=int)) == (0.0, 0.0)
