"""Words of pixels that do not lie as their header says, and plainly lie otherwise.

Programs that convert a data set from big to little endian, or back, leave the words of Pixel Data
as they were, and compress them like that. GDCM writes High Bit as if values were to the right of
their cells, and leaves them to the left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOOKED_AT: Final = 64
_WORD: Final = 16
_NOISE: Final = 0.5
_SMOOTHER: Final = 4.0


def is_to_the_left(patterns: NDArray[np.integer], stored: int) -> bool:
    """Whether values stand to the left of their words, which have nothing to the right.

    Args:
        patterns: [H, W], words.
        stored: Bits of a value.
    """
    unused = (1 << _WORD - stored) - 1
    words = patterns.view(np.uint16)
    some = words[:: max(1, words.shape[0] // _LOOKED_AT)]
    # A look at some rows spares nearly every image the rest.
    if any(int(np.bitwise_or.reduce(part, axis=None)) & unused for part in (some, words)):
        return False
    # Sign bits and an overlay have two values above Bits Stored.
    return np.unique(some >> stored).size > 2  # noqa: PLR2004 - as above


def swapped_where_due(patterns: NDArray[np.integer]) -> NDArray[np.integer] | None:
    """Exchange the two bytes of each word where that makes an image of noise.

    A radiograph is smooth: neighbours differ by little beside the range of all. Where its bytes
    are exchanged, the lower one decides, and neighbours differ like noise.

    Args:
        patterns: [H, W], words.

    Returns:
        The words with their bytes exchanged, or None where they stand right.
    """
    some = patterns[:: max(1, patterns.shape[0] // _LOOKED_AT)].view(np.uint16)
    roughness = _roughness(some)
    if roughness < _NOISE or _roughness(some.byteswap()) * _SMOOTHER > roughness:
        return None
    return patterns.byteswap()


def _roughness(words: NDArray[np.uint16]) -> float:
    """Mean difference of neighbours in a row, beside the standard deviation of all."""
    values = words.astype(np.float32)
    spread = float(values.std())
    return float(np.abs(np.diff(values, axis=1)).mean()) / spread if spread else 0.0
