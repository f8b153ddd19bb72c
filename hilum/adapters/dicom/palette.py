"""PALETTE COLOR (PS3.3 C.7.6.3.1.5) as RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.pixels.processing import apply_color_lut

from hilum.adapters.dicom.lookup_table import InvalidTable, lookup_table
from hilum.domain.errors import UnreadableFilm

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hilum.adapters.dicom.pixels import StoredPixels

_NAMES: Final = ("Red", "Green", "Blue")
_BYTE: Final = 8


def palette_colours(dataset: Dataset, stored: StoredPixels) -> NDArray[np.uint8]:
    """Put indices through their three tables.

    Args:
        dataset: The data set that holds the tables.
        stored: The decoded indices, [H, W].

    Returns:
        uint8 [H, W, 3].

    Raises:
        UnreadableFilm: A table is missing or invalid.
    """
    patterns: NDArray[np.unsignedinteger] = stored.patterns.view(
        np.uint8 if stored.patterns.itemsize == 1 else np.uint16
    )
    indices = (patterns >> stored.shift) & patterns.dtype.type((1 << stored.precision) - 1)
    if "SegmentedRedPaletteColorLookupTableData" in dataset:
        colours = apply_color_lut(indices, dataset)
        return _upper_byte(colours, colours.itemsize * _BYTE)
    reach = (0.0, float((1 << stored.precision) - 1))
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
                np.clip(indices.astype(np.int32) - table.first, 0, table.entries.size - 1)
            ]
            for table in tables
        ],
        axis=-1,
    )


def _upper_byte(samples: NDArray[np.unsignedinteger], bits: int) -> NDArray[np.uint8]:
    top: NDArray[np.uint8] = (samples >> (bits - _BYTE)).astype(np.uint8)
    return top
