"""The impression as the pages show it: in words and in a colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.domain.impression import ImpressionKind
from hilum_gateway.pages.finding_words import meaning, rank_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hilum.domain.finding import Finding, PanelReading
    from hilum.domain.impression import Impression, NamedFinding

WORDS: Final[Mapping[ImpressionKind, str]] = {
    ImpressionKind.NO_FINDING: "No finding",
    ImpressionKind.FINDING: "Finding",
    ImpressionKind.UNDETERMINED: "Undetermined",
}


@dataclass(frozen=True, slots=True)
class NamedView:
    """A finding that the impression names.

    Attributes:
        named: As the impression names it.
        panel: Its panel for people.
        operating_point: That it reached, or None where the panels do not say.
        rank: What its evidence is called where it is less than validated; otherwise empty.
        meaning: What it means at a stated prevalence; empty where that is unknown.
    """

    named: NamedFinding
    panel: str
    operating_point: float | None = None
    rank: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class ImpressionView:
    """An impression.

    Attributes:
        kind: Its kind; names the style.
        words: Its kind in words.
        text: What else it says; empty where findings are named.
        findings: The surest first.
    """

    kind: str
    words: str
    text: str
    findings: tuple[NamedView, ...]

    @classmethod
    def of(
        cls, impression: Impression | None, panels: Iterable[PanelReading]
    ) -> ImpressionView | None:
        """Make it from an impression, where there is one.

        Args:
            impression: None for results of releases that drew none.
            panels: The findings that it was drawn from.
        """
        if impression is None:
            return None
        words = WORDS[impression.kind] + ("s" if len(impression.findings) > 1 else "")
        text = "" if impression.findings else impression.text.removeprefix(f"{words}. ")
        known = {
            (panel.panel, finding.label): (panel, finding)
            for panel in panels
            for finding in panel.findings
        }
        return cls(
            kind=impression.kind.value.replace("_", "-"),
            words=words,
            text=text,
            findings=tuple(_named_view(named, known) for named in impression.findings),
        )


def _named_view(
    named: NamedFinding, known: Mapping[tuple[str, str], tuple[PanelReading, Finding]]
) -> NamedView:
    found = known.get((named.panel, named.label))
    if found is None:
        return NamedView(named, named.panel.replace("_", " ").capitalize())
    panel, finding = found
    return NamedView(
        named=named,
        panel=panel.title,
        operating_point=finding.operating_point,
        rank=rank_words(finding),
        meaning=meaning(finding),
    )
