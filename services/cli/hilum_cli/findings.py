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

    def rows(self) -> list[tuple[str, ...]]:
        """Rows of :data:`COLUMNS`: one a finding, or one that tells the state and the reason."""
        if self.job is None:
            return [self._reason_row("refused", self.refusal)]
        result = self.job.get("result")
        if not result:
            return [self._reason_row(str(self.job["state"]), self.job.get("reason"))]
        return [
            (
                str(self.path),
                panel["panel"],
                finding["label"],
                f"{finding['probability']:.3f}",
                f"{finding['operating_point']:.3f}",
                "yes" if finding["positive"] else "no",
                _seconds(self.job),
            )
            for panel in result["panels"]
            for finding in panel["findings"]
        ]

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


def print_findings(outcomes: Sequence[FilmOutcome]) -> None:
    """Print the table, which of its labels rest on weak evidence, and what it is not for."""
    print_table(COLUMNS, [row for outcome in outcomes for row in outcome.rows()])
    if weak := _weak_labels(outcomes):
        click.echo(f"Weak evidence, a hint at most: {', '.join(weak)}.")
    click.echo(NOTICE)


def _weak_labels(outcomes: Sequence[FilmOutcome]) -> list[str]:
    """The labels that their model's manifest marks weak, each once, in the order of the table."""
    results = [outcome.job["result"] for outcome in outcomes if outcome.job]
    findings = [
        finding
        for result in results
        if result
        for panel in result["panels"]
        for finding in panel["findings"]
    ]
    return list(dict.fromkeys(finding["label"] for finding in findings if finding["weak"]))


def _seconds(job: Mapping[str, Any]) -> str:
    """From acceptance to the result, without the commit."""
    timings = job.get("timings_ms") or {}
    if "total" not in timings:
        return ""
    return f"{(timings.get('wait', 0.0) + timings['total']) / 1000:.2f} s"
