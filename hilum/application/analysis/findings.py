"""Findings: what each panel says of an image, inside its scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.assessment import assess
from hilum.domain.model import PanelKind
from hilum.domain.scope import Depicted

if TYPE_CHECKING:
    from hilum.application.analysis.gate import Gated
    from hilum.domain.finding import PanelReading
    from hilum.domain.model import ModelManifest, ModelSet


def find(gated: Gated, models: ModelSet) -> tuple[PanelReading, ...]:
    """Return the readings of all panels of findings, in the order of the set."""
    depicted = {model.name: _depicted(gated, model) for model in models.models}
    return tuple(
        assess(model, panel, gated.inferred.probabilities(model, panel), depicted[model.name])
        for model in models.models
        for panel in model.panels
        if panel.kind not in {PanelKind.GATE, PanelKind.STRUCTURES}
    )


def _depicted(gated: Gated, model: ModelManifest) -> Depicted:
    """What the file and the pixels say of the person on the image."""
    header = gated.view.film.header
    measures: dict[str, float] = {}
    if model.scope_measures:
        values = gated.inferred.output(model, "scope")
        measures = dict(zip(model.scope_measures, map(float, values), strict=True))
    return Depicted(header.patient_age, header.view_position or "", measures)
