"""What the page of one image shows, beyond the job and its result as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum.domain.errors import NotFound
from hilum.domain.job import SETTLED, JobState
from hilum_gateway.pages.advice import advice
from hilum_gateway.pages.gate_view import GateView
from hilum_gateway.pages.impression_view import ImpressionView
from hilum_gateway.pages.overlay_view import finding_overlays, opacity_stops
from hilum_gateway.pages.panel_view import headlines, panel_views
from hilum_gateway.pages.structures_view import StructuresView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.application.use_cases.read_jobs import JobView
    from hilum.domain.finding import Analysis
    from hilum.domain.job import Job
    from hilum_gateway.pages.overlay_view import Layers

_REASON_TITLES: Final[Mapping[JobState, str]] = {
    JobState.QUEUED: "The last attempt did not succeed",
    JobState.REJECTED: "This image was rejected",
    JobState.FAILED: "This image could not be analysed",
    JobState.DISCARDED: "This job was discarded",
}


def film_context(view: JobView, layers: Layers) -> dict[str, Any]:
    """Return the values of ``film.html``.

    Args:
        view: The job and its result.
        layers: What to lay over the image.

    Raises:
        NotFound: The result has no such heatmap.
    """
    expired = view.job.film_expired_at is not None
    overlays = [] if expired else finding_overlays(view.job.id, view.analysis)
    heatmaps = {overlay.value: overlay for overlay in overlays if overlay.href}
    if layers.heatmap and layers.heatmap not in heatmaps and not expired:
        raise NotFound("this image has no such heatmap")
    return {
        "job": view.job,
        "analysis": view.analysis,
        "settled": view.job.state in SETTLED,
        "gate": GateView.of(view.gate),
        "overlays": overlays,
        "swatches": {overlay.value: overlay.colour for overlay in overlays},
        "heatmaps": heatmaps,
        "heatmap": heatmaps.get(layers.heatmap),
        "layers": layers,
        "opacity_stops": opacity_stops(),
        **_result(view.analysis),
        **_reason(view.job),
    }


def _result(analysis: Analysis | None) -> dict[str, Any]:
    """Return the result, ready to be shown."""
    if analysis is None:
        return {"impression": None, "panels": [], "headlines": (), "structures": []}
    return {
        "impression": ImpressionView.of(analysis.impression, analysis.panels),
        "panels": panel_views(analysis),
        "headlines": headlines(analysis.panels),
        "structures": [StructuresView.of(reading) for reading in analysis.structures],
    }


def _reason(job: Job) -> dict[str, str]:
    if job.reason is None:
        return {"reason_title": "", "what_to_do": ""}
    parked = job.state is JobState.FAILED
    return {
        "reason_title": _REASON_TITLES.get(job.state, ""),
        "what_to_do": advice(job.reason.code, parked=parked),
    }
