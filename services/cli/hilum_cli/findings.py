"""What an analysis says of each image: first the impression, then the findings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from hilum.domain.job import JobState
from hilum.domain.model import Rank
from hilum.domain.scope import AGE, CHILD, UNLIKE_TRAINING, VIEW
from hilum.domain.verdict import EXPERIMENTAL, NO_POINT, predictive_words
from hilum_cli.table import NOTICE, print_prose, print_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

COLUMNS: Final = ("panel", "finding", "probability", "point", "positive", "time")
_NOTHING: Final = "-"
_SHORT_REASONS: Final = {
    AGE: "age",
    VIEW: "view",
    CHILD: "child",
    UNLIKE_TRAINING: "unlike training",
    NO_POINT: "no point",
    EXPERIMENTAL: "experimental",
}


@dataclass(frozen=True, slots=True)
class FilmOutcome:
    """An image and how it ended.

    Attributes:
        path: On this machine.
        job: The job as the gateway gave it last, or None if the image was refused at ingestion.
        refusal: Code, detail and advice, if it was.
    """

    path: Path
    job: Mapping[str, Any] | None
    refusal: Mapping[str, str | None] | None = None

    @property
    def good(self) -> bool:
        """Whether nothing went wrong (so far)."""
        return self.job is not None and JobState(self.job["state"]) in {
            JobState.RECEIVED,
            JobState.QUEUED,
            JobState.RUNNING,
            JobState.COMPLETED,
        }

    @property
    def reason(self) -> Mapping[str, str | None] | None:
        """Why it has no result, if something says so."""
        return self.refusal if self.job is None else self.job.get("reason")

    @property
    def impression(self) -> str:
        """The one line that is said first: the impression, or the state and its reason.

        Results of releases before 0.3.0 have no impression; their state stands in its place.
        """
        if self.job is None:
            return _state("refused", self.reason)
        result = self.job.get("result")
        if not result:
            return _state(str(self.job["state"]), self.reason)
        impression = result.get("impression")
        return str(impression["text"]) if impression else str(self.job["state"])

    def rows(
        self, *, every_label: bool = False, experimental: bool = False
    ) -> list[tuple[str, ...]]:
        """Return rows of :data:`COLUMNS`, none without a result.

        A panel with an abnormal finding stands before the others. Of each panel stand the positive
        labels, or the most probable one where none is, and in one row how many more there are.

        Args:
            every_label: Every label in a row of its own.
            experimental: Experimental labels, too, where they have no verdict.
        """
        panels = sorted(self.panels, key=lambda panel: not any(map(_alarming, panel["findings"])))
        return [
            (panel["panel"], *cells, _seconds(self.job or {}))
            for panel in panels
            for cells in _panel_cells(
                _shown(panel, experimental=experimental), every_label=every_label
            )
        ]

    def notes(self) -> list[str]:
        """Return what was corrected on the image, and what its header says, one line each."""
        noted = (self.job or {}).get("notes") or ()
        return [f"{note['kind']}: {note['text']} ({note['code']})" for note in noted]

    def ratios(self) -> list[str]:
        """Return the cardiothoracic ratio of each panel that outlines structures."""
        result = self.job.get("result") if self.job else None
        return [
            f"{reading['panel']}: {_ratio(reading['cardiothoracic_ratio'])}"
            for reading in (result or {}).get("structures") or ()
        ]

    @property
    def panels(self) -> list[Mapping[str, Any]]:
        """The panels as the gateway gave them; empty without a result."""
        result = self.job.get("result") if self.job else None
        return list(result["panels"]) if result else []

    def document(self) -> dict[str, Any]:
        """Return the job under the image's path, for ``--json``."""
        return {
            "file": str(self.path),
            "state": "refused" if self.job is None else self.job["state"],
            "reason": self.reason,
            "job": self.job,
        }


def print_findings(
    outcomes: Sequence[FilmOutcome], *, every_label: bool = False, experimental: bool = False
) -> None:
    """Print impressions, the table of findings, and what is to be known about them.

    Args:
        outcomes: Images and how they ended.
        every_label: See :meth:`FilmOutcome.rows`.
        experimental: See :meth:`FilmOutcome.rows`.
    """
    for outcome in outcomes:
        print_prose(f"{outcome.path}: {outcome.impression}")
        if advice := (outcome.reason or {}).get("advice"):
            print_prose(f"  {advice}")
        for note in outcome.notes():
            print_prose(f"  {note}")
    names = _names(outcomes)
    rows = [
        (name, *row)
        for name, outcome in zip(names, outcomes, strict=True)
        for row in outcome.rows(every_label=every_label, experimental=experimental)
    ]
    several = len(outcomes) > 1
    if rows:
        click.echo()
        columns = ("file", *COLUMNS)
        print_table(columns[not several :], [row[not several :] for row in rows])
    for name, outcome in zip(names, outcomes, strict=True):
        for ratio in outcome.ratios():
            print_prose(f"{name}, {ratio}" if several else ratio)
    panels = [panel for outcome in outcomes for panel in outcome.panels]
    _print_notes(panels, {(row[1], row[2]) for row in rows}, experimental=experimental)
    click.echo(NOTICE)


def _print_notes(
    panels: Sequence[Mapping[str, Any]], shown: set[tuple[str, str]], *, experimental: bool
) -> None:
    """Print what is to be known about the labels in a table, each sentence once."""
    findings = [
        (panel["panel"], finding)
        for panel in panels
        for finding in panel["findings"]
        if (panel["panel"], finding["label"]) in shown
    ]
    notes = [*_meanings(findings), *_reasons(finding for _, finding in findings)]
    if weak := _labels(findings, _is_weak):
        notes.append(f"Weak evidence, a hint at most: {weak}.")
    if tried := _labels(findings, _is_experimental):
        notes.append(f"Experimental: {tried}.")
    notes.extend([] if experimental else _left_out(panels))
    notes.extend(
        f"{panel['panel']}: {panel['caution']}" for panel in panels if panel.get("caution")
    )
    for note in dict.fromkeys(notes):
        print_prose(note)


def _meanings(findings: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """What a positive verdict means at the stated prevalence."""
    return [
        f"{panel}, {finding['label']}: {words}"
        for panel, finding in findings
        if _alarming(finding)
        and (words := predictive_words(finding.get("prevalence"), finding.get("predictive_value")))
    ]


def _reasons(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Why labels were not assessed, in full."""
    return [
        f"{_verdict(finding)} means: not assessed, {finding['reason_text']}."
        for finding in findings
        if finding["positive"] is None and finding.get("reason_text")
    ]


def _left_out(panels: Iterable[Mapping[str, Any]]) -> list[str]:
    """How many labels of each panel are folded away."""
    counts: Counter[str] = Counter()
    for panel in panels:
        hidden = len(_shown(panel, experimental=True)) - len(_shown(panel, experimental=False))
        counts[panel["panel"]] = max(counts[panel["panel"]], hidden)
    named = ", ".join(f"{panel} {count}" for panel, count in counts.items() if count)
    return [f"Experimental labels left out ({named}): --all-labels prints them."] if named else []


def _labels(findings: Iterable[tuple[str, Mapping[str, Any]]], of: Any) -> str:
    return ", ".join(dict.fromkeys(finding["label"] for _, finding in findings if of(finding)))


def _is_weak(finding: Mapping[str, Any]) -> bool:
    """Whether a model of the release before ranks says so."""
    return bool(finding.get("weak")) and finding.get("rank", Rank.VALIDATED) == Rank.VALIDATED


def _is_experimental(finding: Mapping[str, Any]) -> bool:
    return bool(finding.get("rank") == Rank.EXPERIMENTAL)


def _shown(panel: Mapping[str, Any], *, experimental: bool) -> list[Mapping[str, Any]]:
    """The findings of a panel that may be shown.

    An experimental one that has a verdict was switched on at the site.
    """
    return [
        finding
        for finding in panel["findings"]
        if finding.get("rank") != Rank.NOT_SHOWN
        and (experimental or not _is_experimental(finding) or finding["positive"] is not None)
    ]


def _panel_cells(
    findings: Sequence[Mapping[str, Any]], *, every_label: bool
) -> list[tuple[str, ...]]:
    if every_label:
        return [_cells(finding) for finding in findings]
    falling = sorted(findings, key=lambda finding: -finding["probability"])
    positive = [finding for finding in falling if finding["positive"]]
    shown = sorted(positive, key=lambda finding: not _alarming(finding)) or falling[:1]
    rest = [finding for finding in falling if finding not in shown]
    if not rest:
        return [_cells(finding) for finding in shown]
    verdicts = " or ".join(dict.fromkeys(_verdict(finding).split()[0] for finding in rest))
    more = (f"({len(rest)} more)", f"<= {rest[0]['probability']:.3f}", _NOTHING, verdicts)
    return [*(_cells(finding) for finding in shown), more]


def _cells(finding: Mapping[str, Any]) -> tuple[str, ...]:
    assessed = finding["positive"] is not None
    return (
        finding["label"],
        f"{finding['probability']:.3f}",
        f"{finding['operating_point']:.3f}" if assessed else _NOTHING,
        _verdict(finding),
    )


def _verdict(finding: Mapping[str, Any]) -> str:
    if finding["positive"] is None:
        reason = str(finding.get("reason") or "")
        return f"{_NOTHING} ({_SHORT_REASONS.get(reason, reason)})" if reason else _NOTHING
    return "yes" if finding["positive"] else "no"


def _alarming(finding: Mapping[str, Any]) -> bool:
    return bool(
        finding["positive"] and finding["abnormal"] and finding.get("rank") != Rank.NOT_SHOWN
    )


def _names(outcomes: Sequence[FilmOutcome]) -> list[str]:
    """Return the images' names for a table: without folders where that is enough."""
    names = [outcome.path.name for outcome in outcomes]
    paths = [str(outcome.path) for outcome in outcomes]
    return names if len(set(names)) == len(set(paths)) else paths


def _state(state: str, reason: Mapping[str, str | None] | None) -> str:
    return f"{state}: {reason['code']}: {reason['detail']}" if reason else state


def _ratio(ratio: Mapping[str, Any]) -> str:
    if ratio["value"] is None:
        return f"cardiothoracic ratio not measured: {ratio['reason']}"
    return f"cardiothoracic ratio {ratio['value']:.2f}"


def _seconds(job: Mapping[str, Any]) -> str:
    """From acceptance to the result, without the commit."""
    timings = job.get("timings_ms") or {}
    if "total" not in timings:
        return ""
    return f"{(timings.get('wait', 0.0) + timings['total']) / 1000:.2f} s"
