"""One method against another on the same films, and whether the mean of two is worth its price."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.baselines.scoring import (
    area_difference,
    correct,
    mean_area_difference,
    paired_difference,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum_training.baselines.scoring import Verdicts

POOLED: Final = {"accuracy": "accuracy, pooled", "mean_auroc": "mean AUROC over findings"}
"""What is compared over all sources, by its key in ``metrics.json``: a panel has one of the two."""


def differences(first: Verdicts, second: Verdicts) -> dict[str, Any]:
    """The first's figures less the second's, each with its interval over patients.

    Both say something of the same films, in the same order. Where several answers may be right
    there is no accuracy; the mean AUROC over findings takes its place.

    Returns:
        ``within_source``: a row a question; ``accuracy`` or ``mean_auroc``: the pooled difference.
    """
    rows = []
    for asked in first.panel.comparisons:
        one, other = first.question(asked), second.question(asked)
        if one and other:
            rows.append({"question": asked.name, **area_difference(one, other)})
    if first.panel.kind == "multi_label":
        return {"within_source": rows, "mean_auroc": _of_findings(first, second)}
    return {"within_source": rows, "accuracy": accuracy_difference(first, second)}


def accuracy_difference(first: Verdicts, second: Verdicts) -> dict[str, Any]:
    """The first's share of right answers less the second's, where one answer is right."""
    single = np.flatnonzero(first.films.targets(first.panel).single)
    hits = [correct(said)[single].astype(float) for said in (first, second)]
    return paired_difference(
        lambda drawn: float(hits[0][drawn].mean() - hits[1][drawn].mean()),
        tuple(first.films.clusters[row] for row in single),
    )


def _of_findings(first: Verdicts, second: Verdicts) -> dict[str, Any]:
    targets = first.films.targets(first.panel)
    known = np.flatnonzero(targets.whole)
    return mean_area_difference(
        (first.probabilities[known], second.probabilities[known]),
        targets.values[known] > 0,
        tuple(first.films.clusters[row] for row in known),
    )


def named(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every difference that could be measured with its name, the pooled one last."""
    rows = [(row["question"], row) for row in found["within_source"]]
    rows += [(name, found[key]) for key, name in POOLED.items() if key in found]
    return [(name, row) for name, row in rows if row["value"] is not None]


def mean_of(parts: Sequence[Verdicts]) -> Verdicts:
    """The mean of several methods' probabilities."""
    return replace(parts[0], probabilities=np.mean([part.probabilities for part in parts], axis=0))


def ensemble_pays(gained: dict[str, Any], cost_single: float, cost_other: float) -> bool:
    """Whether the mean of the shipped network and another is worth having.

    It is when some figure's interval lies above zero, none lies below, and the price at most
    doubles: a network twice as large would otherwise be the fairer rival.

    Args:
        gained: :func:`differences` of the mean and the shipped network alone.
        cost_single: Processor milliseconds a film of the shipped network.
        cost_other: Of the other.
    """
    intervals = [row["interval"] for _, row in named(gained) if row["interval"]]
    better = any(low > 0 for low, _ in intervals)
    worse = any(high < 0 for _, high in intervals)
    return better and not worse and cost_other <= cost_single
