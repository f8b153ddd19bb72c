"""VOI windows and look-up tables (PS3.3 C.11.2), each mapped onto [0, 1]."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window.

    Attributes:
        centre: Window Center (0028,1050), modality units.
        width: Window Width (0028,1051), modality units: at least 1 for LINEAR, above 0 otherwise.
        function: How values go through it.
    """

    centre: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR

    @property
    def usable(self) -> bool:
        """Whether the standard allows this width for this function and the numbers are finite."""
        if not (math.isfinite(self.centre) and math.isfinite(self.width)):
            return False
        return self.width >= 1.0 if self.function is VoiFunction.LINEAR else self.width > 0.0


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A Modality or VOI LUT (PS3.3 C.11.1.1 and C.11.2.1.1).

    Attributes:
        first: Input value that is mapped to the first entry; smaller ones are too.
        entries: uint16 [N]; values above ``first + N - 1`` are mapped to the last one.
        bits: Bits of an entry, 8 to 16.
        spans: Whether the largest entry is white. Else ``2 ** bits - 1`` is.
    """

    first: int
    entries: NDArray[np.uint16]
    bits: int
    spans: bool = False

    @property
    def white(self) -> int:
        """The output that is white."""
        return int(self.entries.max()) if self.spans else (1 << self.bits) - 1


def apply_window(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """Put values through a window.

    LINEAR and LINEAR_EXACT follow PS3.3 C.11.2.1.2.1 and C.11.2.1.3.2, SIGMOID C.11.2.1.3.1.

    Args:
        values: float64 [...], modality units.
        window: A usable window.

    Returns:
        float64 [...] in [0, 1].
    """
    match window.function:
        case VoiFunction.LINEAR_EXACT:
            return np.clip((values - window.centre) / window.width + 0.5, 0.0, 1.0)
        case VoiFunction.SIGMOID:
            # exp() overflows to inf far below the window, and 1 / inf is the 0 that is meant.
            with np.errstate(over="ignore"):
                return 1.0 / (1.0 + np.exp(-4.0 * (values - window.centre) / window.width))
        case VoiFunction.LINEAR:
            offset = values - (window.centre - 0.5)
            span = window.width - 1.0
            if span == 0.0:
                return (offset > 0.0).astype(np.float64)
            return np.clip(offset / span + 0.5, 0.0, 1.0)


def apply_table(values: NDArray[np.float64], table: LookupTable) -> NDArray[np.float64]:
    """Put values through a look-up table.

    Args:
        values: float64 [...]; rounded to whole numbers first.
        table: The table.

    Returns:
        float64 [...] in [0, 1]: entry / white.
    """
    index = np.clip(np.rint(values) - table.first, 0, table.entries.size - 1).astype(np.intp)
    unit: NDArray[np.float64] = table.entries[index] / float(table.white)
    return np.clip(unit, 0.0, 1.0)
