"""From stored pixel values to what a reader sees: the DICOM grey scale pipeline.

Modality LUT (PS3.3 C.11.1), VOI LUT (PS3.3 C.11.2), then polarity (PS3.3 C.7.6.3.1.2). A film has
at most 65,536 distinct stored patterns, so the whole pipeline is worked out once per pattern in
float64 and applied to the pixels as one table look-up: exact, and one pass over the film.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.imaging.voi import LookupTable, Window, apply_table, apply_window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_SHALLOW_BITS: Final = 8
_BYTE_PATTERNS: Final = 256
_TAIL: Final = 0.005
_BAND_PIXELS: Final = 131_072


@dataclass(frozen=True, slots=True)
class StoredBits:
    """How a value sits in its bits (PS3.5 section 8.1.1).

    Attributes:
        allocated: 8 or 16: bits of one pattern.
        stored: Bits that carry the value; whatever stands in the others (an overlay, rubbish)
            is ignored.
        shift: Position of the value's lowest bit: HighBit + 1 - BitsStored, most often 0.
        signed: Two's complement in the stored bits.
        lossy: Values may lie a little beyond the stored bits, because an encoding changed them.
    """

    allocated: int
    stored: int
    shift: int = 0
    signed: bool = False
    lossy: bool = False

    @property
    def reach(self) -> tuple[int, int]:
        """Smallest and largest stored value that fits."""
        span = 1 << self.stored
        return (-span // 2, span // 2 - 1) if self.signed else (0, span - 1)


@dataclass(frozen=True, slots=True)
class GreyTransform:
    """Everything that decides how a stored value is displayed.

    Attributes:
        bits: Where the value sits.
        slope: (0028,1053), modality units per stored value.
        intercept: (0028,1052), modality units.
        modality_table: Modality LUT Sequence; it takes the place of slope and intercept.
        window: VOI window, in modality units.
        voi_table: VOI LUT Sequence; it takes the place of the window.
        padding: Lowest and highest stored value that is no part of the picture, inclusive
            (PS3.3 C.7.5.1.1.2). Shown black.
        padding_cells: Lowest and highest pattern of a whole cell that is no part of the picture.
        inverted: The smallest value is white: MONOCHROME1, or Presentation LUT Shape INVERSE.
    """

    bits: StoredBits
    slope: float = 1.0
    intercept: float = 0.0
    modality_table: LookupTable | None = None
    window: Window | None = None
    voi_table: LookupTable | None = None
    padding: tuple[int, int] | None = None
    padding_cells: tuple[int, int] | None = None
    inverted: bool = False


def render(patterns: NDArray[np.integer], transform: GreyTransform) -> NDArray[np.uint8]:
    """Turn stored pixels into presentation values.

    Without any VOI in the file, up to 8 stored bits are taken as already prepared for display and
    span their full range; deeper films are stretched between their 0.5th and 99.5th percentile,
    padding left out, because raw exposure values fill only a part of their range.

    Args:
        patterns: [H, W], uint8 or int8 for 8 bits allocated, uint16 or int16 for 16: the bits as
            stored, before any masking or sign extension.
        transform: How to display them.

    Returns:
        uint8 [H, W]: 0 black, 255 white. Where nothing changes, a view on ``patterns``.
    """
    unsigned: NDArray[np.unsignedinteger] = patterns.view(
        np.uint8 if patterns.itemsize == 1 else np.uint16
    )
    table = display_table(transform, unsigned)
    if table.size == _BYTE_PATTERNS and np.array_equal(table, np.arange(_BYTE_PATTERNS)):
        return unsigned.view(np.uint8)
    return look_up(table, unsigned)


def look_up(table: NDArray[np.uint8], patterns: NDArray[np.unsignedinteger]) -> NDArray[np.uint8]:
    """Put patterns through a table.

    Args:
        table: uint8 [2 ** allocated] for greys, [2 ** allocated, 3] for colours.
        patterns: uint8 or uint16 [H, W].

    Returns:
        uint8 [H, W] or [H, W, 3].
    """
    shown = np.empty((*patterns.shape, *table.shape[1:]), dtype=np.uint8)
    for rows in _bands(patterns):
        # Every pattern is inside the table; "wrap" only spares numpy the check, half of its time.
        np.take(table, patterns[rows], axis=0, mode="wrap", out=shown[rows])
    return shown


def count_values(values: NDArray[np.unsignedinteger]) -> NDArray[np.intp]:
    """Count each value, as ``numpy.bincount`` does, without a copy of 8 bytes for each pixel.

    Args:
        values: uint8 or uint16 [H, W].

    Returns:
        int [256] or [65536].
    """
    length = int(np.iinfo(values.dtype).max) + 1
    counts = np.zeros(length, dtype=np.intp)
    for rows in _bands(values):
        counts += np.bincount(values[rows].ravel(), minlength=length)
    return counts


def _bands(pixels: NDArray[np.unsignedinteger]) -> Iterator[slice]:
    """Rows of 1 MiB of indices, which numpy makes from pixels: they stay in the cache."""
    height = max(1, _BAND_PIXELS // max(1, pixels.shape[1]))
    for top in range(0, pixels.shape[0], height):
        yield slice(top, top + height)


def display_table(
    transform: GreyTransform, patterns: NDArray[np.unsignedinteger]
) -> NDArray[np.uint8]:
    """Presentation value of every possible stored pattern.

    Args:
        transform: How to display.
        patterns: uint8 or uint16 [H, W]; looked at only where no VOI is given.

    Returns:
        uint8 [2 ** allocated].
    """
    stored = stored_values(transform.bits)
    values = _modality(stored, transform)
    picture = np.ones(stored.shape, dtype=bool)
    if transform.padding is not None:
        low, high = transform.padding
        picture = (stored < low) | (stored > high)
    if transform.padding_cells is not None:
        low, high = transform.padding_cells
        picture[low : high + 1] = False
    unit = _voi(values, picture, transform, patterns)
    if transform.inverted:
        unit = 1.0 - unit
    # Rounding in double precision at 2^-20 first: x and 1 - (1 - x) then agree on which way a
    # half goes, so a MONOCHROME1 twin gives the very same film.
    scaled = np.rint(unit * 255.0 * 2**20) / 2**20
    table = np.floor(scaled + 0.5)
    table[~picture] = 0.0
    return table.astype(np.uint8)


def stored_values(bits: StoredBits) -> NDArray[np.int32]:
    """The number that each pattern stands for: shifted, masked, sign-extended.

    Returns:
        int32 [2 ** allocated].
    """
    patterns = np.arange(2**bits.allocated, dtype=np.int32) >> bits.shift
    masked = _as_signed(patterns, bits.stored, signed=bits.signed)
    if bits.lossy and bits.shift == 0:
        # Where cells have room for a sign, values below 0 have one.
        signed = bits.signed or bits.allocated - bits.stored > 1
        whole = _as_signed(patterns, bits.allocated, signed=signed)
        low, high = bits.reach
        nearest = np.clip(whole, low, high)
        beyond = np.abs(whole - nearest)
        return np.where((beyond > 0) & (beyond <= (high - low) // 4), nearest, masked)
    return masked


def _as_signed(patterns: NDArray[np.int32], bits: int, *, signed: bool) -> NDArray[np.int32]:
    """The lowest bits as a number."""
    masked = patterns & ((1 << bits) - 1)
    return np.where(masked >> (bits - 1), masked - (1 << bits), masked) if signed else masked


def _modality(stored: NDArray[np.int32], transform: GreyTransform) -> NDArray[np.float64]:
    if transform.modality_table is not None:
        table = transform.modality_table
        return apply_table(stored.astype(np.float64), table) * float(table.white)
    return stored.astype(np.float64) * transform.slope + transform.intercept


def _voi(
    values: NDArray[np.float64],
    picture: NDArray[np.bool_],
    transform: GreyTransform,
    patterns: NDArray[np.unsignedinteger],
) -> NDArray[np.float64]:
    if transform.voi_table is not None:
        return apply_table(values, transform.voi_table)
    if transform.window is not None:
        return apply_window(values, transform.window)
    if transform.bits.stored <= _SHALLOW_BITS:
        low, high = float(values.min()), float(values.max())
    else:
        counts = count_values(patterns)
        low, high = percentile_range(values, np.where(picture, counts, 0))
    if high <= low:
        # One value fills the film: middle grey, and what differs from it black or white.
        return 0.5 + 0.5 * np.sign(values - low)
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def percentile_range(
    values: NDArray[np.float64], counts: NDArray[np.integer], tail: float = _TAIL
) -> tuple[float, float]:
    """The range that leaves out a small share of pixels at either end.

    Both ends are defined alike, so that the range of the negated film is the negated range.

    Args:
        values: float64 [N], value of each pattern, in any order, repeats allowed.
        counts: int [N], pixels that have it.
        tail: Share of pixels left out at each end, 0 to 0.5.

    Returns:
        Lowest and highest value kept; (0, 0) for a film without a counted pixel.
    """
    seen = np.flatnonzero(counts)
    if not seen.size:
        return 0.0, 0.0
    order = seen[np.argsort(values[seen], kind="stable")]
    running = np.cumsum(counts[order])
    outside = tail * float(running[-1])
    # The first value with more than the tail at or below it, and its mirror from the other end.
    low = int(np.argmax(running > outside))
    high = order.size - 1 - int(np.argmax(np.cumsum(counts[order][::-1]) > outside))
    return float(values[order[low]]), float(values[order[high]])
