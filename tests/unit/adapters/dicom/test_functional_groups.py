"""Windows and rescale values in the functional groups of an enhanced object of one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.recast import WINDOW, in_window

if TYPE_CHECKING:
    from hilum.adapters.dicom.film_reader import DicomFilmReader

PIXELS = films.scene(bits=12)
RESCALE = {"RescaleSlope": 2, "RescaleIntercept": -1000}
RESCALED = in_window(PIXELS.astype(float) * 2 - 1000)
SHARED, FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"


def item(**attributes: Any) -> Sequence:
    held = Dataset()
    held.update(attributes)
    return Sequence([held])


def group(window=WINDOW, rescale=RESCALE):
    """Functional groups of one frame."""
    return item(
        FrameVOILUTSequence=item(**window), PixelValueTransformationSequence=item(**rescale)
    )


def shown(reader: DicomFilmReader, **attributes: Any) -> np.ndarray:
    return reader.read(films.film(PIXELS, bits=12, NumberOfFrames=1, **attributes)).pixels


@pytest.mark.parametrize("groups", [SHARED, FRAME])
def test_window_and_rescale_of_a_functional_group(groups, reader):
    """They count where the object itself has none."""
    assert np.array_equal(shown(reader, **{groups: group()}), RESCALED)


def test_the_group_of_the_frame_counts_before_the_shared_one(reader):
    """An object may state an attribute in one of the two only, and the nearer one is meant."""
    other = group({"WindowCenter": 1, "WindowWidth": 2}, {"RescaleSlope": 9, "RescaleIntercept": 9})
    assert np.array_equal(shown(reader, **{SHARED: other, FRAME: group()}), RESCALED)


def test_what_the_object_says_itself_counts_first(reader):
    """A window and rescale values outside of the groups are applied as ever."""
    plain = {"RescaleSlope": 1, "RescaleIntercept": 0}
    found = shown(reader, **{SHARED: group()}, **WINDOW, **plain)
    assert np.array_equal(found, in_window(PIXELS))


@pytest.mark.parametrize(
    "groups", [Sequence(), item(), group({}, {})], ids=["none", "bare", "empty"]
)
def test_groups_that_say_nothing(groups, reader):
    """Groups without items or values leave the image as it is shown without them."""
    assert np.array_equal(shown(reader, **{SHARED: groups}), shown(reader))
