"""The outlines of structures as a picture that is laid over a film.

SVG 2 with no script, style sheet or link in it: its coordinates are film pixels, so it fits the
preview at any size, and the lines keep their width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.domain.finding import Structure, StructuresReading

MEDIA_TYPE: Final = "image/svg+xml"

COLOURS: Final[Mapping[str, str]] = {
    "right_lung": "#3ec6ff",
    "left_lung": "#7ddc5a",
    "lungs_with_heart": "#9aa7b4",
    "heart": "#ff8a5c",
}
"""Stroke of each structure; told apart by the common forms of colour blindness too."""
_OTHER: Final = "#ffd34d"


def outline_picture(reading: StructuresReading, rows: int, columns: int) -> bytes:
    """The outlines as an SVG file as large as the film.

    Args:
        reading: Outlines in film pixels.
        rows: Of the film.
        columns: Of the film.
    """
    drawn = "\n".join(_path(structure) for structure in reading.structures if structure.outlines)
    # A film that is squashed on the screen squashes its outlines with it.
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns} {rows}" '
        f'width="{columns}" height="{rows}" preserveAspectRatio="none" role="img">\n'
        f"<title>{escape(reading.display or reading.panel)}</title>\n"
        f"{drawn}\n</svg>\n"
    )
    return text.encode()


def _path(structure: Structure) -> str:
    lines = " ".join(
        "M" + " L".join(f"{x:g},{y:g}" for x, y in outline) + " Z" for outline in structure.outlines
    )
    colour = COLOURS.get(structure.label, _OTHER)
    return (
        f"<path id={quoteattr(structure.label)} d={quoteattr(lines)} fill={quoteattr(colour)} "
        f'fill-opacity="0.08" stroke={quoteattr(colour)} stroke-width="2" '
        f'stroke-linejoin="round" vector-effect="non-scaling-stroke">'
        f"<title>{escape(structure.display)}</title></path>"
    )
