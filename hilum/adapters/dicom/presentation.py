"""From the attributes of a dataset to the grey scale pipeline (PS3.3 C.11 and C.7.6.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hilum.adapters.dicom.functional_groups import with_group
from hilum.adapters.dicom.image_pixel import decimals, element, first_of, integer
from hilum.adapters.dicom.lookup_table import (
    InvalidTable,
    declared_depth,
    lookup_table,
    says_nothing,
)
from hilum.domain.errors import BlankRendering, UnreadableFilm
from hilum.domain.image_note import ImageNote
from hilum.imaging.grey import GreyTransform, StoredBits
from hilum.imaging.voi import LookupTable, VoiFunction, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from hilum.adapters.dicom.stored_pixels import StoredPixels

_WORD: Final = 0xFFFF
_SIGN: Final = 0x8000
_FINE_WIDTH: Final = 2.0


@dataclass(frozen=True, slots=True)
class Presentation:
    """How an image is shown.

    Attributes:
        transform: The grey scale pipeline.
        notes: What was corrected on the way to it.
    """

    transform: GreyTransform
    notes: frozenset[ImageNote]


def presentations_of(dataset: Dataset, stored: StoredPixels) -> Iterator[Presentation]:
    """Collect what decides how stored values are shown.

    Of several windows or VOI LUTs the first usable one counts: they are alternatives, and the
    first is the one a viewer opens with. A window with a width that the standard forbids counts
    as absent, as does a slope of 0. An invalid VOI LUT gives way to the window, an invalid
    Modality LUT to the rescale values, an empty one to stored values too, where a window or a VOI
    LUT shows them. Either MONOCHROME1 or Presentation LUT Shape INVERSE
    inverts; both together (DX requires both, PS3.3 C.8.11.3.1.2) invert once.

    Args:
        dataset: The film's attributes.
        stored: Its decoded pixels.

    Yields:
        The presentation, then the alternatives to one that shows nothing.

    Raises:
        UnreadableFilm: A look-up table is invalid, and nothing takes its place.
        BlankRendering: A VOI LUT is empty or of one grey, and there is no window.
    """
    bits = StoredBits(
        allocated=stored.patterns.itemsize * 8,
        stored=stored.precision,
        shift=stored.shift,
        signed=stored.signed,
        lossy=stored.lossy,
    )
    notes: set[ImageNote] = set()
    slope, intercept = _rescale(dataset)
    modality_table = _modality_table(dataset, bits.reach, notes, rescaled=slope is not None)
    slope, intercept = slope or 1.0, intercept or 0.0
    ends = sorted(value * slope + intercept for value in bits.reach)
    reach = (ends[0], ends[1])
    if modality_table is not None:
        reach = (0.0, float(modality_table.entries.max()))
    windows = _windows(dataset, 1.0 if modality_table is not None else abs(slope))
    shape = str(element(dataset, "PresentationLUTShape") or "").strip().upper()
    padding, cells = _padding(dataset, bits)
    plain = GreyTransform(
        bits=bits,
        slope=slope,
        intercept=intercept,
        modality_table=modality_table,
        padding=padding,
        padding_cells=cells,
        inverted=stored.photometric == "MONOCHROME1" or shape == "INVERSE",
    )
    table = _voi_table(dataset, reach, notes, windowed=bool(windows))
    if table is not None:
        yield Presentation(replace(plain, voi_table=table), frozenset(notes))
        notes = notes - {ImageNote.TABLE_DEPTH_CORRECTED} | {ImageNote.VOI_TABLE_IGNORED}
    for window in windows:
        yield Presentation(replace(plain, window=window), frozenset(notes))
    if table is None and not windows:
        yield Presentation(plain, frozenset(notes))


def _rescale(dataset: Dataset) -> tuple[float | None, float | None]:
    """Rescale Slope and Intercept, of a functional group where the object itself has neither."""
    for held in with_group(dataset, "PixelValueTransformationSequence"):
        slope, intercept = (decimals(held, f"Rescale{name}")[0] for name in ("Slope", "Intercept"))
        if slope is not None or intercept is not None:
            return slope, intercept
    return None, None


def _windows(dataset: Dataset, step: float) -> list[Window]:
    """The windows that can be used, of a functional group where the object itself has none.

    Args:
        dataset: The film's attributes.
        step: Modality units of one stored value.
    """
    for held in with_group(dataset, "FrameVOILUTSequence"):
        if windows := list(_windows_of(held, step)):
            return windows
    return []


def _windows_of(dataset: Dataset, step: float) -> Iterator[Window]:
    named = str(first_of(element(dataset, "VOILUTFunction")) or "LINEAR").strip().upper()
    known = {function.value: function for function in VoiFunction}
    function = known.get(named, VoiFunction.LINEAR)
    widths = decimals(dataset, "WindowWidth")
    for centre, width in zip(decimals(dataset, "WindowCenter"), widths, strict=False):
        if centre is None or width is None:
            continue
        # LINEAR takes a unit off the width. Where a unit is many stored values, none is meant.
        fine = 2 * step <= width < _FINE_WIDTH and function is VoiFunction.LINEAR
        window = Window(centre, width, VoiFunction.LINEAR_EXACT if fine else function)
        if window.usable:
            yield window


def _first_table(
    dataset: Dataset, keyword: str, reach: tuple[float, float], notes: set[ImageNote]
) -> LookupTable | None:
    """The first valid table of a sequence, or None where its items say nothing.

    Raises:
        InvalidTable: No item holds a valid table. The first item's reason is told.
    """
    first: InvalidTable | None = None
    for item in element(dataset, keyword) or ():
        if says_nothing(item):
            continue
        try:
            table = lookup_table(item, reach)
        except InvalidTable as invalid:
            first = first or invalid
        except Exception:  # noqa: BLE001 - a damaged item raises anything
            first = first or InvalidTable(f"The look-up table of {keyword} is damaged.")
        else:
            if table.bits != declared_depth(item):
                notes.add(ImageNote.TABLE_DEPTH_CORRECTED)
            return table
    if first is not None:
        raise first
    return None


def _modality_table(
    dataset: Dataset, reach: tuple[float, float], notes: set[ImageNote], *, rescaled: bool
) -> LookupTable | None:
    try:
        return _first_table(dataset, "ModalityLUTSequence", reach, notes)
    except InvalidTable as invalid:
        if not rescaled and not (invalid.empty and _has_voi(dataset)):
            raise UnreadableFilm(invalid.detail) from invalid
        notes.add(ImageNote.MODALITY_TABLE_IGNORED)
        return None


def _has_voi(dataset: Dataset) -> bool:
    """Whether a window or a VOI LUT says how values are shown that no Modality LUT has mapped."""
    tables = element(dataset, "VOILUTSequence") or ()
    return bool(_windows(dataset, 1.0)) or not all(says_nothing(item) for item in tables)


def _voi_table(
    dataset: Dataset, reach: tuple[float, float], notes: set[ImageNote], *, windowed: bool
) -> LookupTable | None:
    try:
        return _first_table(dataset, "VOILUTSequence", reach, notes)
    except InvalidTable as invalid:
        if windowed:
            notes.add(ImageNote.VOI_TABLE_IGNORED)
            return None
        kind = BlankRendering if invalid.blank else UnreadableFilm
        raise kind(invalid.detail) from invalid


def _padding(
    dataset: Dataset, bits: StoredBits
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Pixel Padding Value and Range Limit (PS3.3 C.7.5.1.1.2).

    A value that Bits Stored cannot hold is no stored value. It marks pixels only where whole
    cells hold it, unused bits and all. A range of all that Bits Stored can hold marks none.

    Returns:
        The stored values that are padding, and the patterns of whole cells that are.
    """
    value = integer(dataset, "PixelPaddingValue")
    if value is None:
        return None, None
    other = integer(dataset, "PixelPaddingRangeLimit")
    words = [end & _WORD for end in (value, value if other is None else other)]
    low, high = sorted(_as_number(word, signed=bits.signed) for word in words)
    smallest, largest = bits.reach
    if low <= smallest and largest <= high:
        return None, None
    if smallest <= high and low <= largest:
        return (max(low, smallest), min(high, largest)), None
    if max(words) < 1 << bits.allocated:
        return None, (min(words), max(words))
    return None, None


def _as_number(word: int, *, signed: bool) -> int:
    """A 16-bit word as Pixel Representation reads it, whatever the VR of its element was."""
    return word - (_WORD + 1) if signed and word >= _SIGN else word
