"""The headline of a report as lines and as tables for pages and cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.headline import DEFAULT, WITH_EXPERIMENTAL
from hilum_training.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FEWEST_TO_LEAD: Final = 8
"""Normal test images of a source from which its row leads a table."""
_TITLES: Final = {
    DEFAULT: "Validated labels, as a site gets them",
    WITH_EXPERIMENTAL: "With experimental labels switched on",
}


def headline_table(headline: Mapping[str, Any], switched: str = DEFAULT) -> str:
    """Return the table by source, the row over all sources last.

    Args:
        headline: Of a network's ``metrics.json``.
        switched: ``default`` or ``with_experimental``.
    """
    return markdown([_row(row) for row in headline_rows(headline, switched)])


def headline_rows(headline: Mapping[str, Any], switched: str = DEFAULT) -> list[Mapping[str, Any]]:
    """Return the rows by source and over all, sources with the most normal images first."""
    part = headline[switched]
    by_size = sorted(part["by_source"], key=lambda row: -int(row["normal_films"]))
    return [*by_size, part["overall"]]


def headline_section(headline: Mapping[str, Any]) -> str:
    """Return both tables under their titles, in Markdown."""
    parts = []
    for switched, title in _TITLES.items():
        parts.append(f"### {title}\n\n{headline_table(headline, switched)}")
        if rows := headline[switched].get("by_severity"):
            parts.append(f"Ill images by readers' opacity score:\n\n{markdown(rows)}")
    return "\n\n".join(parts)


def headline_lines(headline: Mapping[str, Any]) -> list[str]:
    """Return a line for each row, for the console."""
    lines = []
    for switched, title in _TITLES.items():
        lines.append(f"{title}:")
        lines += [_line(row) for row in headline_rows(headline, switched)]
    return lines


def leading(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows of sources with enough normal images to carry a figure."""
    return [row for row in rows if row["normal_films"] >= FEWEST_TO_LEAD]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": row["source"],
        "normal images": row["normal_films"],
        "flags a normal image": row["flags_a_normal_film"],
        "normal images without a flag": row["normal_films_without_a_flag"],
        "ill images": row["ill_films"],
        "ill images without a flag": row["ill_films_without_a_flag"],
        "normal and abnormal of one panel": row["normal_and_abnormal_of_one_panel"],
    }


def _line(row: Mapping[str, Any]) -> str:
    flags, missed = row["flags_a_normal_film"], row["ill_films_without_a_flag"]
    return (
        f"  {row['source']}: {_told(flags)} flags a normal image (n {row['normal_films']}), "
        f"{_told(missed)} of ill images without a flag (n {row['ill_films']})"
    )


def _told(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "no figure for"
    low, high = figure["interval"] or (float("nan"),) * 2
    return f"{figure['value']:.3f} ({low:.3f} to {high:.3f})"
