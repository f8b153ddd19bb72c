"""Functional groups of an enhanced object of one frame (PS3.3 C.7.6.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from hilum.adapters.dicom.image_pixel import element

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUPS: Final = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")


def with_group(dataset: Dataset, macro: str) -> Iterator[Dataset]:
    """Find the data sets that may hold an attribute of the one frame.

    Args:
        dataset: The data set of the object.
        macro: Keyword of the sequence that a functional group has for such attributes.

    Yields:
        The data set, then the item of the frame, then the item that frames share.
    """
    yield dataset
    for keyword in _GROUPS:
        group = _first_item(dataset, keyword)
        item = None if group is None else _first_item(group, macro)
        if item is not None:
            yield item


def _first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    items = element(dataset, keyword)
    first = items[0] if isinstance(items, Sequence) and items else None
    return first if isinstance(first, Dataset) else None
