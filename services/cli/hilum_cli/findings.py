"""What an analysis shows of each film: findings, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from hilum.domain.job import JobState
from hilum_cli.table import NOTICE, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COLUMNS: Final = (
    "file",
    "panel",
    "finding",
    "probability",
    "operating point",
    "positive",
    "time",
)
_STATE: Final = COLUMNS.index("finding")


@dataclass(frozen=True, slots=True)
class FilmOutcome:
    """A film and how it ended.

    Attributes:
        path: On this machine.
        job: The job as the gateway gave it last, or None if the film was refused at the door.
        refusal: Code and detail, if it was.
    """

    path: Path
    job: Mapping[str, Any] | None
    refusal: Mapping[str, str] | None = None

    @property
    def good(self) -> bool:
        """Whether nothing went wrong (so far)."""
        return self.job is not None and JobState(self.job["state"]) in {
            JobState.RECEIVED,
            JobState.QUEUED,
            JobState.RUNNING,
            JobState.COMPLETED,
        }

    def rows(self, *, every_label: bool = False) -> list[tuple[str, ...]]:
        """Rows of :data:`COLUMNS`: what was read, or one that tells the state and the reason.

        A panel with an abnormal finding stands before the others. Of each panel stand the positive
        labels, or the most probable one where none is, and in one row how many more there are.

        Args:
            every_label: Every label in a row of its own.
        """
        if self.job is None:
            return [self._reason_row("refused", self.refusal)]
        result = self.job.get("result")
        if not result:
            return [self._reason_row(str(self.job["state"]), self.job.get("reason"))]
        panels = sorted(
            result["panels"], key=lambda panel: not any(map(_alarming, panel["findings"]))
        )
        rows = [
            (str(self.path), panel["panel"], *cells, _seconds(self.job))
            for panel in panels
            for cells in _panel_cells(panel["findings"], every_label=every_label)
        ]
        for reading in result.get("structures") or ():
            told = _ratio(reading["cardiothoracic_ratio"])
            rows.append((str(self.path), reading["panel"], told, "", "", "", _seconds(self.job)))
        return rows

    @property
    def panels(self) -> list[Mapping[str, Any]]:
        """What was read, as the gateway gave it; empty without a result."""
        result = self.job.get("result") if self.job else None
        return list(result["panels"]) if result else []

    def document(self) -> dict[str, Any]:
        """For ``--json``: the job under the film's path."""
        return {
            "file": str(self.path),
            "state": "refused" if self.job is None else self.job["state"],
            "reason": self.refusal if self.job is None else self.job.get("reason"),
            "job": self.job,
        }

    def _reason_row(self, state: str, reason: Mapping[str, str] | None) -> tuple[str, ...]:
        row = [str(self.path), *("" for _ in COLUMNS[1:])]
        row[_STATE] = f"{state}: {reason['code']}: {reason['detail']}" if reason else state
        return tuple(row)


def print_findings(outcomes: Sequence[FilmOutcome], *, every_label: bool = False) -> None:
    """Print the table, what is to be known about its panels and labels, and what it is not for."""
    rows = [row for outcome in outcomes for row in outcome.rows(every_label=every_label)]
    print_table(COLUMNS, rows)
    shown = {(row[1], row[2]) for row in rows}
    panels = [panel for outcome in outcomes for panel in outcome.panels]
    weak = [
        finding["label"]
        for panel in panels
        for finding in panel["findings"]
        if finding["weak"] and (panel["panel"], finding["label"]) in shown
    ]
    if weak:
        click.echo(f"Weak evidence, a hint at most: {', '.join(dict.fromkeys(weak))}.")
    cautions = [f"{panel['panel']}: {panel['caution']}" for panel in panels if panel.get("caution")]
    for caution in dict.fromkeys(cautions):
        click.echo(caution)
    click.echo(NOTICE)


def _panel_cells(
    findings: Sequence[Mapping[str, Any]], *, every_label: bool
) -> list[tuple[str, ...]]:
    if every_label:
        return [_cells(finding) for finding in findings]
    falling = sorted(findings, key=lambda finding: -finding["probability"])
    positive = [finding for finding in falling if finding["positive"]]
    shown = sorted(positive, key=lambda finding: not _alarming(finding)) or falling[:1]
    rest = [finding for finding in falling if finding not in shown]
    more = [(f"({len(rest)} more)", f"<= {rest[0]['probability']:.3f}", "", "no")] if rest else []
    return [_cells(finding) for finding in shown] + more


def _cells(finding: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        finding["label"],
        f"{finding['probability']:.3f}",
        f"{finding['operating_point']:.3f}",
        "yes" if finding["positive"] else "no",
    )


def _alarming(finding: Mapping[str, Any]) -> bool:
    return bool(finding["positive"] and finding["abnormal"])


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
