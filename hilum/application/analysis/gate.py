"""The gate: whether an image is a frontal chest radiograph, and which view of it is analysed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilum.domain.assessment import assess
from hilum.domain.gate import LATERAL, NOT_CHEST, rejection_reason
from hilum.domain.image_note import ImageNote
from hilum.domain.model import FRONTAL
from hilum.domain.scope import Depicted

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.application.analysis.infer import Inferred
    from hilum.application.analysis.normalise import View, Views
    from hilum.domain.finding import PanelReading
    from hilum.domain.model import ModelSet
    from hilum.imaging.film import FilmHeader

INVERTED = "inverted"
"""The label of a gate that takes an image for its own negative."""


@dataclass(frozen=True, slots=True)
class Gated:
    """A view that the gate was asked about.

    Attributes:
        view: The image as it is looked at.
        inferred: What models give for it.
        scores: The gate's; None where the set has no gate, which accepts every image.
    """

    view: View
    inferred: Inferred
    scores: PanelReading | None

    @property
    def passed(self) -> bool:
        """The gate accepts the image."""
        return self.scores is None or passes(self.scores)


def pass_gate(views: Views, models: ModelSet, infer: Callable[[View], Inferred]) -> Gated:
    """Choose the view of an image that is analysed, or the one that tells why none is.

    Where the gate accepts only the stored image, the header that says that it is mirrored or upside
    down is not followed. Where it takes a view for a negative, it is asked about the inverse.

    Args:
        views: Of the image.
        models: With or without a gate.
        infer: Puts a view before the models.
    """
    seen = _looked_at(views.first, models, infer)
    if views.stored is not None and not seen.passed:
        stored = _looked_at(views.stored, models, infer)
        if stored.passed:
            return stored
    return seen


def _looked_at(view: View, models: ModelSet, infer: Callable[[View], Inferred]) -> Gated:
    seen = _asked(view, models, infer)
    if seen.scores is not None and seen.scores.leading.label == INVERTED:
        other = _asked(view.inverse(), models, infer)
        if other.passed or not seen.passed:
            return other
    return seen


def _asked(view: View, models: ModelSet, infer: Callable[[View], Inferred]) -> Gated:
    inferred = infer(view)
    if models.gate is None:
        return Gated(view, inferred, None)
    model, panel = models.gate
    scores = assess(model, panel, inferred.probabilities(model, panel), Depicted())
    return Gated(view, inferred, scores)


def contradictions(
    header: FilmHeader, gate: PanelReading | None, *, passed: bool
) -> frozenset[ImageNote]:
    """Return what the header says otherwise than the gate.

    Args:
        header: Of the image.
        gate: Its scores; None where no gate was asked, which accepts every image.
        passed: Whether it accepted the image.
    """
    label = "" if passed or gate is None else rejection_reason(gate).label
    held = {
        ImageNote.HEADER_VIEW_NOT_FRONTAL: passed and header.frontal is False,
        ImageNote.HEADER_BODY_PART_OTHER: passed and header.chest is False,
        ImageNote.HEADER_ONE_SIDE: passed and header.one_side,
        ImageNote.HEADER_VIEW_FRONTAL: label == LATERAL and header.frontal is True,
        ImageNote.HEADER_BODY_PART_CHEST: label == NOT_CHEST and header.chest is True,
    }
    return frozenset(note for note, contradicted in held.items() if contradicted)


def passes(gate: PanelReading) -> bool:
    """Whether the gate lets the film through: it is frontal, at the operating point or above."""
    frontal = gate.finding(FRONTAL)
    return frontal is not None and frontal.positive is True


def gate_refusal(gate: PanelReading) -> str:
    """Say why the gate rejected an image, in words and with its probabilities.

    The reason is the label that :func:`hilum.domain.gate.rejection_label` chooses.
    """
    frontal = gate.finding(FRONTAL)
    score = f"frontal {frontal.probability:.2f}" if frontal is not None else "not frontal"
    reason = rejection_reason(gate)
    if reason.label == FRONTAL:
        least = reason.operating_point
        point = "" if least is None else f", at least {least:.2f} is asked for"
        return f"not surely a frontal chest film ({score}{point})"
    words = reason.display[:1].lower() + reason.display[1:]
    return f"looks like: {words} ({reason.probability:.2f}), {score}"
