"""From probabilities to verdicts: operating points inside the scope of a panel."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from hilum.domain.errors import InferenceFailed
from hilum.domain.finding import Finding, PanelReading
from hilum.domain.model import Rank
from hilum.domain.scope import outside, shows_a_child
from hilum.domain.verdict import EXPERIMENTAL, NO_POINT, named_labels, predictive_value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.model import Label, ModelManifest, OperatingPoint, Panel
    from hilum.domain.scope import Depicted


def assess(
    model: ModelManifest,
    panel: Panel,
    probabilities: Sequence[float],
    depicted: Depicted | None = None,
) -> PanelReading:
    """Return the findings of a panel: what its operating points say of probabilities.

    Args:
        model: Gave them.
        panel: A panel of the model, with its active operating points.
        probabilities: In the order of the panel's labels.
        depicted: What is known of the image; None counts as inside every scope.

    Raises:
        InferenceFailed: A probability is no number.
    """
    if not all(map(isfinite, probabilities)):
        raise InferenceFailed(f"{model.name} {model.version} gave a non-finite probability")
    given = {
        label.name: round(value, 6)
        for label, value in zip(panel.labels, probabilities, strict=True)
    }
    beyond = outside(panel.scope, depicted) if depicted else ""
    points = {point.label: point for point in panel.operating_points if point.holds(beyond)}
    abnormal = {label.name for label in panel.labels if label.abnormal}
    child = (
        depicted is not None
        and any(point.child_threshold is not None for point in points.values())
        and shows_a_child(panel.scope, depicted)
    )
    thresholds = {name: point.threshold_for(child=child) for name, point in points.items()}
    named = named_labels(panel.kind, given, thresholds, abnormal)
    findings = [
        _finding(
            label,
            given[label.name],
            points.get(label.name),
            positive=label.name in named,
            beyond=beyond,
            child=child,
        )
        for label in panel.labels
    ]
    return PanelReading(
        panel=panel.name,
        model=model.name,
        version=model.version,
        findings=tuple(findings),
        display=panel.display,
        kind=panel.kind,
        caution=panel.caution,
        scope_reason=beyond,
        child=child,
    )


def _finding(
    label: Label,
    probability: float,
    point: OperatingPoint | None,
    *,
    positive: bool,
    beyond: str,
    child: bool,
) -> Finding:
    """A label with its verdict, or with the cause why it has none.

    The measured sensitivity and specificity are those of the point for anybody else: at the one for
    small children no predictive value is known.
    """
    reason = ""
    if point is None:
        unassessed = NO_POINT if label.rank is Rank.VALIDATED else EXPERIMENTAL
        reason = beyond or unassessed
    for_child = child and point is not None and point.child_threshold is not None
    return Finding(
        label=label.name,
        display=label.display,
        probability=probability,
        operating_point=point.threshold_for(child=child) if point else None,
        positive=None if reason else positive,
        abnormal=label.abnormal,
        weak=label.weak,
        code=label.code,
        rank=label.rank,
        reason=reason,
        prevalence=label.prevalence,
        predictive_value=None if for_child else predictive_value_of(label, point),
    )
