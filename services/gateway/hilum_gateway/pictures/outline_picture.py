"""The outlines of structures as a picture that is laid over a film.

SVG 2 with no script, style sheet or link in it: its coordinates are film pixels, so it fits the
preview at any size, and the lines keep their width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from hilum.imaging.preview import displayed_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.domain.finding import Analysis, Structure, StructuresReading

MEDIA_TYPE: Final = "image/svg+xml"

COLOURS: Final[Mapping[str, str]] = {
    "right_lung": "#3ec6ff",
    "left_lung": "#7ddc5a",
    "lungs_with_heart": "#9aa7b4",
    "heart": "#ff8a5c",
}
"""Stroke of each structure; told apart by the common forms of colour blindness too."""
_OTHER: Final = "#ffd34d"
_ENCLOSING: Final = "lungs_with_heart"
"""Drawn dashed and named above: it runs along the lung fields and holds the heart."""
_WIDTHS_AT: Final = 0.8
"""Where the widths are drawn, as a share of the way down the structures."""
_WIDTH_COLOUR: Final = "#ffffff"
_TEXT_SHARE: Final = 0.026
"""Height of a name, as a share of the film's longer side."""


def colour_of(label: str) -> str:
    """Stroke of a structure."""
    return COLOURS.get(label, _OTHER)


def outline_picture(reading: StructuresReading, analysis: Analysis, *, names: bool = True) -> bytes:
    """Draw the outlines as an SVG file as large as square pixels show the image.

    Args:
        reading: Outlines in image pixels.
        analysis: The result that they are part of.
        names: Write each structure's name into its outline. A page has them in its legend instead.
    """
    rows, columns = analysis.rows, analysis.columns
    seen = [structure for structure in reading.structures if structure.outlines]
    height = round(_TEXT_SHARE * max(rows, columns), 2)
    parts = [_path(each) for each in seen] + _widths(reading, height)
    drawn = "\n".join(parts + [_name(each, height) for each in seen if names])
    shown_rows, shown_columns = displayed_size(rows, columns, analysis.pixel_aspect)
    # A film that is squashed on the screen squashes its outlines with it.
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns} {rows}" '
        f'width="{shown_columns}" height="{shown_rows}" preserveAspectRatio="none" role="img">\n'
        f"<title>{escape(reading.display or reading.panel)}</title>\n"
        f"{drawn}\n</svg>\n"
    )
    return text.encode()


def _path(structure: Structure) -> str:
    lines = " ".join(
        "M" + " L".join(f"{x:g},{y:g}" for x, y in outline) + " Z" for outline in structure.outlines
    )
    colour = colour_of(structure.label)
    dashes = 'stroke-dasharray="7 5" ' if structure.label == _ENCLOSING else ""
    return (
        f"<path id={quoteattr(structure.label)} d={quoteattr(lines)} fill={quoteattr(colour)} "
        f'fill-opacity="0.08" stroke={quoteattr(colour)} stroke-width="2.5" '
        f'{dashes}stroke-linejoin="round" vector-effect="non-scaling-stroke">'
        f"<title>{escape(structure.display)}</title></path>"
    )


def _name(structure: Structure, height: float) -> str:
    """The structure's name in the middle of its largest outline, without what is in brackets."""
    name = structure.display.partition(" (")[0]
    xs, ys = zip(*structure.outlines[0], strict=True)
    above = max(height, min(ys) - height / 2)
    y = above if structure.label == _ENCLOSING else (min(ys) + max(ys)) / 2
    colour = quoteattr(colour_of(structure.label))
    return (
        f'<text x="{(min(xs) + max(xs)) / 2:g}" y="{y:g}" font-size="{height:g}" '
        f'font-family="sans-serif" text-anchor="middle" fill={colour} '
        f'stroke="#000" stroke-width="{height / 6:g}" paint-order="stroke">'
        f"{escape(name)}</text>"
    )


def _widths(reading: StructuresReading, height: float) -> list[str]:
    """The two widths of the cardiothoracic ratio, one line below the other, where it was measured.

    A ratio keeps no rows, only columns: the lines stand in the lower part of the lungs.
    """
    ratio = reading.cardiothoracic
    ys = [y for each in reading.structures for outline in each.outlines for _, y in outline]
    if ratio.heart is None or ratio.thorax is None or not ys:
        return []
    first = min(ys) + _WIDTHS_AT * (max(ys) - min(ys))
    widths = (("heart", ratio.heart, first), ("thorax", ratio.thorax, first + height))
    return [
        f'<polyline points="{left:g},{y:g} {right:g},{y:g}" stroke="#000" stroke-width="4" '
        'vector-effect="non-scaling-stroke"/>'
        f'<line class="{name}-width" x1="{left:g}" x2="{right:g}" y1="{y:g}" y2="{y:g}" '
        f'stroke="{_WIDTH_COLOUR}" stroke-width="2" vector-effect="non-scaling-stroke">'
        f"<title>Width of the {name}</title></line>"
        for name, (left, right), y in widths
    ]
