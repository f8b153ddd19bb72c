"""Images that their own display settings show as one grey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.domain.errors import BlankRendering
from hilum.imaging.grey import GreyTransform, count_values, stored_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOOKED_AT: Final = 256
_LARGEST_REST: Final = 0.005


def refuse_blank(
    pixels: NDArray[np.uint8], patterns: NDArray[np.integer], transform: GreyTransform
) -> None:
    """Refuse an image of which nothing can be seen, and name the cause.

    An image is blank where all but 0.5 % of its pixels have one grey, or two greys in a row.

    Args:
        pixels: uint8 [H, W]: presentation values.
        patterns: [H, W]: the cells that they were made of.
        transform: How they were made.

    Raises:
        BlankRendering: The image is blank.
    """
    if _is_blank(pixels):
        raise BlankRendering(_cause(patterns, transform))


def refuse_blank_colours(pixels: NDArray[np.uint8], samples: NDArray[np.integer]) -> None:
    """Refuse an image in colour or with a palette of which nothing can be seen.

    Args:
        pixels: uint8 [H, W]: presentation values.
        samples: [H, W, 3] colours or [H, W] indices: what they were made of.

    Raises:
        BlankRendering: The image is blank.
    """
    if not _is_blank(pixels):
        return
    if (samples == samples[0, 0]).all():
        raise BlankRendering("Every pixel of the image is the same.")
    if samples.ndim == pixels.ndim:
        raise BlankRendering("The palette of the image shows one grey.")
    raise BlankRendering("The image shows one grey throughout.")


def _is_blank(pixels: NDArray[np.uint8]) -> bool:
    steps = tuple(max(1, side // _LOOKED_AT) for side in pixels.shape)
    return _is_one_grey(pixels[:: steps[0], :: steps[1]]) and _is_one_grey(pixels)


def _is_one_grey(pixels: NDArray[np.uint8]) -> bool:
    counts = count_values(pixels)
    return bool(pixels.size - (counts[:-1] + counts[1:]).max() <= _LARGEST_REST * pixels.size)


def _cause(patterns: NDArray[np.integer], transform: GreyTransform) -> str:
    unsigned: NDArray[np.unsignedinteger] = patterns.view(
        np.uint8 if patterns.itemsize == 1 else np.uint16
    )
    cells = np.flatnonzero(count_values(unsigned))
    values = stored_values(transform.bits)[cells]
    if values.min() == values.max():
        return "Every pixel of the image has the same stored value."
    if transform.voi_table is not None or transform.modality_table is not None:
        return "The look-up table of the image shows every stored value as one grey."
    if transform.padding is not None or transform.padding_cells is not None:
        low, high = transform.padding or (0, -1)
        inside = (values >= low) & (values <= high)
        if inside.all():
            return "Every stored value of the image is declared to be padding."
    if transform.window is not None:
        return (
            f"The window of the image (centre {transform.window.centre:g}, width "
            f"{transform.window.width:g}) misses its stored values."
        )
    return "The image shows one grey throughout."
