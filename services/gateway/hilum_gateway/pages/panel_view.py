"""A panel as the page shows it: positive findings first, experimental labels folded away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.domain.model import PanelKind, Rank
from hilum.domain.verdict import EXPERIMENTAL, reason_text
from hilum_gateway.pages.finding_words import (
    OUTSIDE_LUNGS,
    is_headline,
    is_shown,
    is_weak,
    meaning,
)

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
        findings: Rows of the table: what is positive and abnormal first.
        experimental: Experimental labels without a verdict, in the order of the panel.
        positives: What is positive and abnormal among ``findings``.
        named_once: A single-label panel names at most one label. In results of the release before
            it named every label that reached its operating point.
    """

    reading: PanelReading
    findings: tuple[Finding, ...]
    experimental: tuple[Finding, ...]
    positives: tuple[Finding, ...]
    named_once: bool = True

    @classmethod
    def of(cls, reading: PanelReading, *, named_once: bool = True) -> PanelView:
        """Make it from a panel's findings."""
        shown = [finding for finding in reading.findings if is_shown(finding)]
        folded = [finding for finding in shown if _is_folded(finding)]
        ordered = sorted(
            (finding for finding in shown if not _is_folded(finding)), key=_place_in_table
        )
        return cls(
            reading, tuple(ordered), tuple(folded), tuple(filter(is_headline, ordered)), named_once
        )

    @property
    def out_of_scope(self) -> str:
        """Why nothing of it was assessed, in words; empty where something was."""
        return reason_text(self.reading.not_assessed)

    @property
    def assessed(self) -> int:
        """How many findings of the table have a verdict."""
        return sum(finding.positive is not None for finding in self.findings)

    @property
    def folds(self) -> bool:
        """Whether its table can be folded away."""
        return len(self.findings) > FEW

    @property
    def open(self) -> bool:
        """Whether its table is seen at once."""
        return bool(self.positives) or not self.folds

    @property
    def summary(self) -> str:
        """What the table's fold says while it is closed."""
        count = len(self.findings)
        if not self.assessed:
            return f"{count} scores without a verdict"
        of = f"{count} findings" if self.assessed == count else f"{self.assessed} assessed findings"
        if self.positives:
            return f"{len(self.positives)} of {of} at or above the operating point"
        return f"None of {of} reaches its operating point"

    @property
    def sums_to_one(self) -> bool:
        """Whether its probabilities sum to 1."""
        return self.reading.kind is PanelKind.SINGLE_LABEL

    @property
    def weak(self) -> bool:
        """Whether any of its labels rests on weak evidence."""
        return any(map(is_weak, self.findings))

    @property
    def all_weak(self) -> bool:
        """Whether every label that can be a finding rests on weak evidence."""
        return self.weak and all(is_weak(one) for one in self.findings if one.abnormal)

    def marks_weak(self, finding: Finding) -> bool:
        """Whether a finding's row says that its evidence is weak.

        Where the whole panel is weak its heading says so, and only what is positive says it again.
        """
        return is_weak(finding) and (not self.all_weak or is_headline(finding))

    def notes(self, finding: Finding) -> list[str]:
        """Say what a row means: why there is no verdict, what one is worth, where its map lies.

        A reason that stands above the table already is not said again.
        """
        said = {"", self.reading.not_assessed}
        reason = "" if finding.reason in said or finding in self.experimental else finding.reason
        notes = (
            f"Not assessed: {reason_text(reason)}." if reason else "",
            meaning(finding),
            OUTSIDE_LUNGS if finding.outside_lungs else "",
        )
        return [note for note in notes if note]

    @property
    def experimental_reason(self) -> str:
        """Why no experimental label has a verdict, in words."""
        return reason_text(self.reading.not_assessed or EXPERIMENTAL)


def panel_views(analysis: Analysis) -> list[PanelView]:
    """Return the panels of a result that have a label to show, in their order."""
    once = analysis.impression is not None
    views = [PanelView.of(reading, named_once=once) for reading in analysis.panels]
    return [view for view in views if view.findings or view.experimental]


def headlines(panels: Iterable[PanelReading]) -> tuple[tuple[PanelReading, Finding], ...]:
    """Return what is abnormal and positive in any panel, the most telling first.

    An experimental finding and one with weak evidence stand behind every other, however probable.
    Then the more probable one comes first.
    """
    found = [
        (reading, finding)
        for reading in panels
        for finding in reading.findings
        if is_headline(finding)
    ]
    return tuple(sorted(found, key=_place_in_headlines))


def _is_folded(finding: Finding) -> bool:
    return finding.rank is Rank.EXPERIMENTAL and finding.positive is None


def _place_in_table(finding: Finding) -> tuple[bool, bool, float]:
    """Put what has no verdict last, in the order of the panel: its scores rank nothing."""
    missing = finding.positive is None
    return not is_headline(finding), missing, 0.0 if missing else -finding.probability


def _place_in_headlines(pair: tuple[PanelReading, Finding]) -> tuple[bool, bool, float]:
    finding = pair[1]
    return finding.rank is not Rank.VALIDATED, finding.weak, -finding.probability
