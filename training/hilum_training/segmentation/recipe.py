"""The recipe of a segmentation network, read from TOML."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from hilum.imaging.lungs import HEART, LEFT_LUNG, LUNGS_WITH_HEART, RIGHT_LUNG
from hilum_training.panel_recipe import LabelRecipe
from hilum_training.recipe import AugmentRecipe, DataRecipe, FilmRecipe, FitRecipe
from hilum_training.recipe_checks import check_films, check_part, check_version
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.recipe_toml import built, naming, read_toml, taken

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
    """Whether a recipe file is for a segmentation network.

    Raises:
        RecipeMissing: There is no such file.
        InvalidRecipe: It is no TOML.
    """
    return bool(read_toml(path).get("kind") == KIND)


def read_segmentation_recipe(path: Path) -> SegmentationRecipe:
    """Read and check a recipe.

    Raises:
        RecipeMissing: There is no such file.
        InvalidRecipe: It is no TOML, a key is missing or unknown, a value is out of bounds, or
            parts do not fit.
    """
    document = read_toml(path)
    with naming(path):
        recipe = _recipe(document)
        _check(recipe)
    return recipe


def _recipe(document: dict[str, Any]) -> SegmentationRecipe:
    labels = taken(document, "label", list)
    parts = {
        "film": built(FilmRecipe, taken(document, "film", dict), "[film]"),
        "data": built(DataRecipe, taken(document, "data", dict), "[data]"),
        "network": built(UNetRecipe, taken(document, "network", dict), "[network]"),
        "fit": built(FitRecipe, taken(document, "fit", dict), "[fit]"),
        "loss": built(LossRecipe, taken(document, "loss", dict), "[loss]"),
        "augment": built(AugmentRecipe, taken(document, "augment", dict), "[augment]"),
        "labels": tuple(built(LabelRecipe, label, "[[label]]") for label in labels),
    }
    return built(SegmentationRecipe, {**document, **parts})


def _check(recipe: SegmentationRecipe) -> None:
    if recipe.kind != KIND:
        raise InvalidRecipe(f"kind is {recipe.kind}, not {KIND}")
    check_version(recipe.version)
    check_films(recipe.film, recipe.data)
    for part in ("fit", "loss", "augment"):
        check_part(part, getattr(recipe, part))
    if tuple(label.name for label in recipe.labels) != STRUCTURES:
        raise InvalidRecipe(f"the [[label]] tables must be {', '.join(STRUCTURES)}")
    if recipe.fit.keep not in {"best", "last"}:
        raise InvalidRecipe(f"fit.keep is best or last, not {recipe.fit.keep}")
    if not recipe.network.widths or min(recipe.network.widths) < 1:
        raise InvalidRecipe(f"widths {recipe.network.widths} are not channels, each 1 or more")
    halvings = 2 ** len(recipe.network.widths)
    if recipe.film.size % halvings:
        raise InvalidRecipe(f"size {recipe.film.size} is no multiple of {halvings}")
