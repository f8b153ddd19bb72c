"""The boxes of findings, as they are drawn over a film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hilum.domain.finding import Analysis, Box, Finding, PanelReading

_TEXT_SHARE: Final = 0.026
"""Height of a line of text, as a share of the film's longer side."""
_LETTER: Final = 0.56
"""Mean width of a letter, as a share of the line's height."""
_LINE: Final = 1.15


@dataclass(frozen=True, slots=True)
class BoxMark:
    """One box with its caption, all in film pixels.

    Attributes:
        x: Left edge.
        y: Upper edge.
        width: Of the box.
        height: Of the box.
        text_x: Where the caption begins.
        text_y: The caption's base line.
    """

    x: float
    y: float
    width: float
    height: float
    text_x: float
    text_y: float


@dataclass(frozen=True, slots=True)
class BoxGroup:
    """The boxes of one finding.

    Attributes:
        value: ``panel/label``, as a heatmap's.
        display: The finding, for people; the caption of each box.
        marks: One for each box.
    """

    value: str
    display: str
    marks: tuple[BoxMark, ...]


def text_height(rows: int, columns: int) -> float:
    """Height of captions on a film, in film pixels."""
    return round(_TEXT_SHARE * max(rows, columns), 2)


def box_groups(
    headlines: Iterable[tuple[PanelReading, Finding]], analysis: Analysis
) -> list[BoxGroup]:
    """The boxes of findings, captions placed so that none covers another.

    Args:
        headlines: Which findings, in the order in which captions find their places.
        analysis: The result they are from.
    """
    height = text_height(analysis.rows, analysis.columns)
    taken: list[tuple[float, float, float]] = []
    groups = []
    for reading, finding in headlines:
        marks = tuple(
            _mark(box, finding.display, height, taken, analysis.columns) for box in finding.boxes
        )
        if marks:
            groups.append(BoxGroup(f"{reading.panel}/{finding.label}", finding.display, marks))
    return groups


def _mark(
    box: Box, caption: str, height: float, taken: list[tuple[float, float, float]], columns: int
) -> BoxMark:
    """A box whose caption stands inside its upper edge, or lower where that place is taken."""
    width = _LETTER * height * len(caption)
    left = max(0.0, min(box.x + 0.3 * height, columns - width))
    line = box.y + height
    while _covered(left, left + width, line, height, taken):
        line += _LINE * height
    taken.append((left, left + width, line))
    return BoxMark(*(round(edge, 2) for edge in (box.x, box.y, box.width, box.height, left, line)))


def _covered(
    left: float,
    right: float,
    line: float,
    height: float,
    taken: Sequence[tuple[float, float, float]],
) -> bool:
    return any(
        left < other_right and other_left < right and abs(line - other) < height
        for other_left, other_right, other in taken
    )
