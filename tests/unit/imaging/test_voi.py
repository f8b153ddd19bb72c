"""VOI windows and look-up tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.imaging.voi import LookupTable, VoiFunction, Window, apply_table, apply_window

functions = st.sampled_from(list(VoiFunction))
centres = st.floats(-40_000, 40_000)
widths = st.floats(1, 80_000)


def test_the_worked_examples_of_the_standard():
    """PS3.3 C.11.2.1.2.1: c=2048 w=4096 is 0..4095, w=1 a threshold, c=0 w=100 is -50..49."""
    x = np.array([0.0, 4095.0])
    assert apply_window(x, Window(2048, 4096)).tolist() == [0.0, 1.0]
    assert apply_window(np.array([2047.0, 2048.0]), Window(2048, 1)).tolist() == [0.0, 1.0]
    edges = apply_window(np.array([-50.0, -49.0, 48.0, 49.0]), Window(0, 100))
    assert edges[0] == 0
    assert 0 < edges[1] < edges[2] < 1
    assert edges[3] == 1


def test_linear_exact_reaches_its_ends_half_a_width_away():
    """PS3.3 C.11.2.1.3.2: c +- w/2 are black and white, c is the middle."""
    x = np.array([50.0, 100.0, 150.0])
    window = Window(100, 100, VoiFunction.LINEAR_EXACT)
    assert apply_window(x, window).tolist() == [0.0, 0.5, 1.0]


def test_sigmoid_far_from_its_centre():
    """The sigmoid saturates without overflowing."""
    window = Window(0, 1, VoiFunction.SIGMOID)
    assert apply_window(np.array([-1e6, 0.0, 1e6]), window).tolist() == [0.0, 0.5, 1.0]


@given(functions, centres, widths, st.lists(st.floats(-70_000, 70_000), min_size=2, max_size=50))
def test_windows_never_reverse_the_order_of_values(function, centre, width, values):
    """A brighter value never becomes a darker one, and all stay within 0 to 1."""
    out = apply_window(np.sort(np.array(values)), Window(centre, width, function))
    assert (np.diff(out) >= 0).all()
    assert 0 <= out.min() <= out.max() <= 1


@pytest.mark.parametrize(
    ("window", "usable"),
    [
        (Window(0, 1), True),
        (Window(0, 0.99), False),
        (Window(0, 0), False),
        (Window(0, 0.5, VoiFunction.LINEAR_EXACT), True),
        (Window(0, 0, VoiFunction.LINEAR_EXACT), False),
        (Window(0, -1, VoiFunction.SIGMOID), False),
        (Window(float("nan"), 10), False),
        (Window(0, float("inf")), False),
    ],
)
def test_widths_that_the_standard_allows(window, usable):
    """LINEAR needs a width of 1 at least, the others one above 0; all need real numbers."""
    assert window.usable is usable


def test_a_table_clamps_and_scales():
    """Inputs outside take the ends; an entry is a share of the largest output of its bits."""
    table = LookupTable(10, np.array([0, 100, 1023], dtype=np.uint16), bits=10)
    out = apply_table(np.array([-5.0, 10.0, 11.4, 12.0, 99.0]), table)
    assert out.tolist() == [0.0, 0.0, 100 / 1023, 1.0, 1.0]


def test_entries_beyond_their_bits_are_white():
    """An entry over the range that its bits give is clipped, not wrapped."""
    table = LookupTable(0, np.array([5000], dtype=np.uint16), bits=8)
    assert apply_table(np.array([0.0]), table).tolist() == [1.0]
