"""Which records a run may use: views, licences, ages, published splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilum_training.films.readers.vocabulary import FRONTAL_VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hilum_training.films.readers.record import FilmRecord


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted; the defaults take every labelled frontal film.

    Attributes:
        views: Accepted views; empty for all.
        exclude_flags: Films with one of these licence flags are left out, e.g. ``NC``.
        sources: Accepted sources; empty for all.
        youngest: Least age in years; a film of unknown age fails a bound.
        oldest: Greatest age in years.
        splits: Accepted published splits; empty for all.
    """

    views: tuple[str, ...] = FRONTAL_VIEWS
    exclude_flags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    youngest: float | None = None
    oldest: float | None = None
    splits: tuple[str, ...] = ()

    def refuses(self, record: FilmRecord) -> str:
        """Why a film is not wanted; empty if it is."""
        if not record.label:
            return "no label"
        if self.views and record.view not in self.views:
            return f"view {record.view or 'not stated'}"
        if self.sources and record.source not in self.sources:
            return f"source {record.source}"
        for flag in record.licence_flags:
            if flag in self.exclude_flags:
                return f"licence flag {flag}"
        if self.splits and record.split not in self.splits:
            return f"published split {record.split or 'not stated'}"
        return self._refuses_age(record.age)

    def _refuses_age(self, age: float | None) -> str:
        if self.youngest is None and self.oldest is None:
            return ""
        if age is None:
            return "age not stated"
        young = self.youngest is not None and age < self.youngest
        old = self.oldest is not None and age > self.oldest
        return "age out of bounds" if young or old else ""


def select_records(
    records: Iterable[FilmRecord], selection: Selection
) -> tuple[tuple[FilmRecord, ...], dict[str, int]]:
    """Records that are wanted, and reason -> how many are not."""
    kept: list[FilmRecord] = []
    refused: dict[str, int] = {}
    for record in records:
        reason = selection.refuses(record)
        if reason:
            refused[reason] = refused.get(reason, 0) + 1
        else:
            kept.append(record)
    return tuple(kept), dict(sorted(refused.items()))
