"""Which test images are those of a former release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilum_training.export.figure_text import listed

if TYPE_CHECKING:
    from collections.abc import Mapping


def same_images(previous: Mapping[str, Any] | None) -> str:
    """Return the sources whose test images a former release was measured on, in words.

    Args:
        previous: What the release measured, or None. Sources in ``flags_measured_again`` have the
            same normal images; those with ill images there have the same ones of all kinds.
    """
    rows = (previous or {}).get("flags_measured_again", ())
    every = sorted(row["source"] for row in rows if row["ill_films"])
    normal = sorted(row["source"] for row in rows if not row["ill_films"])
    if not normal:
        return listed(every)
    return listed([*every, f"{listed(normal)} (normal ones)"])
