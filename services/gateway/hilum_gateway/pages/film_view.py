"""What the page of one film shows, beyond the job and its result as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.errors import NotFound
from hilum.domain.job import SETTLED, JobState
from hilum.imaging.heatmap import COLOURS
from hilum_gateway.pages.advice import advice
from hilum_gateway.pages.box_marks import box_groups, text_height
from hilum_gateway.pages.gate_view import GateView
from hilum_gateway.pages.panel_view import headlines, panel_views
from hilum_gateway.pages.structures_view import StructuresView

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from hilum.application.use_cases.read_jobs import JobView
    from hilum.domain.finding import Analysis
    from hilum.domain.job import Job

_STOPS: Final = 9

_REASON_TITLES: Final[Mapping[JobState, str]] = {
    JobState.QUEUED: "The last attempt did not succeed",
    JobState.REJECTED: "This film was rejected",
    JobState.FAILED: "This film could not be read",
    JobState.DISCARDED: "This job was discarded",
}


@dataclass(frozen=True, slots=True)
class Layers:
    """What is laid over the film, as the page's address says.

    Attributes:
        heatmap: ``panel/label`` of the heatmap; empty for none.
        boxes: Boxes are shown.
        outlines: Panels whose outlines are shown.
    """

    heatmap: str = ""
    boxes: bool = False
    outlines: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HeatmapChoice:
    """A heatmap that can be laid over the film.

    Attributes:
        value: ``panel/label``, as in the page's address.
        display: The finding, for people.
        href: Address of the picture.
    """

    value: str
    display: str
    href: str


@dataclass(frozen=True, slots=True)
class ColourStop:
    """One stop of the colour scale; offset and opacity in [0, 1]."""

    offset: float
    colour: str
    opacity: float


def film_context(view: JobView, layers: Layers) -> dict[str, Any]:
    """The values of ``film.html``.

    Args:
        view: The job and its result.
        layers: What to lay over the film.

    Raises:
        NotFound: The result has no such heatmap.
    """
    expired = view.job.film_expired_at is not None
    heatmaps = {} if expired else _heatmaps(view.job.id, view.analysis)
    if layers.heatmap and layers.heatmap not in heatmaps and not expired:
        raise NotFound("this film has no such heatmap")
    return {
        "job": view.job,
        "analysis": view.analysis,
        "settled": view.job.state in SETTLED,
        "gate": GateView.of(view.gate),
        "heatmaps": heatmaps,
        "heatmap": heatmaps.get(layers.heatmap),
        "layers": layers,
        "colour_stops": colour_stops(),
        **_reading(view.analysis),
        **_reason(view.job),
    }


def colour_stops() -> list[ColourStop]:
    """The colours of a heatmap from nothing to its strongest point, as they are laid on a film."""
    stops = []
    for number in range(_STOPS):
        share = number / (_STOPS - 1)
        red, green, blue = COLOURS[round(share * (len(COLOURS) - 1))]
        # The same smoothstep as in hilum.imaging.heatmap.layer.
        opacity = share * share * (3.0 - 2.0 * share)
        stops.append(ColourStop(share, f"#{red:02x}{green:02x}{blue:02x}", round(opacity, 3)))
    return stops


def _reading(analysis: Analysis | None) -> dict[str, Any]:
    """What was read of the film, ready to be shown."""
    if analysis is None:
        return {"panels": [], "headlines": (), "boxes": [], "structures": []}
    found = headlines(analysis.panels)
    return {
        "panels": panel_views(analysis),
        "headlines": found,
        "boxes": box_groups(found, analysis),
        "text_height": text_height(analysis.rows, analysis.columns),
        "structures": [StructuresView.of(reading) for reading in analysis.structures],
    }


def _heatmaps(job_id: UUID, analysis: Analysis | None) -> dict[str, HeatmapChoice]:
    """By value; a result holds one for each finding that says so."""
    choices = [
        HeatmapChoice(
            value=f"{panel.panel}/{finding.label}",
            display=finding.display,
            href=f"/films/{job_id}/heatmaps/{panel.panel}/{finding.label}.png",
        )
        for panel in (analysis.panels if analysis else ())
        for finding in panel.findings
        if finding.heatmap
    ]
    return {choice.value: choice for choice in choices}


def _reason(job: Job) -> dict[str, str]:
    if job.reason is None:
        return {"reason_title": "", "what_to_do": ""}
    parked = job.state is JobState.FAILED
    return {
        "reason_title": _REASON_TITLES.get(job.state, ""),
        "what_to_do": advice(job.reason.code, parked=parked),
    }
