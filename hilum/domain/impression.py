"""The one answer of an analysis: what is said first of an image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NOTHING_ASSESSED: Final = "nothing_assessed"


class ImpressionKind(StrEnum):
    """``no_finding``: every label that was assessed is negative. ``finding``: one is positive.

    ``undetermined``: no label that could be a finding was assessed.
    """

    NO_FINDING = "no_finding"
    FINDING = "finding"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class NamedFinding:
    """A positive abnormal label.

    Attributes:
        panel: Panel name.
        label: Label name.
        display: For people.
        probability: Calibrated, in [0, 1].
    """

    panel: str
    label: str
    display: str
    probability: float


@dataclass(frozen=True, slots=True)
class Impression:
    """What is said first.

    Attributes:
        kind: The answer.
        findings: The surest first; empty unless the kind is ``finding``.
        reason: Why it is undetermined: a key of :data:`hilum.domain.scope.REASONS` or
            ``nothing_assessed``; otherwise empty.
        text: One line for people.
    """

    kind: ImpressionKind
    findings: tuple[NamedFinding, ...]
    reason: str
    text: str
