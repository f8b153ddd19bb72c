"""Sequences of a data set, parsed within the budget of the file.

pydicom parses a sequence of declared length when it is first asked for, out of reach of any
limit. Here it is parsed at once, so that its elements and items count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import read_sequence
from pydicom.valuerep import VR

from hilum.adapters.dicom.bounded_stream import BoundedStream
from hilum.domain.errors import NestedTooDeep
from hilum.imaging.budget import BUDGET

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

    from hilum.adapters.dicom.bounded_stream import ElementCount

_LATIN: Final = "iso8859"
_LONG_TAGS: Final = frozenset(
    {
        # Float, double float and integer pixel data, LUT Data.
        *(0x7FE00008, 0x7FE00009, 0x7FE00010, 0x00283006),
        # Palette data, plain and segmented.
        *(0x00281201, 0x00281202, 0x00281203, 0x00281221, 0x00281222, 0x00281223),
    }
)


def is_kept(tag: BaseTag, representation: str | None, length: int) -> bool:
    """Whether a value is of a length that an attribute may have.

    Args:
        tag: Of the element.
        representation: Its VR, or None under implicit VR.
        length: Bytes of the value.

    Returns:
        False for long values that nothing here reads.
    """
    if length <= BUDGET.value_bytes or tag in _LONG_TAGS:
        return True
    return _is_sequence(tag, representation)


def parse_sequence(element: DataElement | RawDataElement, count: ElementCount) -> DataElement:
    """Parse a sequence and those in it.

    Args:
        element: An element of VR SQ, or any other, which is returned as it is.
        count: Of the file's elements.

    Returns:
        The element. A sequence that is damaged stays as it is.

    Raises:
        TooManyElements: The budget of elements is used up.
        NestedTooDeep: Sequences are nested deeper than the budget allows.
        WorkingMemoryExceeded: Nested sequences copy more than an image may.
    """
    return _parsed(element, count, 1)


def too_deep() -> NestedTooDeep:
    """The refusal of sequences that are nested too deep."""
    return NestedTooDeep(f"The DICOM file has more than {BUDGET.depth} sequences in one another.")


def ran_too_deep(error: BaseException | None) -> bool:
    """Whether an error comes from more nested calls than the interpreter allows."""
    while error is not None:
        if isinstance(error, RecursionError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_sequence(tag: BaseTag, representation: str | None) -> bool:
    if representation is not None:
        return representation == VR.SQ
    try:
        return dictionary_VR(tag) == VR.SQ
    except KeyError:
        return False


def _parsed(element: DataElement | RawDataElement, count: ElementCount, depth: int) -> DataElement:
    if not _is_sequence(element.tag, element.VR):
        return element  # type: ignore[return-value]  # a Dataset takes both kinds
    if depth > BUDGET.depth:
        raise too_deep()
    if isinstance(element, RawDataElement):
        if depth > 1:
            count.copy(len(element.value or b""))
        stream = BoundedStream(element.value or b"", count)
        try:
            items = read_sequence(
                stream,
                element.is_implicit_VR,
                element.is_little_endian,
                len(element.value or b""),
                _LATIN,
            )
        except Exception as error:
            if count.failure is not None:
                raise count.failure from error
            if ran_too_deep(error):
                raise too_deep() from error
            return element  # type: ignore[return-value]  # as above
        element = DataElement(element.tag, VR.SQ, items)
    for item in element.value:
        _parse_items(item, count, depth)
    return element


def _parse_items(item: Dataset, count: ElementCount, depth: int) -> None:
    for tag in list(item.keys()):
        inner = item.get_item(tag)
        if isinstance(inner, RawDataElement) and not is_kept(
            tag, inner.VR, len(inner.value or b"")
        ):
            del item[tag]
        elif (parsed := _parsed(inner, count, depth + 1)) is not inner:
            item[tag] = parsed
