"""A baseline's recipe: what differs from the recipe that it is compared with."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hilum_training.panel_recipe import PanelRecipe, panel_recipe
from hilum_training.recipe import (
    DataRecipe,
    FilmRecipe,
    FitRecipe,
    NetworkRecipe,
    Recipe,
    check_recipe,
)
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.recipe_toml import built, naming, read_toml

if TYPE_CHECKING:
    from pathlib import Path

Part = TypeVar("Part", FilmRecipe, DataRecipe, FitRecipe)
METHODS: Final = ("network", "transfer", "classical", "heads")


@dataclass(frozen=True, slots=True)
class Beside:
    """The panel of the compared network that answers the same question.

    Attributes:
        panel: Its name.
        outputs: The baseline's label -> the panel's labels whose mass stands for it.
    """

    panel: str
    outputs: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Baseline:
    """One original's method.

    Attributes:
        name: Of the baseline.
        method: ``network`` (fitted; several are an ensemble), ``transfer`` (frozen trunk, linear
            head), ``classical`` (scikit-learn on features), ``heads`` (linear heads by group).
        original: What is rebuilt, and the figure that it claimed.
        recipes: One for each network.
        panel: The one panel that it answers.
        beside: Where the compared network answers the same.
        train_films: At most so many training films, or None.
        components: Principal components of the plain image features (``classical``).
        film_counts: Training set sizes of the sensitivity analysis (``classical``).
        features: The baseline whose network gives features (``classical``).
        every: The films of the compared network, of which the recipes' are some.
    """

    name: str
    method: str
    original: str
    recipes: tuple[Recipe, ...]
    panel: PanelRecipe
    beside: Beside
    every: DataRecipe
    train_films: int | None = None
    components: int = 0
    film_counts: tuple[int, ...] = ()
    features: str = ""

    @property
    def recipe(self) -> Recipe:
        """Films, split and panel: the same in each of the recipes."""
        return self.recipes[0]


def read_baseline(path: Path, compared: Recipe) -> Baseline:
    """Read a baseline: the compared recipe with this file's changes.

    Args:
        path: A TOML file of ``recipes/baselines``.
        compared: The recipe of the network that ships; split, seed and panels are its own.

    Raises:
        InvalidRecipe: A key is missing or unknown, or parts do not fit.
    """
    document = read_toml(path)
    with naming(path):
        try:
            baseline = _baseline(document, compared)
        except KeyError as error:
            raise InvalidRecipe(f"the key {error.args[0]} is missing") from error
        except (AttributeError, TypeError, ValueError) as error:
            raise InvalidRecipe(str(error)) from error
        for recipe in baseline.recipes:
            check_recipe(recipe)
    return baseline


def _baseline(document: dict[str, Any], compared: Recipe) -> Baseline:
    name, method = document.pop("name"), document.pop("method")
    if method not in METHODS:
        raise InvalidRecipe(f"{name}: no method {method}")
    panel = _panel(name, document, compared)
    base = replace(
        compared,
        name=name,
        film=_changed(compared.film, document.pop("film", {})),
        data=_changed(compared.data, document.pop("data", {})),
        fit=_changed(compared.fit, document.pop("fit", {})),
        panels=(panel,),
    )
    recipes = tuple(
        replace(base, name=f"{name}-{network.pop('name')}", network=_network(network))
        for network in document.pop("network", [])
    )
    beside = document.pop("beside", {"panel": panel.name})
    counts = tuple(document.pop("films", ()))
    return Baseline(
        name=name,
        method=method,
        recipes=recipes or (base,),
        panel=panel,
        beside=Beside(
            beside["panel"],
            {key: tuple(value) for key, value in beside.get("outputs", {}).items()}
            or {label: (label,) for label in panel.names},
        ),
        every=compared.data,
        film_counts=counts,
        features=document.pop("features", {}).get("baseline", ""),
        **document,
    )


def _panel(name: str, document: dict[str, Any], compared: Recipe) -> PanelRecipe:
    own = {item["name"]: panel_recipe(item) for item in document.pop("panel", [])}
    known: dict[str, PanelRecipe] = {panel.name: panel for panel in compared.panels} | own
    (wanted,) = document.pop("panels")
    if wanted not in known:
        raise InvalidRecipe(f"{name}: no panel {wanted} in {compared.name}")
    return known[wanted]


def _network(table: dict[str, Any]) -> NetworkRecipe:
    return built(NetworkRecipe, table, "[[network]]")


def _changed(part: Part, changes: dict[str, Any]) -> Part:
    kept = {item.name: getattr(part, item.name) for item in fields(part)}
    return built(type(part), {**kept, **changes})
