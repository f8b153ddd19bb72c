"""Model input, by preprocessing id: one function per id, used by training and by the worker.

An id is never redefined: a model that was trained with ``square-area-v1`` reads films through
``square-area-v1`` for ever. A change is a new id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

Preprocessing = Callable[["NDArray[np.uint8]", int, int], "NDArray[np.uint8]"]


def square_area_v1(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resample the whole film onto a fixed grid, aspect not kept.

    Half of the public films are stored squashed into squares; keeping the aspect of the others
    would tell a network where a film came from. Box filter, so that a 4-megapixel film and its
    256-pixel copy give nearly the same input.

    Args:
        pixels: uint8 [H, W], MONOCHROME2 presentation values.
        height: Rows of the model input.
        width: Columns of the model input.

    Returns:
        uint8 [height, width, 1].
    """
    resampled = Image.fromarray(pixels).resize(
        (width, height), Image.Resampling.BOX, reducing_gap=None
    )
    return np.asarray(resampled, dtype=np.uint8)[:, :, np.newaxis]


PREPROCESSING: Final[dict[str, Preprocessing]] = {"square-area-v1": square_area_v1}
