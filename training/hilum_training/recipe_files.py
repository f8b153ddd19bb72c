"""Which recipe file a name means."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hilum_training.recipe_errors import RecipeMissing


def find_recipe(folder: Path, named: str) -> Path:
    """The file of a recipe.

    Args:
        folder: Of the recipes.
        named: A path, the name of a recipe, or of a panel that one trains.

    Raises:
        RecipeMissing: There is none.
    """
    path = Path(named)
    if path.suffix != ".toml":
        path = folder / f"{named}.toml"
        if not path.is_file():
            path = _of_panel(folder, named)
    if not path.is_file():
        raise RecipeMissing(f"no recipe {path}")
    return path


def _of_panel(folder: Path, named: str) -> Path:
    for candidate in sorted(folder.glob("*.toml")):
        panels = tomllib.loads(candidate.read_text(encoding="utf-8")).get("panel", [])
        if any(panel.get("name") == named for panel in panels):
            return candidate
    raise RecipeMissing(f"no recipe and no panel {named} in {folder}")
