"""What the gate is held to: frontal chest radiographs pass, everything else stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.domain.gate import NOT_CHEST, rejection_label
from hilum.domain.model import FRONTAL
from hilum_training.films.gate_films import SEVERE_LABEL, UNEQUAL_SIDES
from hilum_training.films.targets import recorded_kind
from hilum_training.measures.bootstrap import PatientBootstrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.films.pack import Film
    from hilum_training.measures.calibration import Calibration

_MADE_SOURCES: Final = frozenset({"drawn", "picture", "several"})
_BODY: Final = "body_"


def gate_figures(
    counted: Answers, calibration: Calibration, thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """Measure what passes and what stops at the operating point, by label, source and kind.

    Args:
        counted: Images with one right label.
        calibration: Of the gate.
        thresholds: Operating point of each label; that of ``frontal`` decides.

    Returns:
        ``frontal_films_that_pass``: of frontal radiographs that were not made severely ill.
        ``severe_films_that_pass``: of severely ill ones, most of them made. ``severe``: by kind.
        ``other_pictures_that_stop`` and ``that_stop``: of everything else, all and by label.
        ``kinds_that_stop``: by kind, with the share whose reason is ``not_chest``.
        ``gate``: counts by label and source.
    """
    place = counted.panel.names.index(FRONTAL)
    probabilities = calibration.probabilities(counted.logits)
    passed = probabilities[:, place] >= thresholds[FRONTAL]
    frontal = counted.places == place
    severe = np.array([recorded_kind(film) == SEVERE_LABEL for film in counted.films], dtype=bool)
    made = severe & np.array([film.label != UNEQUAL_SIDES for film in counted.films], dtype=bool)
    draws = PatientBootstrap(counted.clusters)
    return {
        "frontal_films_that_pass": draws.share(passed, frontal & ~made),
        "severe_films_that_pass": draws.share(passed, severe),
        "other_pictures_that_stop": draws.share(~passed, ~frontal),
        "that_stop": {
            name: draws.share(~passed, counted.places == at)
            for at, name in enumerate(counted.panel.names)
            if at != place
        },
        "severe": [
            {"kind": kind, "films": int(at.sum()), "pass": draws.share(passed, at)}
            for kind, at in _kinds(counted, severe)
        ],
        "kinds_that_stop": _kinds_that_stop(counted, probabilities, ~passed, draws),
        "gate": _by_source(counted, passed),
    }


def kind_of(film: Film) -> str:
    """Name the kind of an image for a report.

    Returns:
        What stands after the colon of its label, e.g. ``dental`` or ``drawn hand``. Without it the
        source of a made image, ``part of a chest`` for a piece of a radiograph, or the label.
    """
    label, _, detail = film.label.partition(":")
    if detail:
        return detail.removeprefix(_BODY).replace("_", " ")
    if label != NOT_CHEST:
        return label
    return film.source if film.source in _MADE_SOURCES else "part of a chest"


def _kinds(counted: Answers, among: NDArray[np.bool_]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Kinds of some of the images, each with the places of its images."""
    named = np.array([kind_of(film) for film in counted.films], dtype=str)
    return [(str(kind), among & (named == kind)) for kind in np.unique(named[among])]


def _kinds_that_stop(
    counted: Answers,
    probabilities: NDArray[np.float64],
    stopped: NDArray[np.bool_],
    draws: PatientBootstrap,
) -> list[dict[str, Any]]:
    """One row for each kind of each label but ``frontal``."""
    names = counted.panel.names
    reasons = np.array(
        [rejection_label(dict(zip(names, row.tolist(), strict=True))) for row in probabilities]
    )
    return [
        {
            "label": label,
            "kind": kind,
            "films": int(at.sum()),
            "stop": draws.share(stopped, at),
            "reason_not_chest": draws.share(reasons == NOT_CHEST, at & stopped),
        }
        for place, label in enumerate(names)
        if label != FRONTAL
        for kind, at in _kinds(counted, counted.places == place)
    ]


def _by_source(counted: Answers, passed: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Counts by label and source; frontal radiographs that are severely ill are named so."""
    names = counted.panel.names
    order = [*names[: names.index(FRONTAL) + 1], SEVERE_LABEL, *names[names.index(FRONTAL) + 1 :]]
    pairs = [
        (SEVERE_LABEL if recorded_kind(film) == SEVERE_LABEL else names[place], film.source)
        for place, film in zip(counted.places.tolist(), counted.films, strict=True)
    ]
    rows = []
    for pair in sorted(set(pairs), key=lambda pair: (order.index(pair[0]), pair[1])):
        at = np.array([other == pair for other in pairs])
        rows.append(
            {
                "label": pair[0],
                "source": pair[1],
                "films": int(at.sum()),
                "pass": int(passed[at].sum()),
            }
        )
    return rows
