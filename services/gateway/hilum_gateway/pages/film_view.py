"""What the page of one film shows, beyond the job and its result as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.errors import NotFound
from hilum.domain.job import SETTLED, JobState
from hilum.imaging.heatmap import COLOURS
from hilum_gateway.pages.advice import advice

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


def film_context(view: JobView, chosen: str) -> dict[str, Any]:
    """The values of ``film.html``.

    Args:
        view: The job and its result.
        chosen: ``panel/label`` of the heatmap to show; empty shows none.

    Raises:
        NotFound: The result has no such heatmap.
    """
    heatmaps = _heatmaps(view.job.id, view.analysis)
    if chosen and chosen not in heatmaps:
        raise NotFound("this film has no such heatmap")
    return {
        "job": view.job,
        "analysis": view.analysis,
        "settled": view.job.state in SETTLED,
        "heatmaps": heatmaps,
        "heatmap": heatmaps.get(chosen),
        "colour_stops": colour_stops(),
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
