"""A stored preview as PNG, and a stored heatmap as a picture over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.imaging.heatmap import encode_png, layer, overlay
from hilum.imaging.preview import decode_preview

if TYPE_CHECKING:
    from hilum.domain.finding import Heatmap

DEFAULT_OPACITY: Final = 0.6


def preview_png(preview: bytes) -> bytes:
    """The preview as PNG, 8-bit grey.

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
    """A PNG as large as the preview: RGB with the film, or RGBA without it.

    Args:
        preview: The film's preview as stored.
        heatmap: Spans the whole film.
        opacity: At the strongest activation, 0 to 1.
        layer_only: The heatmap alone, transparent where there is no activation.
    """
    film = decode_preview(preview)
    rows, columns = film.shape
    quantised = np.frombuffer(heatmap.values, dtype=np.uint8)
    quantised = quantised.reshape(heatmap.rows, heatmap.columns)
    if layer_only:
        return encode_png(layer(quantised, rows, columns, opacity))
    return encode_png(overlay(film, quantised, opacity))
