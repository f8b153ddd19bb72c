"""Each kind of baseline, run: from its recipe to what it says of the test films."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilum_training.baselines.classical import Bench, Features
from hilum_training.baselines.heads import (
    Described,
    FindingHeads,
    best_strength,
    by_group,
    mean_area_of,
    transfer_head,
)
from hilum_training.baselines.image_features import image_features
from hilum_training.baselines.networks import (
    cost,
    embed,
    fit_network,
    probabilities,
    untrained_trunk,
)
from hilum_training.baselines.scoring import Verdicts, score
from hilum_training.baselines.verdict import mean_of
from hilum_training.measures.bootstrap import figure

if TYPE_CHECKING:
    from pathlib import Path

    from hilum_training.baselines.compared import Compared
    from hilum_training.baselines.recipes import Baseline
    from hilum_training.films.library import FilmSet, Library

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a method came to.

    Attributes:
        said: Of the test films, by variant of the method; the last is the method as published.
        details: For the report.
    """

    said: dict[str, Verdicts]
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where baselines are made.

    Attributes:
        runs: Folder for states, weights and features.
        reports: Folder for logs of the epochs.
        limit: Training films at most, for a try.
        epochs: Instead of the recipe's, for a try.
    """

    runs: Path
    reports: Path
    limit: int | None = None
    epochs: int | None = None

    def networks(self, baseline: Baseline, library: Library) -> Outcome:
        """Fit each network; two and more are an ensemble, the mean of their probabilities."""
        limit = self._limit(baseline)
        said: dict[str, Verdicts] = {}
        details: list[dict[str, Any]] = []
        for recipe in baseline.recipes:
            network = fit_network(
                recipe.with_epochs(self.epochs),
                library,
                limit,
                self.runs / recipe.name,
                self.reports / f"{recipe.name}.csv",
            )
            made = embed(network, library.test, self.runs)
            said[recipe.name] = Verdicts(
                baseline.panel,
                library.test,
                probabilities(baseline.panel, made.logits[baseline.panel.name]),
            )
            details.append(
                {
                    "name": recipe.name,
                    "architecture": recipe.network.architecture,
                    "initial": recipe.network.initial or "random",
                    "epochs": recipe.with_epochs(self.epochs).fit.epochs,
                    "train_films": min(limit or len(library.train.films), len(library.train.films)),
                    **cost(network, library.test),
                }
            )
        if len(said) > 1:
            said["mean of probabilities"] = mean_of(list(said.values()))
        return Outcome(said, {"networks": details})

    def transfer(self, baseline: Baseline, library: Library) -> Outcome:
        """A dense head on a frozen trunk."""
        network = untrained_trunk(baseline.recipe)
        parts = self._parts(library, self.limit)
        described = {
            split: Described(films, embed(network, films, self.runs).features)
            for split, films in parts.items()
        }
        said, strength = transfer_head(baseline.panel, described, baseline.recipe.fit.balance)
        plan = baseline.recipe.network
        details = {
            "name": baseline.recipe.name,
            "architecture": f"{plan.architecture}, frozen",
            "initial": plan.initial or "random",
            "train_films": len(parts["train"].films),
            "inverse_penalty": strength,
            **cost(network, library.test),
        }
        return Outcome({"dense head": said}, {"networks": [details]})

    def classical(self, baseline: Baseline, library: Library, source: Baseline) -> Outcome:
        """Classifiers of scikit-learn on the CNN's features and on plain image features.

        They learn from the films that the CNN learnt from.
        """
        parts = self._parts(library, self._limit(source))
        limited = type(library)(**parts)
        network = fit_network(
            source.recipe.with_epochs(self.epochs),
            library,
            self._limit(source),
            self.runs / source.recipe.name,
            self.reports / f"{source.recipe.name}.csv",
        )
        seed = baseline.recipe.seed
        described = {
            "cnn": Features(
                "the CNN's pooled features",
                *(embed(network, films, self.runs).features for films in parts.values()),
            ),
            "image": Features(
                "32 x 32 pixels and oriented gradients, principal components",
                *(image_features(films.inputs) for films in parts.values()),
            ).reduced(baseline.components, seed),
        }
        bench = Bench(baseline.panel, limited, seed)
        tables = {
            name: {
                "display": features.name,
                "classifiers": bench.compare(features, baseline.film_counts),
            }
            for name, features in described.items()
        }
        made = embed(network, library.test, self.runs).logits[baseline.panel.name]
        said = Verdicts(baseline.panel, library.test, probabilities(baseline.panel, made))
        return Outcome({"the CNN itself": said}, {"classical": tables})

    def heads(self, baseline: Baseline, library: Library, compared: Compared | None) -> Outcome:
        """Linear heads on the frozen trunk's features, and on the shipped network's."""
        parts = self._parts(library, self.limit)
        trunk = untrained_trunk(baseline.recipe)
        described = {
            "ImageNet trunk, frozen": {
                split: Described(films, embed(trunk, films, self.runs).features)
                for split, films in parts.items()
            }
        }
        if compared:
            described["the chest network's features"] = {
                split: Described(films, compared.embedded(split, films.films)[1].features)
                for split, films in parts.items()
            }
        said: dict[str, Verdicts] = {}
        chosen: dict[str, Any] = {}
        for name, features in described.items():
            train, validation, test = (features[split] for split in SPLITS)
            for kind in ("svm", "logistic"):
                strength = best_strength(baseline.panel, kind, train, validation)
                head = FindingHeads(baseline.panel, strength, kind)
                verdicts = head.fit_and_answer(train, test)
                said[f"{name}, {kind} head"] = verdicts
                chosen[f"{name}, {kind} head"] = {
                    "inverse_penalty": strength,
                    "mean_auroc": figure(mean_area_of(verdicts)),
                }
        last = list(described)[-1]
        groups = by_group(head, described[last]["train"], described[last]["test"])
        return Outcome(said, {"heads": chosen, "groups": {"features": last, "rows": groups}})

    def _limit(self, baseline: Baseline) -> int | None:
        limits = [count for count in (baseline.train_films, self.limit) if count is not None]
        return min(limits) if limits else None

    def _parts(self, library: Library, limit: int | None) -> dict[str, FilmSet]:
        return {
            "train": library.train.first(limit),
            "validation": library.validation.first(limit),
            "test": library.test,
        }


def scores(outcome: Outcome) -> dict[str, Any]:
    """Every variant's figures."""
    return {name: score(said) for name, said in outcome.said.items()}
