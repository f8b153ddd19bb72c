"""The headline of a report as rows, and as lines for the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.export.figure_text import short
from hilum_training.export.lead_tables import DEFAULT, WITH_EXPERIMENTAL

if TYPE_CHECKING:
    from collections.abc import Mapping

_TITLES: Final = {
    DEFAULT: "Validated labels, as a site gets them",
    WITH_EXPERIMENTAL: "With experimental labels switched on",
}


def headline_rows(headline: Mapping[str, Any], switched: str = DEFAULT) -> list[Mapping[str, Any]]:
    """Return the rows by source and over all, sources with the most normal images first."""
    part = headline[switched]
    by_size = sorted(part["by_source"], key=lambda row: -int(row["normal_films"]))
    return [*by_size, part["overall"]]


def headline_lines(headline: Mapping[str, Any]) -> list[str]:
    """Return a line for each row, for the console."""
    lines = []
    for switched, title in _TITLES.items():
        lines.append(f"{title}:")
        lines += [_line(row) for row in headline_rows(headline, switched)]
    return lines


def _line(row: Mapping[str, Any]) -> str:
    flags, missed = short(row["flags_a_normal_film"], 3), short(row["ill_films_without_a_flag"], 3)
    return (
        f"  {row['source']}: {flags} flags a normal image (n {row['normal_films']}), "
        f"{missed} of ill images without a flag (n {row['ill_films']})"
    )
