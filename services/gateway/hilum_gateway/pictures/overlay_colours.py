"""Colours of what is drawn over an image: one for each finding.

They differ from one another, from the grey of a radiograph and from the outlines of structures
(:data:`hilum_gateway.pictures.outline_picture.COLOURS`), with the common forms of colour blindness
too.
"""

from __future__ import annotations

from typing import Final

FINDING_COLOURS: Final = ("#ffe14d", "#ff6ac1", "#b48cff", "#2ee6c0", "#ff5252", "#f4f1ea")
"""Of the first finding, the second and so on. A seventh finding has the first colour again."""

Rgb = tuple[int, int, int]


def colour_number(position: int) -> int:
    """Return the index in :data:`FINDING_COLOURS` for the finding at a position, from 0."""
    return position % len(FINDING_COLOURS)


def rgb(number: int) -> Rgb:
    """Return a colour as red, green and blue, 0 to 255.

    Args:
        number: Index in :data:`FINDING_COLOURS`.
    """
    colour = FINDING_COLOURS[number]
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
