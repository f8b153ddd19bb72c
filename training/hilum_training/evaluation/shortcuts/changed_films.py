"""The same questions, put to films with something taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hilum_training.evaluation.answers import Answers
from hilum_training.evaluation.comparisons import ask
from hilum_training.evaluation.shortcuts.film_changes import CHANGES, cover
from hilum_training.measures.bootstrap import figure
from hilum_training.measures.metrics import area_under_curve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from hilum_training.evaluation.shortcuts.lung_fields import LungFields
    from hilum_training.films.library import FilmSet
    from hilum_training.films.pack import Film
    from hilum_training.measures.calibration import Calibration
    from hilum_training.panel_recipe import PanelRecipe

    Predict = Callable[[NDArray[np.uint8]], dict[str, NDArray[np.float64]]]


def changed_films(
    panels: Sequence[PanelRecipe],
    calibrations: Mapping[str, Calibration],
    test: FilmSet,
    logits: Mapping[str, NDArray[np.float64]],
    predict: Predict,
) -> dict[str, list[dict[str, Any]]]:
    """AUROC of each panel's questions on changed films, by panel.

    Args:
        panels: With comparisons.
        calibrations: By panel, fitted on unchanged films.
        test: Test films.
        logits: On the films as they are, by panel.
        predict: The network: uint8 [N, size, size, 1] to logits by panel.
    """
    used = test.take(_asked_about(panels, test.films))
    rows = _areas(panels, calibrations, test, logits, "as_it_is")
    for name, change in CHANGES.items():
        found = predict(change(used.inputs))
        _join(rows, _areas(panels, calibrations, used, found, name))
    return rows


def without_lungs(
    panels: Sequence[PanelRecipe],
    calibrations: Mapping[str, Calibration],
    test: FilmSet,
    logits: Mapping[str, NDArray[np.float64]],
    fields: LungFields,
    predict: Predict,
) -> dict[str, list[dict[str, Any]]]:
    """AUROC with all but the lungs covered, and with the lungs covered, by panel.

    A network that reads the lungs keeps its figure in the first case and comes down towards 0.5 in
    the second. The lungs' outline stays visible as the edge of what is covered, and with it their
    shape and size: 0.5 is not to be expected where disease changes those.

    Args:
        panels: As above.
        calibrations: As above.
        test: As above.
        logits: As above.
        fields: Where the lungs of those test films are that have a mask.
        predict: As above.
    """
    masked = test.take(fields.at)
    known = {name: found[fields.at] for name, found in logits.items()}
    rows = _areas(panels, calibrations, masked, known, "as_it_is")
    for name, covered in (("lungs_only", ~fields.inside), ("lungs_covered", fields.inside)):
        found = predict(cover(masked.inputs, covered))
        _join(rows, _areas(panels, calibrations, masked, found, name))
    return rows


def _asked_about(panels: Sequence[PanelRecipe], films: Sequence[Film]) -> NDArray[np.int64]:
    """Films of the sources that any question names: the others need no second pass."""
    sources = {comparison.source for panel in panels for comparison in panel.comparisons}
    return np.flatnonzero([film.source in sources for film in films])


def _areas(
    panels: Sequence[PanelRecipe],
    calibrations: Mapping[str, Calibration],
    films: FilmSet,
    logits: Mapping[str, NDArray[np.float64]],
    name: str,
) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for panel in panels:
        answers = Answers.of(panel, films, logits[panel.name])
        for comparison in panel.comparisons:
            asked = ask(comparison, answers, calibrations[panel.name])
            if asked.two_sided:
                rows.setdefault(panel.name, []).append(
                    {
                        "question": comparison.name,
                        "source": comparison.source,
                        "films": len(asked.scores),
                        name: figure(area_under_curve(asked.scores, asked.positive)),
                    }
                )
    return rows


def _join(
    rows: dict[str, list[dict[str, Any]]], others: Mapping[str, list[dict[str, Any]]]
) -> None:
    """Add what the other rows hold to the rows of the same questions."""
    for panel, found in others.items():
        rows[panel] = [row | other for row, other in zip(rows[panel], found, strict=True)]
