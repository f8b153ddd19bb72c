"""A recipe: everything that decides a training run, read from TOML."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hilum_training.panel_recipe import PanelRecipe, check_panel, read_panel
from hilum_training.recipe_checks import (
    check_architecture,
    check_films,
    check_part,
    check_version,
)
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.recipe_toml import built, naming, read_toml, taken

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FilmRecipe:
    """Model input: preprocessing id of :mod:`hilum.imaging.preprocessing`, pixels a side."""

    preprocessing: str
    size: int


@dataclass(frozen=True, slots=True)
class DataRecipe:
    """Which films, split how.

    Attributes:
        sources: Folders of the film pack.
        views: Accepted values of the column ``view``.
        fractions: Train, validation, test.
        near_duplicate_bits: Films with at most so many differing hash bits count as one.
        exclude_flags: Films with one of these licence flags are left out, e.g. ``NC``.
        negatives: Folders of pictures that are no chest films; for a gate.
        only_train_sources: Films of other sources are held out whole: no training, no validation.
    """

    sources: tuple[str, ...]
    views: tuple[str, ...]
    fractions: tuple[float, float, float]
    near_duplicate_bits: int
    exclude_flags: tuple[str, ...] = ()
    negatives: tuple[str, ...] = ()
    only_train_sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """The trunk that the panels share.

    Attributes:
        architecture: A key of :data:`hilum_training.network.TRUNKS`.
        dropout: Before the panels' dense layers.
        reduce: The film is averaged over squares of so many pixels a side before the trunk.
        initial: ``imagenet``, the path of a weights file, or empty for random weights.
        frozen_stages: So many stages keep their initial weights.
        stages: The trunk ends after so many stages; 0 takes all.
        widths: Channels of each halving, for the architectures that ask for them; the stem first.
        blocks: Residual blocks of each halving.
    """

    architecture: str
    dropout: float
    reduce: int = 1
    initial: str = ""
    frozen_stages: int = 0
    stages: int = 0
    widths: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FitRecipe:
    """Optimisation.

    Attributes:
        balance: Exponent of (source, label) counts in sampling.
        side: Pixels a side that this fit sees, at most as served; images are reduced after
            augmentation. 0: as served.
        draws: Images an epoch draws, at most as many as there are; 0: that many.
        keep: ``best``: the epoch with the least validation loss; ``last``: the end of the schedule;
            ``mean``: the mean of their weights (Izmailov et al., UAI 2018).
        patience: The run ends after so many epochs without a lower validation loss; 0: never early.
    """

    epochs: int
    batch: int
    learning_rate: float
    warmup_epochs: int
    weight_decay: float
    label_smoothing: float
    ema: float
    balance: float
    side: int = 0
    draws: int = 0
    # These choose among epochs and change none: they are not part of what makes a run another run.
    keep: str = field(default="best", repr=False)
    patience: int = field(default=0, repr=False)


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
class GuiseRecipe:
    """Ranges of what a scanner and a file format do; see :mod:`hilum_training.learning.guises`.

    Attributes:
        sharpen: Up to such a share of the difference from the film's 3 x 3 mean is added.
        soften: Up to such a share of it is taken away.
        noise: Up to so many grey levels of standard deviation.
        compress: Probability of a compression to JPEG.
        quality: Its lowest quality; the highest is 99.
    """

    sharpen: float
    soften: float
    noise: float
    compress: float
    quality: int


@dataclass(frozen=True, slots=True)
class SettleRecipe:
    """A second fit, of films in pairs of guises; see :mod:`hilum_training.learning.settling`.

    Attributes:
        batch: Films of a step; the network sees each twice.
        draws: Images an epoch draws, at most as many as there are; 0: that many.
        agreement: Weight of the two guises' disagreement beside the loss of the labels.
        smooth: From this fit on the network sees films smoothed
            (:class:`hilum_training.network.Smoothing`).
    """

    epochs: int
    batch: int
    learning_rate: float
    agreement: float
    smooth: bool
    guise: GuiseRecipe
    draws: int = 0


@dataclass(frozen=True, slots=True)
class DistilRecipe:
    """A last fit, to the mean of two networks; see :mod:`hilum_training.learning.distilling`.

    Attributes:
        rival: The other network: the name of a file of ``training/recipes/rivals``.
        batch: Images of a step; the network sees each twice.
        draws: Images an epoch draws, at most as many as there are; 0: that many.
        share: Weight of the mean answers; the labels have the rest.
    """

    rival: str
    epochs: int
    batch: int
    learning_rate: float
    share: float
    draws: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """One network's recipe."""

    name: str
    version: str
    seed: int
    film: FilmRecipe
    data: DataRecipe
    network: NetworkRecipe
    fit: FitRecipe
    augment: AugmentRecipe
    panels: tuple[PanelRecipe, ...]
    settle: SettleRecipe | None = None
    distil: DistilRecipe | None = None

    @property
    def smooth(self) -> bool:
        """Whether the finished network smooths its films."""
        return self.settle is not None and self.settle.smooth

    @property
    def training(self) -> str:
        """What decides the weights of the first fit: a run of another value is another run."""
        panels = [
            (
                panel.name,
                panel.kind,
                panel.names,
                panel.candidates,
                panel.sources,
                panel.weight,
                panel.loss,
            )
            for panel in self.panels
        ]
        parts = (self.seed, self.film, self.data, self.network, self.fit, self.augment, panels)
        return repr(parts)

    def with_epochs(self, epochs: int | None) -> Recipe:
        """The same recipe, each fit for so many epochs (None: as it says)."""
        if epochs is None:
            return self
        settle = self.settle and replace(self.settle, epochs=epochs)
        distil = self.distil and replace(self.distil, epochs=epochs)
        return replace(self, fit=replace(self.fit, epochs=epochs), settle=settle, distil=distil)


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        RecipeMissing: There is no such file.
        InvalidRecipe: It is no TOML, a key is missing or unknown, a value is out of bounds, or
            parts do not fit.
    """
    document = read_toml(path)
    with naming(path):
        recipe = _recipe(document)
        check_recipe(recipe)
    return recipe


def _recipe(document: dict[str, Any]) -> Recipe:
    parts = {
        "film": built(FilmRecipe, taken(document, "film", dict), "[film]"),
        "data": built(DataRecipe, taken(document, "data", dict), "[data]"),
        "network": built(NetworkRecipe, taken(document, "network", dict), "[network]"),
        "fit": built(FitRecipe, taken(document, "fit", dict), "[fit]"),
        "augment": built(AugmentRecipe, taken(document, "augment", dict), "[augment]"),
        "settle": _settle(taken(document, "settle", dict, {})),
        "distil": _distil(taken(document, "distil", dict, {})),
        "panels": tuple(read_panel(panel) for panel in taken(document, "panel", list)),
    }
    return built(Recipe, {**document, **parts})


def _settle(table: dict[str, Any]) -> SettleRecipe | None:
    if not table:
        return None
    guise = built(GuiseRecipe, taken(table, "guise", dict), "[settle.guise]")
    return built(SettleRecipe, {**table, "guise": guise}, "[settle]")


def _distil(table: dict[str, Any]) -> DistilRecipe | None:
    return built(DistilRecipe, table, "[distil]") if table else None


def check_recipe(recipe: Recipe) -> None:
    """Check a recipe's values, and what its parts ask of one another.

    Raises:
        InvalidRecipe: A value is out of bounds, or parts do not fit.
    """
    check_version(recipe.version)
    check_films(recipe.film, recipe.data)
    for part in ("network", "fit", "augment"):
        check_part(part, getattr(recipe, part))
    check_architecture(recipe.network.architecture)
    if recipe.settle:
        check_part("settle", recipe.settle)
        check_part("settle.guise", recipe.settle.guise)
    if recipe.distil:
        check_part("distil", recipe.distil)
        if recipe.settle is None:
            raise InvalidRecipe("[distil] goes on from [settle], which is missing")
    if recipe.fit.keep not in {"best", "last", "mean"}:
        raise InvalidRecipe(f"fit.keep is best, last or mean, not {recipe.fit.keep}")
    if recipe.film.size % recipe.network.reduce:
        raise InvalidRecipe(f"size {recipe.film.size} is no multiple of {recipe.network.reduce}")
    if not recipe.panels:
        raise InvalidRecipe("no [[panel]]")
    if len({panel.name for panel in recipe.panels}) != len(recipe.panels):
        raise InvalidRecipe("two panels share a name")
    for panel in recipe.panels:
        check_panel(panel)
        _check_sources(recipe, panel)


def _check_sources(recipe: Recipe, panel: PanelRecipe) -> None:
    named = {*panel.sources, *(comparison.source for comparison in panel.comparisons)}
    if unknown := named - set(recipe.data.sources):
        raise InvalidRecipe(f"{panel.name}: not among [data] sources: {', '.join(sorted(unknown))}")
