"""PALETTE COLOR (PS3.3 C.7.6.3.1.5) as RGB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.pixels.processing import apply_color_lut

from hilum.adapters.dicom.image_pixel import element
from hilum.adapters.dicom.lookup_table import InvalidTable, lookup_table
from hilum.domain.errors import UnreadableFilm
from hilum.imaging.grey import StoredBits, count_values, look_up, stored_values

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hilum.adapters.dicom.stored_pixels import StoredPixels

_NAMES: Final = ("Red", "Green", "Blue")
_BYTE: Final = 8
_DISCRETE, _INDIRECT = 0, 2
_MOST_ENTRIES: Final = 1 << 16


def palette_colours(dataset: Dataset, stored: StoredPixels) -> NDArray[np.uint8]:
    """Put indices through their three tables.

    Args:
        dataset: The data set that holds the tables.
        stored: The decoded indices, [H, W].

    Returns:
        uint8 [H, W, 3], or [H, W] where the three tables are one.

    Raises:
        UnreadableFilm: A table is missing or invalid.
    """
    patterns: NDArray[np.unsignedinteger] = stored.patterns.view(
        np.uint8 if stored.patterns.itemsize == 1 else np.uint16
    )
    allocated = patterns.itemsize * _BYTE
    indices = stored_values(
        StoredBits(allocated, stored.precision, stored.shift, signed=stored.signed)
    )
    if "SegmentedRedPaletteColorLookupTableData" in dataset:
        for name in _NAMES:
            _check_segments(dataset, f"Segmented{name}PaletteColorLookupTableData")
        colours = apply_color_lut(indices, dataset)
        table = _upper_byte(colours, colours.itemsize * _BYTE)
    else:
        table = _table(dataset, indices, indices[np.flatnonzero(count_values(patterns))])
    if (table == table[:, :1]).all():
        table = np.ascontiguousarray(table[:, 0])
    return look_up(table, patterns)


def _table(
    dataset: Dataset, indices: NDArray[np.int32], present: NDArray[np.int32]
) -> NDArray[np.uint8]:
    """The colour of each index. Those that are present have to have one."""
    reach = (float(present.min()), float(present.max()))
    try:
        tables = [
            lookup_table(
                dataset,
                reach,
                descriptor=f"{name}PaletteColorLookupTableDescriptor",
                data=f"{name}PaletteColorLookupTableData",
                constant=True,
            )
            for name in _NAMES
        ]
    except InvalidTable as invalid:
        raise UnreadableFilm(f"A palette cannot be applied. {invalid.detail}") from invalid
    # Entries of one palette have one depth, also where one colour needs less of it.
    bits = max(table.bits for table in tables)
    return np.stack(
        [
            _upper_byte(table.entries, bits)[
                np.clip(indices - table.first, 0, table.entries.size - 1)
            ]
            for table in tables
        ],
        axis=-1,
    )


def _check_segments(dataset: Dataset, keyword: str) -> None:
    """Refuse a segmented table that expands beyond what a descriptor can state (PS3.3 C.7.9.2).

    Raises:
        UnreadableFilm: It does, or a segment points at one that points on.
    """
    descriptor = element(dataset, "RedPaletteColorLookupTableDescriptor")
    depth = int(descriptor[2]) if isinstance(descriptor, Sequence) and len(descriptor) > 2 else 16  # noqa: PLR2004 - entries, first value, bits
    order = "<" if dataset.original_encoding[1] is not False else ">"
    data = bytes(element(dataset, keyword) or b"")
    width = 1 if depth == _BYTE else 2
    words = np.frombuffer(data[: len(data) // width * width], f"{order}u{width}").tolist()
    if _expanded(words, 0, len(words), width, followed=False) > _MOST_ENTRIES:
        raise UnreadableFilm("A segmented palette has more entries than a palette can have.")


def _expanded(words: list[int], at: int, segments: int, width: int, *, followed: bool) -> int:
    """Count the entries of segments, no further than a little above the limit."""
    total = 0
    for _ in range(segments):
        if at + 1 >= len(words) or total > _MOST_ENTRIES:
            break
        kind, length = words[at], words[at + 1]
        if kind == _INDIRECT:
            if followed:
                raise UnreadableFilm("A segmented palette points at a segment that points on.")
            parts = words[at + 2 : at + 2 + 4 // width]
            offset = sum(part << (8 * width * place) for place, part in enumerate(parts))
            total += 1 + _expanded(words, offset // width, length, width, followed=True)
            at += 2 + 4 // width
        else:
            total += max(length, 1)
            at += 2 + (length if kind == _DISCRETE else 1)
    return total


def _upper_byte(samples: NDArray[np.unsignedinteger], bits: int) -> NDArray[np.uint8]:
    top: NDArray[np.uint8] = (samples >> (bits - _BYTE)).astype(np.uint8)
    return top
