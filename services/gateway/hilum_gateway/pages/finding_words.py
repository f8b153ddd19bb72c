"""What a finding means, in sentences for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.application.places import LEAST_IN_LUNGS
from hilum.domain.model import Rank

if TYPE_CHECKING:
    from hilum.domain.finding import Finding

OUTSIDE_LUNGS: Final = "Most of this map lies outside the lungs: no box is drawn."
_HUNDRED: Final = 100
_THOUSAND: Final = 1000
_CLOSE: Final = 1e-6


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


def is_outside_lungs(finding: Finding) -> bool:
    """Whether most of a finding's heatmap lies outside the lungs."""
    return finding.map_in_lungs is not None and finding.map_in_lungs < LEAST_IN_LUNGS


def predictive_words(prevalence: float | None, value: float | None) -> str:
    """Say what a positive verdict means at a prevalence, e.g. "If 5 of 100 images show it, ...".

    Args:
        prevalence: Share of images with the finding, in [0, 1], or None.
        value: Positive predictive value at that prevalence, in [0, 1], or None.

    Returns:
        A sentence, or an empty string where one of them is None.
    """
    if prevalence is None or value is None:
        return ""
    right = round(_HUNDRED * value)
    flagged = "fewer than 1" if right == 0 else str(right)
    return f"If {_of_many(prevalence)} images show it, {flagged} of 100 flagged images do."


def meaning(finding: Finding) -> str:
    """Say what a positive finding means at its stated prevalence. It is empty for any other."""
    if not is_headline(finding):
        return ""
    return predictive_words(finding.prevalence, finding.predictive_value)


def _of_many(share: float) -> str:
    """Write a share as "5 of 100", or as "5 of 1000" where hundredths do not hold it."""
    hundredths = _HUNDRED * share
    if round(hundredths) >= 1 and abs(hundredths - round(hundredths)) < _CLOSE:
        return f"{round(hundredths)} of 100"
    return f"{_THOUSAND * share:.3g} of 1000"
