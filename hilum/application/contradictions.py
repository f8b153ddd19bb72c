"""Where the header of an image and the gate contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.gate import LATERAL, NOT_CHEST, rejection_reason
from hilum.domain.image_note import ImageNote

if TYPE_CHECKING:
    from hilum.domain.finding import PanelReading
    from hilum.imaging.film import FilmHeader


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
