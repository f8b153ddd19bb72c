"""The recipe of a segmentation network, read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hilum.imaging.lungs import HEART, LEFT_LUNG, LUNGS_WITH_HEART, RIGHT_LUNG
from hilum_training.panel_recipe import LabelRecipe, frozen
from hilum_training.recipe import AugmentRecipe, DataRecipe, FilmRecipe, FitRecipe
from hilum_training.recipe_errors import InvalidRecipe

if TYPE_CHECKING:
    from pathlib import Path

STRUCTURES: Final = (RIGHT_LUNG, LEFT_LUNG, LUNGS_WITH_HEART, HEART)
"""What is outlined, in the order of the output's last axis."""
KIND: Final = "structures"


@dataclass(frozen=True, slots=True)
class UNetRecipe:
    """Channels of each halving of the film, the finest first; the last one is the bottom."""

    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LossRecipe:
    """Weights beside the cross-entropy, which counts 1.

    Attributes:
        dice: Of the soft Dice loss.
        anatomy: Of what holds on every film, outlined or not; see
            :func:`hilum_training.segmentation.objective.anatomy_loss`.
    """

    dice: float
    anatomy: float


@dataclass(frozen=True, slots=True)
class SegmentationRecipe:
    """One segmentation network's recipe; it gives one panel of its own name."""

    name: str
    version: str
    display: str
    kind: str
    caution: str
    seed: int
    film: FilmRecipe
    data: DataRecipe
    network: UNetRecipe
    fit: FitRecipe
    loss: LossRecipe
    augment: AugmentRecipe
    labels: tuple[LabelRecipe, ...]

    @property
    def training(self) -> str:
        """What decides the weights: a run of another value is another run."""
        parts = (self.seed, self.film, self.data, self.network, self.fit, self.loss, self.augment)
        return repr(parts)

    def with_epochs(self, epochs: int | None) -> SegmentationRecipe:
        """The same recipe, trained for so many epochs (None: as it says)."""
        return self if epochs is None else replace(self, fit=replace(self.fit, epochs=epochs))


def is_segmentation(path: Path) -> bool:
    """Whether a recipe file is for a segmentation network."""
    return bool(tomllib.loads(path.read_text(encoding="utf-8")).get("kind") == KIND)


def read_segmentation_recipe(path: Path) -> SegmentationRecipe:
    """Read and check a recipe.

    Raises:
        InvalidRecipe: A key is missing or unknown, or parts do not fit.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        recipe = SegmentationRecipe(
            film=FilmRecipe(**document.pop("film")),
            data=DataRecipe(**frozen(document.pop("data"))),
            network=UNetRecipe(**frozen(document.pop("network"))),
            fit=FitRecipe(**document.pop("fit")),
            loss=LossRecipe(**document.pop("loss")),
            augment=AugmentRecipe(**document.pop("augment")),
            labels=tuple(LabelRecipe(**label) for label in document.pop("label")),
            **document,
        )
    except (KeyError, TypeError) as error:
        raise InvalidRecipe(f"{path.name}: {error}") from error
    _check(recipe)
    return recipe


def _check(recipe: SegmentationRecipe) -> None:
    if recipe.kind != KIND:
        raise InvalidRecipe(f"kind is {recipe.kind}, not {KIND}")
    if tuple(label.name for label in recipe.labels) != STRUCTURES:
        raise InvalidRecipe(f"the [[label]] tables must be {', '.join(STRUCTURES)}")
    if abs(sum(recipe.data.fractions) - 1) > 1e-9:  # noqa: PLR2004 - rounding of three decimals
        raise InvalidRecipe(f"fractions {recipe.data.fractions} do not add up to 1")
    if recipe.fit.keep not in {"best", "last"}:
        raise InvalidRecipe(f"fit.keep is best or last, not {recipe.fit.keep}")
    halvings = 2 ** len(recipe.network.widths)
    if recipe.film.size % halvings:
        raise InvalidRecipe(f"size {recipe.film.size} is no multiple of {halvings}")
