"""Images that their display settings show as one grey."""

from __future__ import annotations

import numpy as np
import pytest

from hilum.domain.errors import BlankRendering
from hilum.imaging.blank import refuse_blank
from hilum.imaging.grey import GreyTransform, StoredBits, render
from hilum.imaging.voi import LookupTable, Window
from tests.unit.imaging.pictures import waves

BITS = StoredBits(allocated=16, stored=12)
STORED = waves(300, 400).astype(np.uint16) * 16


def refused(transform, stored=STORED):
    with pytest.raises(BlankRendering) as told:
        refuse_blank(render(stored, transform), stored, transform)
    return told.value.detail


def test_a_picture_with_shades_is_not_blank():
    """A film that shows something passes, also where most of it is black."""
    for window in (Window(2048, 4096), Window(4000, 50)):
        transform = GreyTransform(BITS, window=window)
        refuse_blank(render(STORED, transform), STORED, transform)


def test_each_cause_is_named():
    """The window, the table, the padding or the stored values are told."""
    window = Window(60_000, 100)
    table = LookupTable(9000, np.array([1, 4095], dtype=np.uint16), 12)
    assert "centre 60000, width 100" in refused(GreyTransform(BITS, window=window))
    assert "look-up table" in refused(GreyTransform(BITS, voi_table=table))
    assert "padding" in refused(GreyTransform(BITS, padding=(0, 4095)))
    assert "same stored value" in refused(GreyTransform(BITS), np.full((64, 64), 7, np.uint16))


def test_two_greys_in_a_row_are_no_picture():
    """A window so wide that two neighbouring greys are left shows nothing."""
    assert "centre 2048" in refused(GreyTransform(BITS, window=Window(2048, 1e7)))


def test_a_few_pixels_do_not_make_a_picture():
    """A mark of less than 0.5 % on a blank film leaves it blank."""
    marked = np.full((300, 400), 50, np.uint16)
    marked[:10, :10] = 4000
    transform = GreyTransform(BITS, window=Window(3000, 100))
    assert "window" in refused(transform, marked)
