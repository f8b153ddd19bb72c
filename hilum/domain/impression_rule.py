"""The rule that draws an impression from the findings of all panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.impression import NOTHING_ASSESSED, Impression, ImpressionKind, NamedFinding
from hilum.domain.panel import Rank
from hilum.domain.verdict import margin, reason_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hilum.domain.finding import Finding, PanelReading


def impression_of(panels: Sequence[PanelReading]) -> Impression:
    """Draw the impression from the findings of all panels but the gate.

    Labels of the rank ``not_shown`` have no part in it. An experimental label has one where a site
    has switched it on, behind every validated one.
    """
    judged = [(panel, finding) for panel in panels for finding in panel.judged]
    positive = [(panel, finding) for panel, finding in judged if finding.positive]
    if positive:
        named = _named(sorted(positive, key=lambda pair: _order(pair[1])))
        others = f", also {_listed(one.display for one in named[1:])}" if len(named) > 1 else ""
        first = f"{_listed([named[0].display])} (probability {named[0].probability:.2f})"
        return Impression(ImpressionKind.FINDING, named, "", f"Finding: {first}{others}.")
    assessed = [finding for _, finding in judged if finding.positive is not None]
    if assessed:
        looked_for = _listed(dict.fromkeys(finding.display for finding in assessed))
        text = f"No finding. Looked for: {looked_for}.{_missing(panels)}"
        return Impression(ImpressionKind.NO_FINDING, (), "", text)
    reasons = list(dict.fromkeys(panel.scope_reason for panel in panels if panel.scope_reason))
    why = "; ".join(map(reason_text, reasons)) or "no label has an active operating point"
    reason = reasons[0] if reasons else NOTHING_ASSESSED
    return Impression(ImpressionKind.UNDETERMINED, (), reason, f"Not assessed: {why}.")


def _order(finding: Finding) -> tuple[bool, float]:
    """Validated ones first, then by the distance from the point, which a positive one has."""
    point = 0.0 if finding.operating_point is None else finding.operating_point
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
        if panel.not_assessed and any(f.rank is Rank.VALIDATED for f in panel.findings):
            causes.setdefault(panel.not_assessed, []).append(panel.title)
    return "".join(
        f" Not assessed: {_listed(names)} ({reason_text(reason)})."
        for reason, names in causes.items()
    )


def _listed(names: Iterable[str]) -> str:
    """Names within a sentence; an abbreviation keeps its capitals."""
    return ", ".join(word if word[1:2].isupper() else word[:1].lower() + word[1:] for word in names)
