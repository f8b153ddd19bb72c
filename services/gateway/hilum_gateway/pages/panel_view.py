"""A panel as the page shows it: what a reader looks for first, first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.domain.model import PanelKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hilum.domain.finding import Analysis, Finding, PanelReading

FEW: Final = 5
"""A panel with no more labels than these is always shown whole."""


@dataclass(frozen=True, slots=True)
class PanelView:
    """One panel.

    Attributes:
        reading: As the model gave it.
        findings: What is positive and abnormal first, each part by falling probability.
        positives: The abnormal and positive ones among them.
    """

    reading: PanelReading
    findings: tuple[Finding, ...]
    positives: tuple[Finding, ...]

    @classmethod
    def of(cls, reading: PanelReading) -> PanelView:
        """Of a panel's reading."""
        ordered = sorted(
            reading.findings, key=lambda finding: (not is_headline(finding), -finding.probability)
        )
        return cls(reading, tuple(ordered), tuple(filter(is_headline, ordered)))

    @property
    def folds(self) -> bool:
        """Whether its table can be folded away."""
        return len(self.findings) > FEW

    @property
    def open(self) -> bool:
        """Whether its table is seen at once."""
        return bool(self.positives) or not self.folds

    @property
    def sums_to_one(self) -> bool:
        """Whether its probabilities share one certainty."""
        return self.reading.kind is PanelKind.SINGLE_LABEL

    @property
    def weak(self) -> bool:
        """Whether any of its labels rests on weak evidence."""
        return any(finding.weak for finding in self.findings)

    @property
    def all_weak(self) -> bool:
        """Whether every label that can be a finding rests on weak evidence."""
        return all(finding.weak for finding in self.findings if finding.abnormal) and self.weak

    def marks_weak(self, finding: Finding) -> bool:
        """Whether a finding's row says that its evidence is weak.

        Where the whole panel is weak its heading says so, and only what is positive says it again.
        """
        return finding.weak and (not self.all_weak or is_headline(finding))

    @property
    def display(self) -> str:
        """The panel for people."""
        return self.reading.display or self.reading.panel.replace("_", " ").capitalize()


def is_headline(finding: Finding) -> bool:
    """Whether a finding is what a reader looks for first: abnormal and positive."""
    return finding.abnormal and finding.positive


def panel_views(analysis: Analysis) -> list[PanelView]:
    """The panels of a result, in their order."""
    return [PanelView.of(reading) for reading in analysis.panels]


def headlines(panels: Iterable[PanelReading]) -> tuple[tuple[PanelReading, Finding], ...]:
    """What is abnormal and positive in any panel, the most telling first.

    A finding with weak evidence stands behind every other, however probable; then the more
    probable one comes first.
    """
    found = [
        (reading, finding)
        for reading in panels
        for finding in reading.findings
        if is_headline(finding)
    ]
    return tuple(sorted(found, key=lambda pair: (pair[1].weak, -pair[1].probability)))
