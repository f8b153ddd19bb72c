"""What the page of one image shows, beyond the job and its result as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum.domain.errors import NotFound
from hilum.domain.image_note import ImageNote
from hilum.domain.job import SETTLED, JobState
from hilum.imaging.preview import displayed_size
from hilum_gateway.advice import advice
from hilum_gateway.pages.gate_view import GateView
from hilum_gateway.pages.impression_view import ImpressionView
from hilum_gateway.pages.overlay_view import finding_overlays, opacity_stops
from hilum_gateway.pages.panel_view import headlines, panel_views
from hilum_gateway.pages.structures_view import StructuresView
from hilum_gateway.schemas.jobs import NoteBody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.application.results.read_jobs import JobView
    from hilum.domain.finding import Analysis
    from hilum.domain.job import Job
    from hilum_gateway.pages.overlay_view import Layers

_REASON_TITLES: Final[Mapping[JobState, str]] = {
    JobState.QUEUED: "The last attempt did not succeed",
    JobState.REJECTED: "This image was rejected",
    JobState.FAILED: "This image could not be analysed",
    JobState.DISCARDED: "This job was discarded",
}

_FLIPS: Final[Mapping[str, str]] = {
    ImageNote.IMAGE_MIRRORED: "mirrored",
    ImageNote.IMAGE_FLIPPED: "flipped",
}
"""Classes that show picture and overlays, which are stored otherwise, as they were analysed."""


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
        "notes": notes_of(view),
        **_displayed(view),
        **_result(view.analysis),
        **_reason(view.job),
    }


def notes_of(view: JobView) -> list[NoteBody]:
    """Return what to know of the image before its findings: corrections, then flags.

    A result of a release before 0.3.0 says in a field of its own that it was inverted.
    """
    codes = dict.fromkeys(view.job.notes)
    if view.analysis is not None and view.analysis.inverted:
        codes.setdefault(ImageNote.GREY_SCALE_INVERTED)
    return sorted(map(NoteBody.of, codes), key=lambda note: (note.kind, note.code))


def _displayed(view: JobView) -> dict[str, Any]:
    """Return the size of the picture in square pixels, and the class that flips it."""
    if view.analysis is None:
        return {"shown_rows": 0, "shown_columns": 0, "flips": ""}
    analysis = view.analysis
    rows, columns = displayed_size(analysis.rows, analysis.columns, analysis.pixel_aspect)
    flips = " ".join(_FLIPS[code] for code in view.job.notes if code in _FLIPS)
    return {"shown_rows": rows, "shown_columns": columns, "flips": flips}


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
    return {
        "reason_title": _REASON_TITLES.get(job.state, ""),
        "what_to_do": advice(job.reason.code, job.state),
    }
