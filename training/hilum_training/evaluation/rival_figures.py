"""A shipped network, a rival and the mean of both on the same test films, figure by figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hilum_training.baselines.scoring import (
    Question,
    Verdicts,
    area_difference,
    correct,
    mean_area_difference,
)
from hilum_training.baselines.verdict import accuracy_difference, mean_of
from hilum_training.evaluation.answers import Answers
from hilum_training.measures.bootstrap import figure
from hilum_training.measures.findings import mean_area
from hilum_training.measures.metrics import area_under_curve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hilum_training.films.library import Library
    from hilum_training.panel_recipe import PanelRecipe

    Logits = Mapping[str, NDArray[np.float64]]

ACCURACY = "accuracy, all sources"
MEAN_AREA = "mean AUROC of the findings"


@dataclass(frozen=True, slots=True)
class Said:
    """Logits by panel, of validation and of test films."""

    validation: Logits
    test: Logits

    def verdicts(self, panel: PanelRecipe, library: Library) -> Verdicts:
        """Probabilities on the test films, calibrated on the validation films."""
        asked = Answers.of(panel, library.validation, self.validation[panel.name])
        calibration = asked.calibration()
        return Verdicts(panel, library.test, calibration.probabilities(self.test[panel.name]))


def compare_rival(
    panels: Sequence[PanelRecipe], library: Library, shipped: Said, rival: Said
) -> list[dict[str, Any]]:
    """A row for each figure of each panel.

    Args:
        panels: Of both networks.
        library: The films of both.
        shipped: What the shipped network says.
        rival: What the other one says.

    Returns:
        Rows with ``panel``, ``figure``, ``films`` (positive + negative, or all), ``shipped``,
        ``rival`` and ``mean`` of the two, and the differences ``rival_less_shipped`` and
        ``mean_less_shipped`` with their intervals over patients.
    """
    rows = []
    for panel in panels:
        one, other = (said.verdicts(panel, library) for said in (shipped, rival))
        three = (one, other, mean_of([one, other]))
        found = _findings(three) if panel.kind == "multi_label" else _questions(three)
        rows += [{"panel": panel.name, **row} for row in found]
    return rows


def surely(rows: Sequence[Mapping[str, Any]], difference: str) -> tuple[int, int]:
    """How many figures are surely better and surely worse: intervals that leave out zero."""
    intervals = [row[difference]["interval"] for row in rows if row[difference]["interval"]]
    return sum(low > 0 for low, _ in intervals), sum(high < 0 for _, high in intervals)


def _questions(three: Sequence[Verdicts]) -> list[dict[str, Any]]:
    rows = []
    for asked in three[0].panel.comparisons:
        found = [said.question(asked) for said in three]
        if all(found):
            rows.append({"figure": f"AUROC, {asked.name}", **_areas(found)})
    single = np.flatnonzero(three[0].films.targets(three[0].panel).single)
    values = [figure(float(correct(said)[single].mean())) for said in three]
    gains = [accuracy_difference(said, three[0]) for said in three[1:]]
    return [*rows, _row(ACCURACY, str(len(single)), values, gains)]


def _findings(three: Sequence[Verdicts]) -> list[dict[str, Any]]:
    films = three[0].films
    targets = films.targets(three[0].panel)
    known = np.flatnonzero(targets.whole)
    present = targets.values[known] > 0
    clusters = tuple(films.clusters[row] for row in known)
    scores = [said.probabilities[known] for said in three]
    counts = present.sum(axis=0)
    both = [k for k in range(present.shape[1]) if 0 < counts[k] < len(known)]
    values = [figure(mean_area(part, present)) for part in scores]
    gains = [mean_area_difference((part, scores[0]), present, clusters) for part in scores[1:]]
    rows = [_row(MEAN_AREA, str(len(known)), values, gains)]
    for k in both:
        found = [Question(part[:, k], present[:, k], clusters) for part in scores]
        rows.append({"figure": f"AUROC, {three[0].panel.names[k]}", **_areas(found)})
    return rows


def _areas(found: Sequence[Question | None]) -> dict[str, Any]:
    asked = [question for question in found if question is not None]
    first = asked[0]
    sides = f"{int(first.positive.sum())} + {int((~first.positive).sum())}"
    values = [figure(area_under_curve(item.scores, item.positive)) for item in asked]
    return _row("", sides, values, [area_difference(item, first) for item in asked[1:]])


def _row(name: str, films: str, values: Sequence[Any], gains: Sequence[Any]) -> dict[str, Any]:
    row = {
        "films": films,
        **dict(zip(("shipped", "rival", "mean"), values, strict=True)),
        **dict(zip(("rival_less_shipped", "mean_less_shipped"), gains, strict=True)),
    }
    return {"figure": name, **row} if name else row
