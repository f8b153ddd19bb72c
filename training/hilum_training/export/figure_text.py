"""Figures of a report in few characters, and lists in words: for tables and sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Figure = Mapping[str, Any]
    Row = Mapping[str, Any]

NOTHING: Final = "*Not measured yet.*"
_GAP: Final = re.compile(r"\n{3,}")
FEWEST_TO_LEAD: Final = 50
"""Images from which a row leads a table. Rows of fewer images follow the others."""


def short(figure: Figure | None, decimals: int = 2) -> str:
    """Write a figure with its interval, ``0.92 (0.88 to 0.95)``; ``-`` without one.

    Args:
        figure: ``value`` and ``interval``, or None.
        decimals: At most so many.
    """
    if figure is None or figure["value"] is None:
        return "-"
    text = number(figure["value"], decimals)
    if figure.get("interval") is None:
        return text
    low, high = (number(end, decimals) for end in figure["interval"])
    return f"{text} ({low} to {high})"


def number(value: float, decimals: int = 2) -> str:
    """Write a number without trailing zeros."""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def listed(parts: Iterable[str]) -> str:
    """Write ``a, b and c``."""
    *rest, last = [*parts] or [""]
    return f"{', '.join(rest)} and {last}" if rest else last


def overlap(first: Figure, second: Figure) -> bool | None:
    """Return whether two intervals have a value in common; None where one has no interval."""
    ends = [figure.get("interval") for figure in (first, second)]
    if None in ends:
        return None
    (low, high), (other_low, other_high) = ends  # type: ignore[misc]
    return bool(max(low, other_low) <= min(high, other_high))


def few_last(rows: Sequence[Row], *counts: str) -> list[Row]:
    """Return rows with the ones of few images after the others, otherwise in their order.

    Args:
        rows: Of a report.
        counts: Keys of the numbers of images that a row's figures rest on; the smallest decides.
    """
    return sorted(rows, key=lambda row: is_few(row, *counts))


def is_few(row: Row, *counts: str) -> bool:
    """Return whether a row rests on fewer than :data:`FEWEST_TO_LEAD` images of some kind."""
    return min(int(row[key]) for key in counts) < FEWEST_TO_LEAD


def tidy(text: str) -> str:
    """Return a page whose sentences without a figure left no gaps: at most one blank line."""
    lines = [" ".join(line.split()) if _is_prose(line) else line for line in text.splitlines()]
    return _GAP.sub("\n\n", "\n".join(lines)).strip("\n") + "\n"


def _is_prose(line: str) -> bool:
    return not line.startswith((" ", "|"))
