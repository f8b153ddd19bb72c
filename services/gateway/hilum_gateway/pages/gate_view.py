"""What the gate said of a film, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilum.application.analysis.gate import passes
from hilum.domain.gate import rejection_reason
from hilum.domain.model import FRONTAL

if TYPE_CHECKING:
    from hilum.domain.finding import Finding, PanelReading


@dataclass(frozen=True, slots=True)
class GateView:
    """The gate's verdict.

    Attributes:
        reading: As the gate gave it.
        passed: The film was let through.
        frontal: The score that decides.
        leading: The result that is the reason of a rejection.
        scores: Every label, the most probable first.
    """

    reading: PanelReading
    passed: bool
    frontal: Finding | None
    leading: Finding
    scores: tuple[Finding, ...]

    @classmethod
    def of(cls, reading: PanelReading | None) -> GateView | None:
        """Of the gate's reading, where there was a gate."""
        if reading is None:
            return None
        return cls(
            reading=reading,
            passed=passes(reading),
            frontal=reading.finding(FRONTAL),
            leading=rejection_reason(reading),
            scores=tuple(sorted(reading.findings, key=lambda score: -score.probability)),
        )
