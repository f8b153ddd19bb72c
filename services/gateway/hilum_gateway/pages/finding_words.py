"""What a finding means, in sentences for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.domain.model import Rank
from hilum.domain.verdict import predictive_words

if TYPE_CHECKING:
    from hilum.domain.finding import Finding

OUTSIDE_LUNGS: Final = "Most of this map lies outside the lungs: no box is drawn."


def is_shown(finding: Finding) -> bool:
    """Whether a page may show a finding at all."""
    return finding.rank is not Rank.NOT_SHOWN


def is_headline(finding: Finding) -> bool:
    """Whether a finding is abnormal, positive and shown."""
    return finding.abnormal and finding.positive is True and is_shown(finding)


def is_weak(finding: Finding) -> bool:
    """Whether a model of the release before ranks says that its evidence is weak."""
    return finding.weak and finding.rank is Rank.VALIDATED


def rank_words(finding: Finding) -> str:
    """Return what a finding's evidence is called where it is less than validated, or nothing."""
    if finding.rank is Rank.EXPERIMENTAL:
        return "experimental"
    return "weak evidence" if is_weak(finding) else ""


def meaning(finding: Finding) -> str:
    """Say what a positive finding means at its stated prevalence. It is empty for any other."""
    if not is_headline(finding):
        return ""
    return predictive_words(finding.prevalence, finding.predictive_value)
