"""The order of the stages, from a decoded image to what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hilum.application.analysis.evidence import add_evidence
from hilum.application.analysis.findings import find
from hilum.application.analysis.gate import contradictions, pass_gate
from hilum.application.analysis.infer import infer
from hilum.application.analysis.normalise import Views
from hilum.application.analysis.structures import outline
from hilum.domain.image_note import ImageNote
from hilum.domain.impression_rule import impression_of

if TYPE_CHECKING:
    from hilum.application.analysis.orientation import Flips
    from hilum.application.ports.inference import InferenceEngine
    from hilum.domain.finding import Heatmap, PanelReading, StructuresReading
    from hilum.domain.impression import Impression
    from hilum.domain.model import ModelSet
    from hilum.imaging.film import Film


@dataclass(frozen=True, slots=True)
class ImageAnalysis:
    """What a set of models said of an image.

    Attributes:
        passed: Whether the gate accepted the image; nothing but its scores is there otherwise.
        inverted: The grey scale was inverted before the image was analysed.
        gate: The gate's scores; None where the set has no gate, which accepts every image.
        panels: Readings in the order of the set, without the gate's.
        heatmaps: Of what is positive and abnormal.
        structures: Readings of the panels that outline structures.
        impression: What is said first; None where the gate rejected the image.
        notes: What was corrected on the image, and what contradicts it.
    """

    passed: bool
    inverted: bool
    gate: PanelReading | None
    panels: tuple[PanelReading, ...] = ()
    heatmaps: tuple[Heatmap, ...] = ()
    structures: tuple[StructuresReading, ...] = ()
    impression: Impression | None = None
    notes: frozenset[ImageNote] = frozenset()


def analyse(film: Film, models: ModelSet, engine: InferenceEngine) -> ImageAnalysis:
    """Analyse one image.

    An image whose header says that it is mirrored or upside down is flipped first. Places are in
    stored pixels.

    Raises:
        InferenceUnavailable: The engine is down, busy or too slow.
        ModelNotServed: It serves no such model or version.
        InferenceFailed: A model gave something other than its manifest promises.
        InvalidManifest: A manifest asks for what this release does not have.
    """
    views = Views(film)
    gated = pass_gate(views, models, lambda view: infer(view.film, models, engine))
    flips = gated.view.flips
    notes = film.notes | contradictions(film.header, gated.scores, passed=gated.passed)
    if gated.passed and flips is None and views.first.flips is not None:
        notes = notes - views.first.flips.notes | {ImageNote.ORIENTATION_IGNORED}
    seen = ImageAnalysis(gated.passed, gated.view.inverted, gated.scores, notes=notes)
    if not gated.passed:
        return replace(seen, notes=notes - flips.notes if flips else notes)
    if seen.inverted:
        notes |= {ImageNote.GREY_SCALE_INVERTED}
    outlined = outline(gated, models)
    panels, heatmaps = add_evidence(find(gated, models), gated, models, outlined.field)
    analysis = replace(
        seen,
        panels=panels,
        heatmaps=heatmaps,
        structures=outlined.readings,
        impression=impression_of(panels),
        notes=notes,
    )
    return analysis if flips is None else _stored(analysis, flips)


def _stored(analysis: ImageAnalysis, flips: Flips) -> ImageAnalysis:
    """Bring places from the image as it was looked at back to stored pixels."""
    return replace(
        analysis,
        panels=tuple(map(flips.stored_panel, analysis.panels)),
        heatmaps=tuple(map(flips.stored_heatmap, analysis.heatmaps)),
        structures=tuple(map(flips.stored_structures, analysis.structures)),
        notes=analysis.notes | flips.notes,
    )
