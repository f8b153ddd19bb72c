"""What the gate is held to: frontal chest films pass, everything else stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hilum.domain.model import FRONTAL
from hilum_training.measures.bootstrap import PatientBootstrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum_training.evaluation.answers import Answers
    from hilum_training.measures.calibration import Calibration


def gate_figures(
    counted: Answers, calibration: Calibration, thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """Shares that pass and that stop at the shipped operating point, by label and by source.

    Args:
        counted: Films with one right answer.
        calibration: Of the gate.
        thresholds: Operating point of each label; the one of ``frontal`` lets a film through.
    """
    place = counted.panel.names.index(FRONTAL)
    passed = calibration.probabilities(counted.logits)[:, place] >= thresholds[FRONTAL]
    frontal = counted.places == place
    draws = PatientBootstrap(counted.clusters)
    kinds = sorted(
        {(counted.panel.names[at], film.source) for at, film in _pairs(counted)},
        key=lambda kind: (counted.panel.names.index(kind[0]), kind[1]),
    )
    rows = []
    for label, source in kinds:
        at = np.array(
            [
                (counted.panel.names[k], film.source) == (label, source)
                for k, film in _pairs(counted)
            ]
        )
        rows.append(
            {
                "label": label,
                "source": source,
                "films": int(at.sum()),
                "pass": int(passed[at].sum()),
            }
        )
    return {
        "frontal_films_that_pass": draws.share(passed, frontal),
        "other_pictures_that_stop": draws.share(~passed, ~frontal),
        "that_stop": {
            name: draws.share(~passed, counted.places == at)
            for at, name in enumerate(counted.panel.names)
            if at != place
        },
        "gate": rows,
    }


def _pairs(counted: Answers) -> list[tuple[int, Any]]:
    return list(zip(counted.places.tolist(), counted.films, strict=True))
