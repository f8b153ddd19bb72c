"""Linear heads on fixed features: a transfer head, an SVM head, models by sex and by view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from hilum_training.baselines.classical import spread
from hilum_training.baselines.scoring import Verdicts, paired_difference
from hilum_training.learning.sampling import sampling_weights
from hilum_training.measures.bootstrap import figure
from hilum_training.measures.metrics import area_under_curve, sigmoid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.films.pack import Film
    from hilum_training.panel_recipe import PanelRecipe

STRENGTHS: Final = (1e-4, 1e-3, 1e-2, 1e-1)
# Fewer positives in training or test than this say nothing of a finding.
_FEWEST: Final = 5
GROUPS: Final[dict[str, Callable[[Film], bool]]] = {
    "women": lambda film: film.sex == "F",
    "men": lambda film: film.sex == "M",
    "PA": lambda film: film.view == "PA",
    "AP": lambda film: film.view.startswith("AP"),
}


@dataclass(frozen=True, slots=True)
class Described:
    """N films and their features float32 [N, F]."""

    films: FilmSet
    features: NDArray[np.float32]

    def take(self, rows: NDArray[np.int64]) -> Described:
        """A part of them."""
        return Described(self.films.take(rows), self.features[rows])


def transfer_head(
    panel: PanelRecipe, parts: Mapping[str, Described], balance: float
) -> tuple[Verdicts, float]:
    """A dense softmax head on a frozen trunk: multinomial logistic regression, its optimum.

    Args:
        panel: A single-label panel.
        parts: ``train``; ``validation``, which chooses the penalty; ``test``, which is answered.
        balance: See :func:`sampling_weights`.

    Returns:
        What it says of the test films, and the chosen inverse penalty.
    """
    train, validation, test = (parts[name] for name in ("train", "validation", "test"))
    targets = train.films.targets(panel)
    rows = np.flatnonzero(targets.single)
    weights = sampling_weights(train.films.films, balance)[rows]
    asked = validation.films.targets(panel)
    best: tuple[float, float, Any] | None = None
    for strength in STRENGTHS:
        head = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
        head.fit(
            train.features[rows],
            targets.truth[rows],
            logisticregression__sample_weight=weights / weights.mean(),
        )
        said = _all_labels(head, validation.features, len(panel.labels))[asked.single]
        likely = said[np.arange(len(said)), asked.truth[asked.single]]
        loss = float(-np.log(np.maximum(likely, 1e-12)).mean())
        if best is None or loss < best[0]:
            best = loss, strength, head
    assert best is not None  # noqa: S101 - STRENGTHS is not empty
    probabilities = _all_labels(best[2], test.features, len(panel.labels))
    return Verdicts(panel, test.films, probabilities), best[1]


def _all_labels(head: Any, features: NDArray[np.float32], labels: int) -> NDArray[np.float64]:
    """Probabilities float64 [N, K], 0 for a label that had no training film."""
    probabilities = np.zeros((len(features), labels))
    probabilities[:, head.classes_] = head.predict_proba(features)
    return probabilities


@dataclass(frozen=True, slots=True)
class FindingHeads:
    """One linear head for each finding, on fixed features.

    Args:
        panel: A multi-label panel.
        strength: Inverse penalty.
        kind: ``logistic`` or ``svm``.
    """

    panel: PanelRecipe
    strength: float
    kind: str = "logistic"

    def fit_and_answer(
        self,
        train: Described,
        test: Described,
    ) -> Verdicts:
        """Fit on some films, answer for others; 0.5 where a finding has too few positives."""
        values = train.films.targets(self.panel).values > 0
        probabilities = np.full((len(test.features), len(self.panel.labels)), 0.5)
        for place in range(values.shape[1]):
            present = values[:, place]
            if min(present.sum(), (~present).sum()) < _FEWEST:
                continue
            head = make_pipeline(StandardScaler(), self._head()).fit(train.features, present)
            probabilities[:, place] = sigmoid(np.asarray(head.decision_function(test.features)))
        return Verdicts(self.panel, test.films, probabilities)

    def _head(self) -> Any:
        if self.kind == "svm":
            return LinearSVC(C=self.strength, class_weight="balanced", max_iter=5000)
        return LogisticRegression(C=self.strength, class_weight="balanced", max_iter=1000)


def best_strength(
    panel: PanelRecipe,
    kind: str,
    train: Described,
    validation: Described,
) -> float:
    """The strength with the highest mean AUROC on validation films."""
    return max(
        STRENGTHS,
        key=lambda strength: mean_area(
            FindingHeads(panel, strength, kind).fit_and_answer(train, validation)
        ),
    )


def mean_area(said: Verdicts) -> float:
    """Mean AUROC over the findings that both are and are not among the films; nan for none."""
    values = said.films.targets(said.panel).values > 0
    areas = [
        area_under_curve(said.probabilities[:, place], values[:, place])
        for place in range(values.shape[1])
    ]
    kept = [area for area in areas if not np.isnan(area)]
    return float(np.mean(kept)) if kept else float("nan")


def by_group(
    heads: FindingHeads,
    train: Described,
    test: Described,
) -> list[dict[str, Any]]:
    """A model of each sex and view against the one model, on the group's own test films.

    A group's model sees fewer films; the one model is therefore also fitted on as many films of
    everybody, so that what the group brings and what the number takes can be told apart.

    Returns:
        A row a group: films, and the mean AUROC of the group's model, of the one model, and of the
        one model with as few films, over the findings with enough positives on both sides.
    """
    rows = []
    whole = heads.fit_and_answer(train, test)
    for name, belongs in GROUPS.items():
        own, theirs = _rows(train.films, belongs), _rows(test.films, belongs)
        if not len(own) or not len(theirs):
            continue
        few = spread(np.arange(len(train.features)), len(own))
        group_test = test.take(theirs)
        models = {
            "own_model": heads.fit_and_answer(train.take(own), group_test),
            "one_model": Verdicts(heads.panel, group_test.films, whole.probabilities[theirs]),
            "one_model_as_few_films": heads.fit_and_answer(train.take(few), group_test),
        }
        counted = _countable(heads.panel, train.films.take(own), group_test.films)
        means = _Means(group_test.films.targets(heads.panel).values > 0, counted)
        rows.append(
            {
                "group": name,
                "train_films": len(own),
                "test_films": len(theirs),
                "findings": [heads.panel.names[place] for place in counted],
                **{
                    key: figure(means.of(said, np.arange(len(theirs))))
                    for key, said in models.items()
                },
                "own_less_one": _own_less_one(means, models, group_test.films.clusters),
            }
        )
    return rows


def _rows(films: FilmSet, belongs: Callable[[Film], bool]) -> NDArray[np.int64]:
    return np.flatnonzero([belongs(film) for film in films.films])


def _countable(panel: PanelRecipe, train: FilmSet, test: FilmSet) -> list[int]:
    """Findings with enough positives in the group's training and test films."""
    counts = [part.targets(panel).values.sum(axis=0) for part in (train, test)]
    return [
        place
        for place in range(len(panel.labels))
        if min(count[place] for count in counts) >= _FEWEST
    ]


@dataclass(frozen=True, slots=True)
class _Means:
    """Mean AUROC over some findings, of any draw of one group's test films."""

    values: NDArray[np.bool_]
    places: list[int]

    def of(self, said: Verdicts, rows: NDArray[np.int64]) -> float:
        """The mean; nan where no finding is both present and absent among the rows."""
        areas = [
            area_under_curve(said.probabilities[rows, place], self.values[rows, place])
            for place in self.places
        ]
        kept = [area for area in areas if not np.isnan(area)]
        return float(np.mean(kept)) if kept else float("nan")


def _own_less_one(
    means: _Means, models: dict[str, Verdicts], clusters: tuple[str, ...]
) -> dict[str, Any]:
    return paired_difference(
        lambda rows: means.of(models["own_model"], rows) - means.of(models["one_model"], rows),
        clusters,
    )
