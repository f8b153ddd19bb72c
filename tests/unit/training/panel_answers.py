"""Answers of a panel to films that a test describes in a row each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hilum_training.evaluation.answers import Answers
from hilum_training.films.asked import EVERY
from hilum_training.films.library import FilmSet
from hilum_training.films.pack import Film
from hilum_training.recipe import read_recipe

if TYPE_CHECKING:
    from hilum_training.panel_recipe import PanelRecipe

ROOT = Path(__file__).resolve().parents[3]
RECIPE = read_recipe(ROOT / "training/recipes/chest.toml")
GATE = read_recipe(ROOT / "training/recipes/gate.toml").panels[0]


def panel(name: str) -> PanelRecipe:
    """A panel of the shipped recipe."""
    return next(panel for panel in RECIPE.panels if panel.name == name)


def film(index: int, source: str, label: str, **more: object) -> Film:
    """A film of its own patient, whose source lists all that was found."""
    asked = frozenset({EVERY})
    described = {"group": str(index), "licence": "CC BY 4.0", "asked": asked, **more}
    return Film(file=f"{index}.png", source=source, label=label, **described)


def answers(asked: PanelRecipe, films: list[Film], logits: list[list[float]]) -> Answers:
    """What a network with these logits would give."""
    inputs = np.zeros((len(films), 8, 8, 1), dtype=np.uint8)
    values = np.array(logits, dtype=float).reshape(len(films), len(asked.labels))
    return Answers.of(asked, FilmSet(tuple(films), inputs, tuple(f.group for f in films)), values)


def sure(asked: PanelRecipe, label: str, by: float = 4.0) -> list[float]:
    """Logits that give one label."""
    return [by if name == label else 0.0 for name in asked.names]
