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
from hilum_training.baselines.scoring import Verdicts, mean_area_difference
from hilum_training.learning.sampling import sampling_weights
from hilum_training.measures.bootstrap import figure
from hilum_training.measures.findings import counted_findings, mean_area
from hilum_training.measures.metrics import sigmoid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.films.pack import Film
    from hilum_training.panel_recipe import PanelRecipe

STRENGTHS: Final = (1e-4, 1e-3, 1e-2, 1e-1)
FEWEST_TO_LEARN: Final = 5
"""Training films with a finding, and films without it, from which a head is fitted."""
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
            if min(present.sum(), (~present).sum()) < FEWEST_TO_LEARN:
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
        key=lambda strength: mean_area_of(
            FindingHeads(panel, strength, kind).fit_and_answer(train, validation)
        ),
    )


def mean_area_of(said: Verdicts) -> float:
    """Mean AUROC over the findings that enough of the films have and have not; nan for none."""
    return mean_area(said.probabilities, said.films.targets(said.panel).values > 0)


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
        present = group_test.films.targets(heads.panel).values > 0
        counted = _counted(heads.panel, train.films.take(own), present)
        rows.append(
            {
                "group": name,
                "train_films": len(own),
                "test_films": len(theirs),
                "findings": [heads.panel.names[place] for place in counted],
                **{
                    key: figure(mean_area(said.probabilities, present, counted))
                    for key, said in models.items()
                },
                "own_less_one": mean_area_difference(
                    (models["own_model"].probabilities, models["one_model"].probabilities),
                    present,
                    group_test.films.clusters,
                    counted,
                ),
            }
        )
    return rows


def _rows(films: FilmSet, belongs: Callable[[Film], bool]) -> NDArray[np.int64]:
    return np.flatnonzero([belongs(film) for film in films.films])


def _counted(panel: PanelRecipe, train: FilmSet, present: NDArray[np.bool_]) -> list[int]:
    """Findings that count in a mean of the group's test films, and that its training films show."""
    shown = train.targets(panel).values.sum(axis=0)
    return [place for place in counted_findings(present) if shown[place] >= FEWEST_TO_LEARN]
