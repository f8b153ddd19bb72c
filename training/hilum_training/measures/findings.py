"""The mean AUROC over the findings of a multi-label panel, and which of them count in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hilum_training.measures.metrics import area_under_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FEWEST_IN_MEAN: Final = 5
"""Films with a finding, and films without it, from which its AUROC joins a mean: three films would
move the mean as much as a hundred, by chance."""


def counted_findings(present: NDArray[np.bool_]) -> list[int]:
    """Places of the findings that enough films have and enough films have not.

    Args:
        present: bool [N, K].
    """
    counts = present.sum(axis=0)
    most = len(present) - FEWEST_IN_MEAN
    return [place for place, count in enumerate(counts) if FEWEST_IN_MEAN <= count <= most]


def mean_area(
    scores: NDArray[np.float64], present: NDArray[np.bool_], findings: Sequence[int] | None = None
) -> float:
    """Mean AUROC over findings.

    Args:
        scores: float [N, K].
        present: bool [N, K].
        findings: Places of those that count; None takes :func:`counted_findings`. For a draw of
            films they are those of all films, so that every draw has the same mean.

    Returns:
        In [0, 1]; nan where none counts, or one that counts is on all of the films or on none.
    """
    counted = counted_findings(present) if findings is None else findings
    areas = [area_under_curve(scores[:, place], present[:, place]) for place in counted]
    return float(np.mean(areas)) if areas else float("nan")
