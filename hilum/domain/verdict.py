"""From probabilities to verdicts: which labels of a panel are named, and what a verdict means."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from hilum.domain.panel import PanelKind
from hilum.domain.scope import REASONS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hilum.domain.panel import Label, OperatingPoint

NO_POINT: Final = "no_operating_point"
EXPERIMENTAL: Final = "experimental_label"

_REASONS: Final[Mapping[str, str]] = {
    **REASONS,
    NO_POINT: "no operating point: the evidence does not suffice for a verdict",
    EXPERIMENTAL: "experimental, and not switched on at this site",
}

_LEAST: Final = 1e-6
_HUNDRED: Final = 100
_THOUSAND: Final = 1000
_CLOSE: Final = 1e-6


def named_labels(
    kind: PanelKind,
    probabilities: Mapping[str, float],
    thresholds: Mapping[str, float],
    abnormal: Collection[str],
) -> frozenset[str]:
    """Return the labels that a panel names.

    Labels of a multi-label panel and of a gate are judged one by one. A single-label panel names at
    most one: of its abnormal labels at or above their operating points the one that is furthest
    above in log odds; without any, the surest normal one that reaches its point; otherwise none.
    So it never says normal and abnormal together.

    Args:
        kind: How the outputs are read.
        probabilities: By label, in [0, 1].
        thresholds: Operating points by label; a label without one is never named.
        abnormal: Labels whose positive verdict is a finding.
    """
    reached = [name for name, point in thresholds.items() if probabilities[name] >= point]
    if kind is not PanelKind.SINGLE_LABEL or not reached:
        return frozenset(reached)
    findings = [name for name in reached if name in abnormal]
    return frozenset(
        [max(findings or reached, key=lambda name: margin(probabilities[name], thresholds[name]))]
    )


def margin(probability: float, threshold: float) -> float:
    """Return how far a probability lies above an operating point, in log odds."""
    return _log_odds(probability) - _log_odds(threshold)


def predictive_value(sensitivity: float, specificity: float, prevalence: float) -> float | None:
    """Return the share of positive verdicts that are right (positive predictive value).

    Args:
        sensitivity: In [0, 1].
        specificity: In [0, 1].
        prevalence: Share of images that have the finding, in [0, 1].

    Returns:
        In [0, 1], or None where no verdict would be positive.
    """
    right = sensitivity * prevalence
    wrong = (1.0 - specificity) * (1.0 - prevalence)
    return right / (right + wrong) if right + wrong > 0.0 else None


def predictive_value_of(label: Label, point: OperatingPoint | None) -> float | None:
    """Return the positive predictive value of a label at its stated prevalence.

    Args:
        label: With a prevalence, or without.
        point: The active operating point, or None.

    Returns:
        In [0, 1] with four decimals, or None where a part of it is unknown.
    """
    if point is None or label.prevalence is None:
        return None
    if point.sensitivity is None or point.specificity is None:
        return None
    value = predictive_value(point.sensitivity, point.specificity, label.prevalence)
    return None if value is None else round(value, 4)


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


def reason_text(reason: str) -> str:
    """Return why a label was not assessed, in words that follow "Not assessed:".

    Args:
        reason: The reason of a finding or of a panel. It may come from another release.

    Returns:
        One line without a full stop, empty for an empty reason.
    """
    return _REASONS.get(reason, reason.replace("_", " "))


def _of_many(share: float) -> str:
    """Write a share as "5 of 100", or as "5 of 1000" where hundredths do not hold it."""
    hundredths = _HUNDRED * share
    if round(hundredths) >= 1 and abs(hundredths - round(hundredths)) < _CLOSE:
        return f"{round(hundredths)} of 100"
    return f"{_THOUSAND * share:.3g} of 1000"


def _log_odds(share: float) -> float:
    kept = min(max(share, _LEAST), 1.0 - _LEAST)
    return math.log(kept / (1.0 - kept))
