"""A recipe: everything that decides a training run, read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
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
class OperatingPointRecipe:
    """``youden``, or ``sensitivity`` or ``specificity`` with the wanted value.

    Attributes:
        floor: No threshold lies below it: an answer that the panel itself holds unlikely is not
            called positive, however rare the label is among the films that chose the threshold.
    """

    rule: str
    value: float | None = None
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class LabelRecipe:
    """How a label is shown and coded (SNOMED CT); see :class:`hilum.domain.model.Label`."""

    name: str
    display: str
    code: str = ""
    meaning: str = ""
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
class PanelRecipe:
    """One panel: a head on the shared trunk.

    Attributes:
        name: Of the panel, as served.
        display: For people.
        kind: ``single_label``, ``multi_label`` or ``gate``.
        labels: Outputs, in the order of the axis K.
        operating_point: How the thresholds are chosen.
        candidates: Recorded label -> labels that it allows; others are probes, never trained on.
            A multi-label panel has none: it takes the film's findings as they are.
        sources: Films of these sources train and test the panel; empty for all.
        comparisons: What the test split is asked.
        weight: Of its loss.
        caution: One sentence that every surface shows with the panel.
    """

    name: str
    display: str
    kind: str
    labels: tuple[LabelRecipe, ...]
    operating_point: OperatingPointRecipe
    candidates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    comparisons: tuple[ComparisonRecipe, ...] = ()
    weight: float = 1.0
    caution: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Label names."""
        return tuple(label.name for label in self.labels)


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

    @property
    def training(self) -> str:
        """What decides the weights: a run of another value is another run."""
        panels = [
            (panel.name, panel.kind, panel.names, panel.candidates, panel.sources, panel.weight)
            for panel in self.panels
        ]
        parts = (self.seed, self.film, self.data, self.network, self.fit, self.augment, panels)
        return repr(parts)

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


def panel_recipe(document: dict[str, Any]) -> PanelRecipe:
    """A panel from its table in a TOML file.

    Raises:
        InvalidRecipe: Its parts do not fit.
        KeyError: A key is missing.
        TypeError: A key is unknown.
    """
    panel = _panel(document)
    _check_panel(panel)
    return panel


def _recipe(document: dict[str, Any]) -> Recipe:
    return Recipe(
        film=FilmRecipe(**document.pop("film")),
        data=DataRecipe(**_frozen(document.pop("data"))),
        network=NetworkRecipe(**_frozen(document.pop("network"))),
        fit=FitRecipe(**document.pop("fit")),
        augment=AugmentRecipe(**document.pop("augment")),
        panels=tuple(_panel(panel) for panel in document.pop("panel")),
        **document,
    )


def _panel(document: dict[str, Any]) -> PanelRecipe:
    candidates = {key: tuple(value) for key, value in document.pop("candidates", {}).items()}
    labels = document.pop("label")
    comparisons = document.pop("comparison", [])
    return PanelRecipe(
        candidates=candidates,
        labels=tuple(LabelRecipe(**label) for label in labels),
        operating_point=OperatingPointRecipe(**document.pop("operating_point")),
        comparisons=tuple(ComparisonRecipe(**_frozen(item)) for item in comparisons),
        **_frozen(document),
    )


def _frozen(table: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}


def _check(recipe: Recipe) -> None:
    if abs(sum(recipe.data.fractions) - 1) > 1e-9:  # noqa: PLR2004 - rounding of three decimals
        raise InvalidRecipe(f"fractions {recipe.data.fractions} do not add up to 1")
    if recipe.fit.keep not in {"best", "last", "mean"}:
        raise InvalidRecipe(f"fit.keep is best, last or mean, not {recipe.fit.keep}")
    if recipe.film.size % recipe.network.reduce:
        raise InvalidRecipe(f"size {recipe.film.size} is no multiple of {recipe.network.reduce}")
    if len({panel.name for panel in recipe.panels}) != len(recipe.panels):
        raise InvalidRecipe("two panels share a name")
    for panel in recipe.panels:
        _check_panel(panel)


def _check_panel(panel: PanelRecipe) -> None:
    if panel.kind not in {"single_label", "multi_label", "gate"}:
        raise InvalidRecipe(f"{panel.name}: no kind {panel.kind}")
    if panel.kind == "multi_label" and panel.candidates:
        raise InvalidRecipe(f"{panel.name}: a multi-label panel has no candidates")
    labels = set(panel.names)
    for recorded, allowed in panel.candidates.items():
        if not allowed or not set(allowed) <= labels:
            raise InvalidRecipe(f"{recorded} may be {allowed}, which are not all labels")
    point = panel.operating_point
    if point.rule not in {"youden", "sensitivity", "specificity"}:
        raise InvalidRecipe(f"{panel.name}: no operating point rule {point.rule}")
    if point.rule != "youden" and point.value is None:
        raise InvalidRecipe(f"{panel.name}: the operating point's value is missing")
