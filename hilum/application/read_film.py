"""Read a decoded film with a set of models: first the gate, then everything behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hilum.application.contradictions import contradictions
from hilum.application.orientation import Flips
from hilum.application.places import locate_within, lung_field, structures_reading
from hilum.application.reading import (
    INVERTED,
    ModelInputs,
    panel_reading,
    passes,
    turned,
    upright,
    with_evidence,
)
from hilum.domain.image_note import ImageNote
from hilum.domain.impression_rule import impression_of
from hilum.domain.model import PanelKind
from hilum.domain.scope import Depicted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hilum.application.ports.inference import InferenceEngine, Reading
    from hilum.domain.finding import Heatmap, PanelReading, StructuresReading
    from hilum.domain.impression import Impression
    from hilum.domain.model import ModelManifest, ModelSet, Panel
    from hilum.imaging.film import Film


@dataclass(frozen=True, slots=True)
class FilmReading:
    """What a set of models said of a film.

    Attributes:
        passed: Whether the gate let the film through; nothing but its scores is there otherwise.
        inverted: The grey scale was inverted before the film was read.
        gate: The gate's scores; None where the set has no gate, which lets every film through.
        panels: Readings in the order of the set, without the gate's.
        heatmaps: Of what is positive and abnormal.
        structures: Readings of the panels that outline structures.
        impression: What is said first; None where the gate stopped the film.
        notes: What was corrected on the film, and what contradicts it.
    """

    passed: bool
    inverted: bool
    gate: PanelReading | None
    panels: tuple[PanelReading, ...] = ()
    heatmaps: tuple[Heatmap, ...] = ()
    structures: tuple[StructuresReading, ...] = ()
    impression: Impression | None = None
    notes: frozenset[ImageNote] = frozenset()


@dataclass(frozen=True, slots=True)
class _AtGate:
    """A film before the gate: as it is looked at, what models give for it, and its scores."""

    film: Film
    inverted: bool
    outputs: Reading
    scores: PanelReading | None

    @property
    def passed(self) -> bool:
        return self.scores is None or passes(self.scores)


def read_film(film: Film, models: ModelSet, engine: InferenceEngine) -> FilmReading:
    """Read one film.

    A film whose header says that it is mirrored or upside down is flipped first. Where the gate
    accepts only the stored film, the header is not followed. Places are in stored pixels.

    Raises:
        InferenceUnavailable: The engine is down, busy or too slow.
        ModelNotServed: It serves no such model or version.
        InferenceFailed: A model gave something other than its manifest promises.
        InvalidManifest: A manifest asks for what this release does not have.
    """
    flips = Flips.of(film)
    seen = _looked_at(flips.looked_at(film) if flips else film, models, engine)
    notes = film.notes
    if flips is not None and not seen.passed:
        stored = _looked_at(film, models, engine)
        if stored.passed:
            notes = notes - flips.notes | {ImageNote.ORIENTATION_IGNORED}
            seen, flips = stored, None
    notes |= contradictions(film.header, seen.scores, passed=seen.passed)
    if not seen.passed:
        shown = notes - flips.notes if flips else notes
        return FilmReading(passed=False, inverted=seen.inverted, gate=seen.scores, notes=shown)
    if seen.inverted:
        notes |= {ImageNote.GREY_SCALE_INVERTED}
    read = _read_behind_gate(seen, models)
    if flips is None:
        return replace(read, notes=notes)
    return replace(
        read,
        panels=tuple(map(flips.stored_panel, read.panels)),
        heatmaps=tuple(map(flips.stored_heatmap, read.heatmaps)),
        structures=tuple(map(flips.stored_structures, read.structures)),
        notes=notes | flips.notes,
    )


def _looked_at(film: Film, models: ModelSet, engine: InferenceEngine) -> _AtGate:
    """Ask the gate about a film.

    A film that displays as its own negative is inverted first. Where the gate takes what it then
    sees for a negative, the film is inverted (back) and the gate is asked once more.
    """
    first, inverted = upright(film)
    seen = _before_gate(first, models, engine, inverted=inverted)
    if seen.scores is not None and seen.scores.leading.label == INVERTED:
        other = _before_gate(turned(first), models, engine, inverted=not inverted)
        if other.passed or not seen.passed:
            return other
    return seen


def _before_gate(
    film: Film, models: ModelSet, engine: InferenceEngine, *, inverted: bool
) -> _AtGate:
    outputs = engine.read(models, ModelInputs(film))
    if models.gate is None:
        return _AtGate(film, inverted, outputs, None)
    model, panel = models.gate
    return _AtGate(film, inverted, outputs, _probable(model, panel, outputs, Depicted()))


def _read_behind_gate(seen: _AtGate, models: ModelSet) -> FilmReading:
    size = seen.film.pixels.shape
    wanted = [(model, panel) for model in models.models for panel in model.panels]
    outlined = [
        (model, panel, _output(seen.outputs, model, "masks", panel))
        for model, panel in wanted
        if panel.kind is PanelKind.STRUCTURES
    ]
    locate = locate_within(lung_field((panel, masks) for _, panel, masks in outlined), size)
    readings: list[PanelReading] = []
    heatmaps: list[Heatmap] = []
    depicted = {model.name: _depicted(seen, model) for model in models.models}
    for model, panel in wanted:
        if panel.kind in {PanelKind.GATE, PanelKind.STRUCTURES}:
            continue
        reading = _probable(model, panel, seen.outputs, depicted[model.name])
        if model.has_output("heatmaps", panel.name):
            maps = _output(seen.outputs, model, "heatmaps", panel)
            reading, found = with_evidence(reading, maps, locate)
            heatmaps.extend(found)
        readings.append(reading)
    return FilmReading(
        passed=True,
        inverted=seen.inverted,
        gate=seen.scores,
        panels=tuple(readings),
        heatmaps=tuple(heatmaps),
        structures=tuple(
            structures_reading(model, panel, masks, size) for model, panel, masks in outlined
        ),
        impression=impression_of(readings),
    )


def _probable(
    model: ModelManifest, panel: Panel, outputs: Reading, depicted: Depicted
) -> PanelReading:
    probabilities = _output(outputs, model, "probabilities", panel)
    return panel_reading(model, panel, probabilities, depicted)


def _depicted(seen: _AtGate, model: ModelManifest) -> Depicted:
    """What the file and the pixels say of the person on the image."""
    header = seen.film.header
    measures: dict[str, float] = {}
    if model.scope_measures:
        values = seen.outputs.outputs(model)[model.output("scope", "").name][0]
        measures = dict(zip(model.scope_measures, map(float, values), strict=True))
    return Depicted(header.patient_age, header.view_position or "", measures)


def _output(outputs: Reading, model: ModelManifest, meaning: str, panel: Panel) -> NDArray[Any]:
    """The output of a panel for the one film."""
    film: NDArray[np.generic] = outputs.outputs(model)[model.output(meaning, panel.name).name][0]
    return film
