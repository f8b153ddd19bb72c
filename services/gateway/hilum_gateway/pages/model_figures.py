"""The figures of a manifest that matter first.

A manifest's metrics are written by training and may come from a release that measured other things:
what is not there, or not as expected, is left out. All of it stands in ``/v1/models/.../metrics``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SCALARS: Final = (
    ("frontal_films_that_pass", "frontal images that pass"),
    ("severe_films_that_pass", "severely ill frontal images that pass"),
    ("other_pictures_that_stop", "other images that are rejected"),
    ("accuracy", "accuracy, all sources together"),
    ("mean_auroc", "mean AUROC over the findings"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value.

    Attributes:
        name: What was measured.
        value: The value, at three decimals.
        interval: ``low to high``; empty where there is none.
        films: On how many; empty where that is not known.
    """

    name: str
    value: str
    interval: str = ""
    films: str = ""


def headline_figures(metrics: Mapping[str, Any]) -> Iterator[Figure]:
    """Figures within one source first, then those over all sources, then agreement of masks."""
    for row in _rows(metrics, "within_source"):
        name = f"AUROC: {row.get('question', '')} ({row.get('source', '')})"
        films = f"{row.get('positive_films', '?')} / {row.get('negative_films', '?')}"
        if figure := figure_of(name, row.get("auroc"), row, films):
            yield figure
    for key, name in _SCALARS:
        if figure := figure_of(name, metrics.get(key)):
            yield figure
    error = metrics.get("calibration_error")
    if isinstance(error, dict) and (
        figure := figure_of("expected calibration error", error.get("after"))
    ):
        yield figure
    for row in _rows(metrics, "structures"):
        name = f"Dice: {str(row.get('structure', '')).replace('_', ' ')} ({row.get('source', '')})"
        if figure := figure_of(name, row.get("dice"), films=str(row.get("films", ""))):
            yield figure


def figure_of(
    name: str, found: Any, row: Mapping[str, Any] | None = None, films: str = ""
) -> Figure | None:
    """A figure, or None where there is no number.

    Args:
        name: What was measured.
        found: A number, or a mapping with ``value`` and ``interval``.
        row: Where a bare number's ``interval`` stands beside it.
        films: On how many.
    """
    value, interval = found, (row or {}).get("interval")
    if isinstance(found, dict):
        value, interval = found.get("value"), found.get("interval")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Figure(name, f"{value:.3f}", _span(interval), films)


def _span(interval: Any) -> str:
    two = isinstance(interval, list | tuple) and len(interval) == 2  # noqa: PLR2004 - low and high
    if not two or not all(isinstance(edge, int | float) for edge in interval):
        return ""
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def _rows(metrics: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = metrics.get(key)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
