"""What can be laid over an image: heatmaps and boxes, in one colour for each finding.

Nothing is drawn until a reader asks for it, and no name is written over the image: the legend
beside it has the colours and the names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum_gateway.pages.finding_words import is_shown
from hilum_gateway.pages.panel_view import headlines
from hilum_gateway.pictures.overlay_colours import FINDING_COLOURS, colour_number

if TYPE_CHECKING:
    from uuid import UUID

    from hilum.domain.finding import Analysis, Box, Finding, PanelReading

_STOPS: Final = 9


@dataclass(frozen=True, slots=True)
class Layers:
    """What is laid over the image, as the page's address says.

    Attributes:
        heatmap: ``panel/label`` of the heatmap; empty for none.
        boxes: Boxes are shown.
        outlines: Panels whose outlines are shown.
    """

    heatmap: str = ""
    boxes: bool = False
    outlines: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FindingOverlay:
    """What can be drawn of one finding.

    Attributes:
        value: ``panel/label``, as in the page's address.
        display: The finding, for people; with its panel where another has the same name.
        colour: Of its heatmap, its boxes and its entry in the legend.
        href: Address of the heatmap; empty without one.
        boxes: In image pixels.
        outside_lungs: Most of the heatmap lies outside the lungs, so that it has no box.
    """

    value: str
    display: str
    colour: str
    href: str
    boxes: tuple[Box, ...]
    outside_lungs: bool


def finding_overlays(job_id: UUID, analysis: Analysis | None) -> list[FindingOverlay]:
    """Return what can be drawn of each finding, what the page names first first."""
    if analysis is None:
        return []
    first = headlines(analysis.panels)
    others = [
        (panel, finding)
        for panel in analysis.panels
        for finding in panel.findings
        if is_shown(finding) and (panel, finding) not in first
    ]
    drawn = [pair for pair in (*first, *others) if pair[1].heatmap or pair[1].boxes]
    names = Counter(finding.display for _, finding in drawn)
    return [
        _overlay(job_id, position, panel, finding, unique=names[finding.display] == 1)
        for position, (panel, finding) in enumerate(drawn)
    ]


def _overlay(
    job_id: UUID, position: int, panel: PanelReading, finding: Finding, *, unique: bool
) -> FindingOverlay:
    number = colour_number(position)
    address = f"/films/{job_id}/heatmaps/{panel.panel}/{finding.label}.png?colour={number}"
    of_panel = panel.title
    return FindingOverlay(
        value=f"{panel.panel}/{finding.label}",
        display=finding.display if unique else f"{finding.display} ({of_panel})",
        colour=FINDING_COLOURS[number],
        href=address if finding.heatmap else "",
        boxes=finding.boxes,
        outside_lungs=bool(finding.outside_lungs),
    )


def opacity_stops() -> list[tuple[float, float]]:
    """Return the scale of a heatmap: share of its strongest point, and opacity there."""
    shares = [number / (_STOPS - 1) for number in range(_STOPS)]
    # The same smoothstep as in hilum.imaging.heatmap.layer.
    return [(share, round(share * share * (3.0 - 2.0 * share), 3)) for share in shares]
