"""Classical classifiers on fixed features, and how their figures move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hilum_training.baselines.scoring import Verdicts, correct, score
from hilum_training.measures.bootstrap import figure
from hilum_training.measures.metrics import area_under_curve, sigmoid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet, Library
    from hilum_training.panel_recipe import PanelRecipe


@dataclass(frozen=True, slots=True)
class Classifier:
    """A classifier and the parameter that holds it back.

    Attributes:
        display: For people.
        strength: Name of the parameter.
        values: What is tried, on validation.
        build: From a value and a seed to a scikit-learn estimator.
    """

    display: str
    strength: str
    values: tuple[float, ...]
    build: Callable[[float, int], Any]


CLASSIFIERS: Final = {
    "logistic_regression": Classifier(
        "logistic regression",
        "C",
        (0.001, 0.01, 0.1, 1.0),
        lambda value, _seed: make_pipeline(
            StandardScaler(), LogisticRegression(C=value, max_iter=2000)
        ),
    ),
    "svm": Classifier(
        "support vector machine (RBF)",
        "C",
        (0.3, 1.0, 10.0),
        lambda value, _seed: make_pipeline(StandardScaler(), SVC(C=value)),
    ),
    "random_forest": Classifier(
        "random forest (100 trees)",
        "min_samples_leaf",
        (1, 5, 20),
        lambda value, seed: RandomForestClassifier(100, min_samples_leaf=value, random_state=seed),
    ),
    "k_nearest_neighbours": Classifier(
        "k nearest neighbours",
        "n_neighbors",
        (1, 5, 15, 51),
        lambda value, _seed: make_pipeline(StandardScaler(), KNeighborsClassifier(value)),
    ),
    "gradient_boosting": Classifier(
        "gradient boosting (100 rounds)",
        "max_leaf_nodes",
        (4, 8, 31),
        lambda value, seed: HistGradientBoostingClassifier(
            max_leaf_nodes=value, early_stopping=False, random_state=seed
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Features:
    """One way to describe the films of a library.

    Attributes:
        name: For people.
        train: float32 [N, F].
        validation: float32 [M, F].
        test: float32 [L, F].
    """

    name: str
    train: NDArray[np.float32]
    validation: NDArray[np.float32]
    test: NDArray[np.float32]

    def reduced(self, components: int, seed: int) -> Features:
        """Principal components, fitted on the training films."""
        count = min(components, *self.train.shape)
        parts = make_pipeline(StandardScaler(), PCA(count, random_state=seed)).fit(self.train)
        return Features(
            self.name,
            *(
                parts.transform(rows).astype(np.float32)
                for rows in (self.train, self.validation, self.test)
            ),
        )


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the classifiers are compared: one two-label panel, one library, one seed."""

    panel: PanelRecipe
    library: Library
    seed: int

    def compare(self, features: Features, film_counts: Sequence[int]) -> dict[str, Any]:
        """Every classifier on one description of the films.

        Returns:
            By classifier: the chosen strength, every figure of :func:`score`, and the
            sensitivity of the mean AUROC within sources to strength and to training films.
        """
        return {
            name: self._classifier(classifier, features, film_counts)
            for name, classifier in CLASSIFIERS.items()
        }

    def _classifier(
        self, classifier: Classifier, features: Features, film_counts: Sequence[int]
    ) -> dict[str, Any]:
        single = np.flatnonzero(self.library.train.targets(self.panel).single)
        tried = [
            (value, self._fitted(classifier, value, features, single))
            for value in classifier.values
        ]
        chosen, best = max(
            tried,
            key=lambda pair: self._area(self._said(pair[1], features.validation, "validation")),
        )
        sizes = [count for count in film_counts if count < len(single)]
        fewer = [
            (count, self._fitted(classifier, chosen, features, spread(single, count)))
            for count in sizes
        ]
        return {
            "display": classifier.display,
            "strength": {"parameter": classifier.strength, "chosen": chosen},
            **score(self._said(best, features.test, "test")),
            "by_strength": [
                {"value": value, **self._brief(model, features)} for value, model in tried
            ],
            "by_films": [
                {"films": count, **self._brief(model, features)}
                for count, model in [*fewer, (len(single), best)]
            ],
        }

    def _fitted(
        self, classifier: Classifier, value: float, features: Features, rows: NDArray[np.int64]
    ) -> Any:
        truth = self.library.train.targets(self.panel).truth[rows]
        # Few neighbours' worth of films: no more neighbours than films.
        most = len(rows) if classifier.strength == "n_neighbors" else value
        return classifier.build(min(value, most), self.seed).fit(features.train[rows], truth)

    def _said(self, model: Any, rows: NDArray[np.float32], split: str) -> Verdicts:
        films: FilmSet = getattr(self.library, split)
        if hasattr(model, "predict_proba"):
            return Verdicts(self.panel, films, np.asarray(model.predict_proba(rows), dtype=float))
        mass = sigmoid(np.asarray(model.decision_function(rows), dtype=float))
        return Verdicts(self.panel, films, np.stack([1 - mass, mass], axis=1))

    def _area(self, said: Verdicts) -> float:
        """Mean AUROC over the questions within one source; pooled where none can be asked."""
        found = [question for asked in self.panel.comparisons if (question := said.question(asked))]
        areas = [area_under_curve(question.scores, question.positive) for question in found]
        if areas:
            return float(np.mean(areas))
        targets = said.films.targets(self.panel)
        return area_under_curve(
            said.probabilities[targets.single, 1], targets.truth[targets.single] == 1
        )

    def _brief(self, model: Any, features: Features) -> dict[str, Any]:
        said = self._said(model, features.test, "test")
        single = said.films.targets(self.panel).single
        return {
            "mean_within_source_auroc": figure(self._area(said)),
            "accuracy": figure(float(correct(said)[single].mean())),
        }


def spread(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many of the rows, spread evenly, so that every source keeps its share."""
    return rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]
