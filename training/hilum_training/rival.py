"""A rival: a shipped recipe with a change, trained as long, on the same images.

It is a few lines of TOML in ``training/recipes/rivals``, see :class:`Rival`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hilum_training.panel_recipe import LossRecipe
from hilum_training.recipe_checks import check_part
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.recipe_toml import built, naming, read_toml, taken

RIVALS: Final = "rivals"
"""Folder of the rivals' recipes, working files and reports."""

if TYPE_CHECKING:
    from pathlib import Path

    from hilum_training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Rival:
    """One other network.

    Attributes:
        name: Of its file.
        about: What sets it apart, for people.
        base: The shipped recipe that it changes.
        seed: Of the order of films and of dropout; which patients are unseen stays the base's.
        loss: By panel, instead of the base's.
    """

    name: str
    about: str
    base: str
    seed: int
    loss: dict[str, LossRecipe]

    def recipe(self, base: Recipe) -> Recipe:
        """The base recipe with this rival's changes.

        Raises:
            InvalidRecipe: The base has no such panel.
        """
        if unknown := set(self.loss) - {panel.name for panel in base.panels}:
            raise InvalidRecipe(f"{self.name}: {base.name} has no panel {', '.join(unknown)}")
        panels = tuple(
            replace(panel, loss=self.loss.get(panel.name, panel.loss)) for panel in base.panels
        )
        return replace(base, name=self.name, seed=self.seed, panels=panels, distil=None)


def read_rival(path: Path) -> Rival:
    """Read a rival.

    Raises:
        InvalidRecipe: It is no TOML, or a key is missing, unknown or out of bounds.
    """
    document = read_toml(path)
    with naming(path):
        losses = taken(document, "loss", dict, {})
        loss = {name: built(LossRecipe, table, f"[loss.{name}]") for name, table in losses.items()}
        for name, item in loss.items():
            check_part("panel.loss", item, f"[loss.{name}]")
        return built(Rival, {**document, "name": path.stem, "loss": loss})
