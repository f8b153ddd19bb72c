"""Class activation maps, from the model's second output to a picture over the film.

Colours follow the cubehelix scheme of D. A. Green, "A colour scheme for the display of
astronomical intensity images", Bull. Astr. Soc. India 39 (2011) 289: its brightness rises steadily,
so a map keeps its order in grey print and for the colour-blind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum.imaging.png_writer import encode_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["colourise", "dequantise", "encode_png", "layer", "overlay", "quantise"]

_START: Final = 0.0
_ROTATIONS: Final = 0.43
_SATURATION: Final = 2.6
_GAMMA: Final = 0.8
_DARKEST, _LIGHTEST = 0.20, 0.74
_LEVELS: Final = 256


def _colour_table() -> NDArray[np.uint8]:
    """Green's formula for 256 levels, without its black and white ends.

    Returns:
        uint8 [256, 3].
    """
    level = np.linspace(_DARKEST, _LIGHTEST, _LEVELS) ** _GAMMA
    angle = 2.0 * np.pi * (_START / 3.0 + 1.0 + _ROTATIONS * np.linspace(0.0, 1.0, _LEVELS))
    swing = _SATURATION * level * (1.0 - level) / 2.0
    cosine, sine = np.cos(angle), np.sin(angle)
    red = level + swing * (-0.14861 * cosine + 1.78277 * sine)
    green = level + swing * (-0.29227 * cosine - 0.90649 * sine)
    blue = level + swing * (1.97294 * cosine)
    rgb = np.stack([red, green, blue], axis=1)
    return np.rint(np.clip(rgb, 0.0, 1.0) * 255.0).astype(np.uint8)


COLOURS: Final = _colour_table()
"""uint8 [256, 3]: colour of each quantised activation."""


def quantise(cam: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float]:
    """Pack an activation map into a byte per cell.

    Only evidence for the finding is kept: negative activations become 0.

    Args:
        cam: float32 [h, w], any range; not-a-number counts as 0.

    Returns:
        uint8 [h, w] whose largest value is 255, and the activation of one step: ``cam`` is about
        ``quantised * scale``. An all-negative map gives zeros and a scale of 0.
    """
    positive = np.nan_to_num(cam, nan=0.0, posinf=0.0, neginf=0.0).clip(min=0.0)
    peak = float(positive.max(initial=0.0))
    if peak <= 0.0:
        return np.zeros(cam.shape, dtype=np.uint8), 0.0
    share = positive.astype(np.float64) / peak
    return np.rint(share * 255.0).astype(np.uint8), peak / 255.0


def dequantise(quantised: NDArray[np.uint8], scale: float) -> NDArray[np.float32]:
    """Undo ``quantise``, to half a step.

    Args:
        quantised: uint8 [h, w].
        scale: Activation of one step.

    Returns:
        float32 [h, w].
    """
    return quantised.astype(np.float32) * np.float32(scale)


def colourise(quantised: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A map in colour, enlarged bilinearly, without the film.

    Args:
        quantised: uint8 [h, w].
        height: Rows wanted.
        width: Columns wanted.

    Returns:
        uint8 [height, width, 3].
    """
    return COLOURS[_enlarge(quantised, height, width)]


def layer(
    quantised: NDArray[np.uint8], height: int, width: int, opacity: float = 0.6
) -> NDArray[np.uint8]:
    """A transparent layer to be laid over a film: no activation, no colour.

    Args:
        quantised: uint8 [h, w].
        height: Rows of the film shown.
        width: Columns of the film shown.
        opacity: Opacity at the peak, 0 to 1.

    Returns:
        uint8 [height, width, 4]: RGB, and an alpha that rises with the activation.

    Raises:
        ValueError: ``opacity`` is outside 0 to 1.
    """
    if not 0.0 <= opacity <= 1.0:
        raise ValueError(f"opacity {opacity} is outside 0 to 1")
    share = np.linspace(0.0, 1.0, _LEVELS)
    # Smoothstep: weak activation all over the film is noise and stays invisible.
    alpha = np.rint(255.0 * opacity * share * share * (3.0 - 2.0 * share)).astype(np.uint8)
    table = np.concatenate([COLOURS, alpha[:, np.newaxis]], axis=1)
    return table[_enlarge(quantised, height, width)]


def overlay(
    preview: NDArray[np.uint8], quantised: NDArray[np.uint8], opacity: float = 0.6
) -> NDArray[np.uint8]:
    """A film with its activation map over it.

    Args:
        preview: uint8 [H, W].
        quantised: uint8 [h, w], covering the same field of view.
        opacity: Opacity at the peak, 0 to 1; 0 gives the film back.

    Returns:
        uint8 [H, W, 3].

    Raises:
        ValueError: ``opacity`` is outside 0 to 1.
    """
    height, width = preview.shape
    film = Image.fromarray(preview).convert("RGBA")
    film.alpha_composite(Image.fromarray(layer(quantised, height, width, opacity)))
    return np.asarray(film.convert("RGB"), dtype=np.uint8)


def _enlarge(quantised: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    grown = Image.fromarray(np.ascontiguousarray(quantised)).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    return np.asarray(grown, dtype=np.uint8)
