"""A recipe that trains in seconds: two panels on a small residual trunk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hilum_training.recipe import NetworkRecipe, read_recipe

SHIPPED = read_recipe(Path(__file__).resolve().parents[3] / "training/recipes/chest.toml")
TINY = replace(
    SHIPPED,
    name="tiny",
    film=replace(SHIPPED.film, size=32),
    data=replace(SHIPPED.data, sources=("kermany",)),
    network=NetworkRecipe("residual", dropout=0.0, widths=(4, 8, 8, 8), blocks=(0, 0, 1)),
    fit=replace(SHIPPED.fit, epochs=2, batch=8, ema=0.5, learning_rate=2e-3, side=0, draws=0),
    settle=None,
    distil=None,
    panels=(SHIPPED.panels[0], replace(SHIPPED.panels[3], sources=("kermany",))),
)
SETTLED = replace(
    TINY,
    fit=replace(TINY.fit, epochs=1, ema=0.9),
    settle=replace(SHIPPED.settle, epochs=1, batch=8, learning_rate=1e-3, draws=0),
)
"""With its second fit, one epoch each."""
