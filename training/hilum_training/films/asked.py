"""What was asked of a film: the findings of which its source says whether they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

EVERY: Final = "*"
"""Stands for every finding: a film called normal, or a list that leaves out none."""
COLUMN: Final = "asked"
"""Of a pack's manifest: :data:`EVERY`, findings set apart by ``|``, or blank for none."""
_NORMAL: Final = "normal"
# These sources list all that was found on a film: what is not listed is absent.
_LISTING: Final = frozenset({"nih14"})


def asked_by_label(label: str) -> frozenset[str]:
    """What a film's one label answers: every finding if it is normal, else none of the others.

    "Tuberculosis" says nothing of an effusion beside it, and no label says nothing at all.
    """
    return frozenset({EVERY} if label == _NORMAL else ())


def read_asked(column: str | None, source: str, label: str) -> frozenset[str]:
    """What a row of a manifest says was asked.

    Args:
        column: Of the row; None in a pack that was written before there was one.
        source: Of the film, without ``_native``.
        label: Its normalised label.
    """
    if column is None:
        return frozenset({EVERY}) if source in _LISTING else asked_by_label(label)
    return frozenset(part.strip() for part in column.split("|") if part.strip())


def written_asked(asked: Iterable[str]) -> str:
    """What was asked, as the manifest's column holds it."""
    return "|".join(sorted(asked))
