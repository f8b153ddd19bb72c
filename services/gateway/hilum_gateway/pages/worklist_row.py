"""One row of the worklist: a job, its impression, and in few words what was found."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from hilum.domain.image_note import ImageNote, note_text
from hilum.domain.job import JobState
from hilum.domain.principal import Permission
from hilum_gateway.advice import IN_SHORT
from hilum_gateway.pages.impression_view import ImpressionView
from hilum_gateway.pages.panel_view import headlines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from hilum.application.results.read_jobs import ReadJobs
    from hilum.domain.finding import Finding, PanelReading, ResultOverview
    from hilum.domain.job import Job
    from hilum.domain.principal import Principal
    from hilum_gateway.pages.impression_view import NamedView

_KEPT: Final = 4096

_CONTRADICTED: Final = "header differs"
_MARKS: Final[Mapping[str, str]] = {
    ImageNote.GREY_SCALE_INVERTED: "inverted",
    ImageNote.IMAGE_MIRRORED: "mirrored",
    ImageNote.IMAGE_FLIPPED: "flipped",
    ImageNote.HEADER_VIEW_NOT_FRONTAL: _CONTRADICTED,
    ImageNote.HEADER_VIEW_FRONTAL: _CONTRADICTED,
    ImageNote.HEADER_BODY_PART_OTHER: _CONTRADICTED,
    ImageNote.HEADER_BODY_PART_CHEST: _CONTRADICTED,
    ImageNote.HEADER_ONE_SIDE: _CONTRADICTED,
}
_OTHER: Final = "see its page"
"""A row's mark of every other note, those of a newer release too."""
_ORDER: Final = (*dict.fromkeys(_MARKS.values()), _OTHER)

NAMED: Final = 3
"""Findings that a row names. Of the others it gives the number."""


@dataclass(frozen=True, slots=True)
class RowResult:
    """What a row says of a result.

    Attributes:
        impression: What is said first; None in results of releases that drew none.
        positives: Without an impression: what is abnormal and positive, the most telling first.
    """

    impression: ImpressionView | None
    positives: tuple[Finding, ...]

    @classmethod
    def of(cls, overview: ResultOverview) -> RowResult:
        """Make it from what a list shows of a result."""
        impression = ImpressionView.of(overview.impression, overview.panels)
        return cls(impression, () if impression else abnormal_positives(overview.panels))

    @property
    def named(self) -> tuple[NamedView, ...]:
        """The findings of the impression that the row names."""
        return self.impression.findings[:NAMED] if self.impression else ()

    @property
    def more(self) -> int:
        """How many findings the row does not name."""
        found = self.impression.findings if self.impression else self.positives
        return max(0, len(found) - NAMED)


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """A job in the worklist.

    Attributes:
        job: The job.
        result: What was found; None while there is no result.
    """

    job: Job
    result: RowResult | None

    @property
    def in_short(self) -> str:
        """Why the image was rejected, in two or three words; empty for every other image."""
        reason = self.job.reason
        if self.job.state is not JobState.REJECTED or reason is None:
            return ""
        return IN_SHORT.get(reason.code, "")

    @property
    def marks(self) -> str:
        """What was corrected on the image or is to be known of its header, in a few words."""
        words = {_MARKS.get(code, _OTHER) for code in self.job.notes}
        return ", ".join(word for word in _ORDER if word in words)

    @property
    def notes(self) -> str:
        """The same in full sentences."""
        return " ".join(map(note_text, self.job.notes))


def abnormal_positives(panels: Iterable[PanelReading]) -> tuple[Finding, ...]:
    """Return the abnormal positive findings of every panel: one of each name.

    Panels overlap (an infection is pneumonia to another panel), but a name that two of them give is
    named once, as the one that is surer of it does.
    """
    named: dict[str, Finding] = {}
    for _, finding in headlines(panels):
        named.setdefault(finding.display, finding)
    return tuple(named.values())


class WorklistRows:
    """Makes rows. Results never change, so each is read once and then remembered.

    What is not remembered yet is read at once, by one query for the whole list. Whether a
    principal may see a job is decided before, by the query that found the job.
    """

    def __init__(self, read_jobs: ReadJobs) -> None:
        self._read_jobs = read_jobs
        self._known: OrderedDict[UUID, RowResult] = OrderedDict()
        self._lock = Lock()

    def rows(self, jobs: Sequence[Job], principal: Principal) -> list[WorklistRow]:
        """Make a row for each job, in their order."""
        shown = principal.sites(Permission.READ_RESULTS)
        known = self._remembered(job for job in jobs if shown is None or job.site in shown)
        missing = [job for job in jobs if job.id not in known]
        read = self._read_jobs.overviews(missing, principal)
        fresh = {job_id: RowResult.of(overview) for job_id, overview in read.items()}
        self._remember(fresh)
        return [WorklistRow(job, known.get(job.id, fresh.get(job.id))) for job in jobs]

    def _remembered(self, jobs: Iterable[Job]) -> dict[UUID, RowResult]:
        with self._lock:
            known = {job.id: self._known[job.id] for job in jobs if job.id in self._known}
            for job_id in known:
                self._known.move_to_end(job_id)
        return known

    def _remember(self, fresh: Mapping[UUID, RowResult]) -> None:
        with self._lock:
            self._known.update(fresh)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
