"""The same figure for every source, view, age group and sex."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.measures.bootstrap import PatientBootstrap, figure
from hilum_training.measures.findings import counted_findings, mean_area

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.films.pack import Film
    from hilum_training.measures.calibration import Calibration

_NOT_STATED: Final = "not stated"
_AGES: Final = ((18, "under 18"), (40, "18 to 39"), (65, "40 to 64"), (200, "65 and over"))


def age_group(film: Film) -> str:
    """The film's age group: by years where they are stated, else as the source says."""
    if film.age is None:
        return film.age_group or _NOT_STATED
    return next(name for below, name in _AGES if film.age < below)


GROUPINGS: Final[dict[str, Callable[[Film], str]]] = {
    "source": lambda film: film.source,
    "view": lambda film: film.view or _NOT_STATED,
    "age": age_group,
    "sex": lambda film: film.sex or _NOT_STATED,
}


def breakdown(test: Answers, calibration: Calibration) -> dict[str, list[dict[str, Any]]]:
    """A table for each grouping.

    Single label: accuracy, and AUROC of abnormal against normal where a group has both.
    Multi-label: mean AUROC over the findings with at least five positive films in the group.
    """
    multi = test.panel.kind == "multi_label"
    part = test.known() if multi else test.single()
    row = _multi_label_row if multi else _single_label_row
    return {
        name: [
            {name: group, **row(part.take(members), calibration)}
            for group, members in _groups(part, of).items()
        ]
        for name, of in GROUPINGS.items()
    }


def _groups(part: Answers, of: Callable[[Film], str]) -> dict[str, NDArray[np.int64]]:
    """Which films are in which group, by name."""
    names = np.array([of(film) for film in part.films], dtype=str)
    return {str(name): np.flatnonzero(names == name) for name in np.unique(names)}


def _single_label_row(part: Answers, calibration: Calibration) -> dict[str, Any]:
    chances = calibration.probabilities(part.logits)
    draws = PatientBootstrap(part.clusters)
    row: dict[str, Any] = {
        "films": len(part.films),
        "accuracy": draws.share(chances.argmax(axis=1) == part.places),
    }
    normal = [index for index, label in enumerate(part.panel.labels) if not label.abnormal]
    if 0 < len(normal) < len(part.panel.labels):
        positive = ~np.isin(part.places, normal)
        row["abnormal_films"] = int(positive.sum())
        row["auroc_abnormal"] = draws.area(1 - chances[:, normal].sum(axis=1), positive)
    return row


def _multi_label_row(part: Answers, _calibration: Calibration) -> dict[str, Any]:
    return {"films": len(part.films), **findings_row(part)}


def findings_row(part: Answers) -> dict[str, Any]:
    """Mean AUROC over the findings with enough films on either side, and how many those are."""
    present = part.targets.values > 0
    return {
        "findings_counted": len(counted_findings(present)),
        "mean_auroc": figure(mean_area(part.logits, present)),
    }
