"""A stored preview as PNG, and a stored heatmap as a picture over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.imaging.heatmap import encode_png, layer, overlay
from hilum.imaging.preview import decode_preview

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.domain.finding import Heatmap
    from hilum_gateway.pictures.overlay_colours import Rgb

DEFAULT_OPACITY: Final = 0.6


def preview_png(preview: bytes) -> bytes:
    """Return the preview as PNG, 8-bit grey.

    Args:
        preview: As stored.
    """
    return encode_png(decode_preview(preview))


def heatmap_picture(
    preview: bytes,
    heatmap: Heatmap,
    *,
    opacity: float = DEFAULT_OPACITY,
    layer_only: bool = False,
) -> bytes:
    """Draw a PNG as large as the preview: RGB with the image, or RGBA without it.

    Args:
        preview: The image's preview as stored.
        heatmap: Spans the whole image.
        opacity: At the strongest activation, 0 to 1.
        layer_only: The heatmap alone, transparent where there is no activation.
    """
    image = decode_preview(preview)
    rows, columns = image.shape
    if layer_only:
        return encode_png(layer(_quantised(heatmap), rows, columns, opacity))
    return encode_png(overlay(image, _quantised(heatmap), opacity))


def tinted_layer(preview: bytes, heatmap: Heatmap, colour: Rgb) -> bytes:
    """Draw a heatmap in one colour, as RGBA PNG as large as the preview.

    Args:
        preview: The image's preview as stored.
        heatmap: Spans the whole image.
        colour: Of every pixel. The activation shows as opacity: none where there is no activation,
            opaque at the strongest.
    """
    rows, columns = decode_preview(preview).shape
    pixels = layer(_quantised(heatmap), rows, columns, 1.0)
    pixels[..., :3] = colour
    return encode_png(pixels)


def _quantised(heatmap: Heatmap) -> NDArray[np.uint8]:
    values = np.frombuffer(heatmap.values, dtype=np.uint8)
    return values.reshape(heatmap.rows, heatmap.columns)
