"""A recipe: everything that decides a training run, read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class InvalidRecipe(ValueError):
    """The recipe lacks a key, has one too many, or its parts do not fit."""


@dataclass(frozen=True, slots=True)
class FilmRecipe:
    """Model input: preprocessing id of :mod:`hilum.imaging.preprocessing`, pixels a side."""

    preprocessing: str
    size: int


@dataclass(frozen=True, slots=True)
class DataRecipe:
    """Which films, with which labels, split how.

    Attributes:
        labels: Outputs, in the order of the axis K.
        sources: Folders of the film pack.
        views: Accepted values of the column ``view``.
        fractions: Train, validation, test.
        near_duplicate_bits: Films with at most so many differing hash bits count as one.
        candidates: Recorded label -> labels that it allows; others are probes, never trained on.
    """

    labels: tuple[str, ...]
    sources: tuple[str, ...]
    views: tuple[str, ...]
    fractions: tuple[float, float, float]
    near_duplicate_bits: int
    candidates: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """Channels of the stem and of each halving after it, residual blocks per halving."""

    stem: int
    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    dropout: float


@dataclass(frozen=True, slots=True)
class FitRecipe:
    """Optimisation; ``balance`` is the exponent of (source, label) counts in sampling."""

    epochs: int
    batch: int
    learning_rate: float
    warmup_epochs: int
    weight_decay: float
    label_smoothing: float
    ema: float
    balance: float


@dataclass(frozen=True, slots=True)
class AugmentRecipe:
    """Ranges of the random changes; see :mod:`hilum_training.learning.augmentation`."""

    rotate_degrees: float
    zoom: float
    shift: float
    flip: float
    gamma: float
    contrast: float
    noise: float
    blur: float
    occlude: float


@dataclass(frozen=True, slots=True)
class OperatingPointRecipe:
    """``youden``, or ``sensitivity`` with the wanted value."""

    rule: str
    sensitivity: float | None = None


@dataclass(frozen=True, slots=True)
class LabelRecipe:
    """How a label is shown and coded (SNOMED CT); see :class:`hilum.domain.model.Label`."""

    name: str
    display: str
    code: str
    meaning: str
    weak: bool = False
    abnormal: bool = True


@dataclass(frozen=True, slots=True)
class ComparisonRecipe:
    """A question put to the test split within one source.

    Attributes:
        name: The question.
        source: Films of this source only.
        positive: Recorded labels on one side.
        negative: Recorded labels on the other.
        positive_outputs: Outputs whose mass is the score's numerator.
        negative_outputs: With them, the denominator.
    """

    name: str
    source: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    positive_outputs: tuple[str, ...]
    negative_outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One model's recipe."""

    name: str
    version: str
    seed: int
    film: FilmRecipe
    data: DataRecipe
    network: NetworkRecipe
    fit: FitRecipe
    augment: AugmentRecipe
    operating_point: OperatingPointRecipe
    labels: tuple[LabelRecipe, ...]
    comparisons: tuple[ComparisonRecipe, ...] = ()

    @property
    def training(self) -> str:
        """What decides the weights: a run of another value is another run."""
        return repr((self.seed, self.film, self.data, self.network, self.fit, self.augment))

    def with_epochs(self, epochs: int | None) -> Recipe:
        """The same recipe, trained for so many epochs (None: as it says)."""
        return self if epochs is None else replace(self, fit=replace(self.fit, epochs=epochs))


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        InvalidRecipe: A key is missing or unknown, or parts do not fit.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        recipe = _recipe(document)
    except (KeyError, TypeError) as error:
        raise InvalidRecipe(f"{path.name}: {error}") from error
    _check(recipe)
    return recipe


def _recipe(document: dict[str, Any]) -> Recipe:
    data = dict(document.pop("data"))
    candidates = {key: tuple(value) for key, value in data.pop("candidates").items()}
    network = document.pop("network")
    labels = document.pop("label")
    comparisons = document.pop("comparison", [])
    return Recipe(
        film=FilmRecipe(**document.pop("film")),
        data=DataRecipe(candidates=candidates, **{k: _frozen(v) for k, v in data.items()}),
        network=NetworkRecipe(**{k: _frozen(v) for k, v in network.items()}),
        fit=FitRecipe(**document.pop("fit")),
        augment=AugmentRecipe(**document.pop("augment")),
        operating_point=OperatingPointRecipe(**document.pop("operating_point")),
        labels=tuple(LabelRecipe(**item) for item in labels),
        comparisons=tuple(
            ComparisonRecipe(**{k: _frozen(v) for k, v in item.items()}) for item in comparisons
        ),
        **document,
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check(recipe: Recipe) -> None:
    if tuple(label.name for label in recipe.labels) != recipe.data.labels:
        raise InvalidRecipe("data.labels and the [[label]] tables differ")
    labels = set(recipe.data.labels)
    for recorded, allowed in recipe.data.candidates.items():
        if not allowed or not set(allowed) <= labels:
            raise InvalidRecipe(f"{recorded} may be {allowed}, which are not all labels")
    if abs(sum(recipe.data.fractions) - 1) > 1e-9:  # noqa: PLR2004 - rounding of three decimals
        raise InvalidRecipe(f"fractions {recipe.data.fractions} do not add up to 1")
    if len(recipe.network.widths) != len(recipe.network.blocks):
        raise InvalidRecipe("network.widths and network.blocks differ in length")
    halvings = 2 ** (len(recipe.network.widths) + 1)
    if recipe.film.size % halvings:
        raise InvalidRecipe(f"size {recipe.film.size} is no multiple of {halvings}")
    if recipe.operating_point.rule not in {"youden", "sensitivity"}:
        raise InvalidRecipe(f"no operating point rule {recipe.operating_point.rule}")
    if recipe.operating_point.rule == "sensitivity" and not recipe.operating_point.sensitivity:
        raise InvalidRecipe("operating_point.sensitivity is missing")
