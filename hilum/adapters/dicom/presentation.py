"""From the attributes of a dataset to the grey scale pipeline (PS3.3 C.11 and C.7.6.3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.adapters.dicom.image_pixel import element, integer
from hilum.domain.errors import UnreadableFilm
from hilum.imaging.grey import GreyTransform, StoredBits
from hilum.imaging.voi import LookupTable, VoiFunction, Window

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from hilum.adapters.dicom.image_pixel import ImagePixel
    from hilum.adapters.dicom.pixels import StoredPixels

_TABLE_BITS: Final = range(8, 17)
_BYTE: Final = 8
_LARGEST_TABLE: Final = 65_536


def grey_transform(dataset: Dataset, pixel: ImagePixel, stored: StoredPixels) -> GreyTransform:
    """Collect what decides how stored values are shown.

    Of several windows or VOI LUTs the first counts: they are alternatives, and the first is the
    one a viewer opens with. A window with a width that the standard forbids counts as absent, as
    does a slope of 0. Either MONOCHROME1 or Presentation LUT Shape INVERSE inverts; both together
    (DX requires both, PS3.3 C.8.11.3.1.2) invert once.

    Args:
        dataset: The film's attributes.
        pixel: Its Image Pixel module.
        stored: Its decoded pixels.

    Returns:
        The transform.

    Raises:
        UnreadableFilm: A look-up table is damaged.
    """
    bits = StoredBits(
        allocated=stored.patterns.itemsize * 8,
        stored=stored.precision,
        shift=stored.shift,
        signed=pixel.signed,
    )
    shape = str(element(dataset, "PresentationLUTShape") or "").strip().upper()
    return GreyTransform(
        bits=bits,
        slope=_number(element(dataset, "RescaleSlope")) or 1.0,
        intercept=_number(element(dataset, "RescaleIntercept")) or 0.0,
        modality_table=_first_table(dataset, "ModalityLUTSequence"),
        window=_window(dataset),
        voi_table=_first_table(dataset, "VOILUTSequence"),
        padding=_padding(dataset, pixel),
        inverted=pixel.photometric == "MONOCHROME1" or shape == "INVERSE",
    )


def _number(value: Any) -> float | None:
    """The first of one or several decimal strings, or None."""
    if value is not None and not isinstance(value, str | bytes | int | float):
        value = value[0] if len(value) else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _window(dataset: Dataset) -> Window | None:
    centre = _number(element(dataset, "WindowCenter"))
    width = _number(element(dataset, "WindowWidth"))
    if centre is None or width is None:
        return None
    named = str(element(dataset, "VOILUTFunction") or "LINEAR").strip().upper()
    known = {function.value: function for function in VoiFunction}
    function = known.get(named, VoiFunction.LINEAR)
    window = Window(centre, width, function)
    return window if window.usable else None


def _first_table(dataset: Dataset, keyword: str) -> LookupTable | None:
    items = element(dataset, keyword)
    if not items:
        return None
    try:
        return _table(items[0])
    except UnreadableFilm:
        raise
    except Exception as error:
        raise UnreadableFilm(f"The look-up table of {keyword} is damaged.") from error


def _table(item: Dataset) -> LookupTable:
    """LUT Descriptor and LUT Data (PS3.3 C.11.1.1.1)."""
    count, first, bits = (int(value) for value in item.LUTDescriptor)
    # The first value mapped is signed or not like the data; a count of 65536 is written as 0,
    # and read as a negative number where the descriptor's VR is SS.
    count = count % _LARGEST_TABLE or _LARGEST_TABLE
    if bits not in _TABLE_BITS:
        raise UnreadableFilm(f"A look-up table with {bits} bits per entry.")
    data = item.LUTData
    if isinstance(data, bytes):
        wide = len(data) >= 2 * count
        entries = np.frombuffer(data, "<u2" if wide else "u1")
    else:
        entries = np.atleast_1d(np.asarray(data, dtype=np.int64)) % _LARGEST_TABLE
        if entries.size < count:
            # 8-bit entries packed two to a word, first in the low byte.
            entries = entries.astype("<u2").view(np.uint8)
    if entries.size < count:
        raise UnreadableFilm("A look-up table is shorter than its descriptor says.")
    return LookupTable(first, entries[:count].astype(np.uint16), bits)


def _padding(dataset: Dataset, pixel: ImagePixel) -> tuple[int, int] | None:
    value = integer(dataset, "PixelPaddingValue")
    if value is None:
        return None
    other = integer(dataset, "PixelPaddingRangeLimit")
    ends = sorted(_as_stored(end, pixel) for end in (value, value if other is None else other))
    return ends[0], ends[1]


def _as_stored(value: int, pixel: ImagePixel) -> int:
    """Bring a value whose VR disagrees with Pixel Representation into the stored range."""
    span = 1 << pixel.stored
    wrapped = value % span
    if pixel.signed and wrapped >= span // 2:
        return wrapped - span
    return wrapped
