"""RGB, or luminance and two chrominances: what most pixels of a grey image tell.

A mark in colour or a little noise changes few pixels or all of them a little. Neither makes
an image another one, so not all pixels are asked, and not exactly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.imaging.colour import reduction, row_bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST: Final = 0.9
"""Share of pixels that tells what an image is."""

_NEAR: Final = 4
_BYTE: Final = 8
_BLACK, _WHITE, _REACH = 16, 235, 224
_IN_RANGE: Final = 0.99


def is_ybr(samples: NDArray[np.unsignedinteger], *, bits: int, stated: bool) -> bool:
    """Tell luminance and chrominances from red, green and blue.

    Args:
        samples: [H, W, 3].
        bits: Bits of a sample.
        stated: Whether the header says luminance and chrominances.

    Returns:
        What most pixels say, or ``stated`` where they say neither or both.
    """
    step = reduction((samples.shape[0], samples.shape[1]))
    some = samples[::step, ::step]
    neutral = is_neutral(some, bits=bits)
    return stated if neutral is (grey_distance(some, bits=bits) is not None) else neutral


def is_neutral(samples: NDArray[np.unsignedinteger], *, bits: int) -> bool:
    """Whether the second and third sample of most pixels are near the middle."""
    off = np.abs(samples[..., 1:].astype(np.int64) - (1 << (bits - 1))).max(axis=-1)
    return bool(_most(off)[-1] <= _NEAR << bits >> _BYTE)


def grey_distance(samples: NDArray[np.unsignedinteger], *, bits: int) -> float | None:
    """Tell how far the three samples of most pixels are from one grey.

    Args:
        samples: [..., 3].
        bits: Bits of a sample. Fewer may be in use.

    Returns:
        Mean distance of the largest and the smallest, or None where they are no grey.
    """
    apart = _most(samples.max(axis=-1) - samples.min(axis=-1))
    used = min(bits, max(_BYTE, int(samples.max()).bit_length()))
    # Each sample may be that far from the grey, to either side.
    return float(apart.mean()) if apart[-1] <= 2 * _NEAR << used >> _BYTE else None


def _most(distances: NDArray[np.integer]) -> NDArray[np.integer]:
    """The smallest distances, of most pixels."""
    return np.sort(distances, axis=None)[: math.ceil(MOST * distances.size)]


def full_range(samples: NDArray[np.unsignedinteger], *, bits: int) -> NDArray[np.unsignedinteger]:
    """Stretch luminance and chrominances of partial range (PS3.3 C.7.6.3.1.2, ITU-R BT.601).

    Args:
        samples: [H, W, 3]: black is 16 and white 235 of 256, chrominances reach from 16 to 240.
        bits: Bits of a sample.

    Returns:
        [H, W, 3] of full range. The samples as they are, where luminance uses the full range.
    """
    if not _is_partial(samples[..., 0], bits):
        return samples
    most, unit = (1 << bits) - 1, 2.0 ** (bits - _BYTE)
    stored, middle = np.arange(most + 1), 1 << (bits - 1)
    luminance = (stored - _BLACK * unit) * most / ((_WHITE - _BLACK) * unit)
    chrominance = middle + (stored - middle) * most / (_REACH * unit)
    tables = [np.rint(one).clip(0, most).astype(samples.dtype) for one in (luminance, chrominance)]
    whole = np.empty(samples.shape, samples.dtype)
    for top, bottom in row_bands((samples.shape[0], samples.shape[1])):
        whole[top:bottom, :, 0] = tables[0][samples[top:bottom, :, 0]]
        whole[top:bottom, :, 1:] = tables[1][samples[top:bottom, :, 1:]]
    return whole


def _is_partial(luminance: NDArray[np.unsignedinteger], bits: int) -> bool:
    """Whether hardly any luminance is beyond black and white of the partial range."""
    step = reduction((luminance.shape[0], luminance.shape[1]))
    some = luminance[::step, ::step]
    low, high = ((one << bits) >> _BYTE for one in (_BLACK - _NEAR, _WHITE + _NEAR))
    return bool(np.mean((some >= low) & (some <= high)) >= _IN_RANGE)
