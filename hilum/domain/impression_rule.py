"""The rule that draws an impression from the findings of all panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.impression import NOTHING_ASSESSED, Impression, ImpressionKind, NamedFinding
from hilum.domain.panel import Rank
from hilum.domain.scope import REASONS
from hilum.domain.verdict import margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hilum.domain.finding import Finding, PanelReading


def impression_of(panels: Sequence[PanelReading]) -> Impression:
    """Draw the impression from the findings of all panels but the gate.

    Labels of the rank ``not_shown`` have no part in it. An experimental label has one where a site
    has switched it on, behind every validated one.
    """
    positive = [(panel, finding) for panel, finding in _abnormal(panels) if finding.positive]
    if positive:
        named = _named(sorted(positive, key=lambda pair: _order(pair[1])))
        others = f", also {_listed(named[1:])}" if len(named) > 1 else ""
        text = (
            f"Finding: {named[0].display.lower()} (probability {named[0].probability:.2f}){others}."
        )
        return Impression(ImpressionKind.FINDING, named, "", text)
    assessed = [finding for _, finding in _abnormal(panels) if finding.positive is not None]
    missing = _missing(panels)
    if assessed:
        looked_for = _listed(dict.fromkeys(finding.display for finding in assessed))
        return Impression(
            ImpressionKind.NO_FINDING, (), "", f"No finding. Looked for: {looked_for}.{missing}"
        )
    reasons = [panel.scope_reason for panel in panels if panel.scope_reason]
    reason = reasons[0] if reasons else NOTHING_ASSESSED
    why = REASONS.get(reason, "no label has an active operating point")
    return Impression(ImpressionKind.UNDETERMINED, (), reason, f"Not assessed: {why}.")


def _abnormal(panels: Iterable[PanelReading]) -> list[tuple[PanelReading, Finding]]:
    return [
        (panel, finding)
        for panel in panels
        for finding in panel.findings
        if finding.abnormal and finding.rank is not Rank.NOT_SHOWN
    ]


def _order(finding: Finding) -> tuple[bool, float]:
    point = 0.5 if finding.operating_point is None else finding.operating_point
    return finding.rank is not Rank.VALIDATED, -margin(finding.probability, point)


def _named(positive: Iterable[tuple[PanelReading, Finding]]) -> tuple[NamedFinding, ...]:
    """One finding of each display name: panels overlap."""
    found: dict[str, NamedFinding] = {}
    for panel, finding in positive:
        entry = NamedFinding(panel.panel, finding.label, finding.display, finding.probability)
        found.setdefault(finding.display, entry)
    return tuple(found.values())


def _missing(panels: Iterable[PanelReading]) -> str:
    """What was not assessed for reasons of scope, one sentence for each cause."""
    causes: dict[str, list[str]] = {}
    for panel in panels:
        if panel.scope_reason and any(f.rank is Rank.VALIDATED for f in panel.findings):
            causes.setdefault(panel.scope_reason, []).append(panel.display or panel.panel)
    return "".join(
        f" Not assessed: {_listed(names)} ({REASONS.get(reason, reason)})."
        for reason, names in causes.items()
    )


def _listed(names: Iterable[str | NamedFinding]) -> str:
    words = [name.display if isinstance(name, NamedFinding) else name for name in names]
    return ", ".join(word if word[1:2].isupper() else word[:1].lower() + word[1:] for word in words)
