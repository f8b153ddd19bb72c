"""Why a gate rejects an image: which of its labels is named as the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.domain.panel import FRONTAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.domain.finding import Finding, PanelReading

LATERAL: Final = "lateral"
"""The label of a gate for a chest from the side."""
NOT_CHEST: Final = "not_chest"
"""The label of a gate for an image of anything else than a chest."""
NOT_CHEST_SUFFICES: Final = 0.25
"""Probability from which ``not_chest`` is the reason, whatever other label leads."""


def rejection_label(probabilities: Mapping[str, float]) -> str:
    """Choose the label that is named as the reason of a rejection.

    A lateral skull is no chest, and still resembles a lateral or a rotated chest more than anything
    else that the gate knows. To call it a chest misleads the sender. Another label is therefore
    clearly ahead only where ``not_chest`` stays below :data:`NOT_CHEST_SUFFICES`.

    Args:
        probabilities: Probability of each label. They sum to 1.

    Returns:
        ``frontal`` where it leads: the image is a frontal chest, but not surely enough.
        ``not_chest`` where it leads or reaches :data:`NOT_CHEST_SUFFICES`.
        Otherwise the most probable label.
    """
    leading = max(probabilities, key=lambda label: probabilities[label])
    if leading == FRONTAL or probabilities.get(NOT_CHEST, 0.0) < NOT_CHEST_SUFFICES:
        return leading
    return NOT_CHEST


def rejection_reason(gate: PanelReading) -> Finding:
    """Choose the result of a gate that is named as the reason of a rejection.

    Args:
        gate: Results of the gate, one for each label.

    Returns:
        The result of the label that :func:`rejection_label` chooses.
    """
    named = rejection_label({found.label: found.probability for found in gate.findings})
    return next(found for found in gate.findings if found.label == named)
