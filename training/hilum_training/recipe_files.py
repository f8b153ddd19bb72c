"""Which recipe file a name means."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilum_training.recipe_errors import InvalidRecipe, RecipeMissing
from hilum_training.recipe_toml import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def find_recipe(folder: Path, named: str) -> Path:
    """The file of a recipe.

    A panel may stand in several recipes, as in a copy of the shipped one beside it. Then it is
    found in the one whose file is called as the network is, if there is one such.

    Args:
        folder: Of the recipes.
        named: A path, the name of a recipe's file without ``.toml``, or of a panel that one trains.

    Raises:
        RecipeMissing: There is none.
        InvalidRecipe: Several train the panel, or a file that may be meant is no TOML.
    """
    path = Path(named)
    if path.suffix != ".toml":
        path = folder / f"{named}.toml"
        if not path.is_file():
            path = _of_panel(folder, named)
    if not path.is_file():
        raise RecipeMissing(f"no recipe {path}")
    return path


def named_files(folder: Path, names: Sequence[str]) -> list[Path]:
    """The files of a folder that are named, in the order of the names (none: all, by name).

    Args:
        folder: Of TOML files.
        names: Of files, without ``.toml``.

    Raises:
        RecipeMissing: One is not there.
    """
    known = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if missing := sorted(set(names) - set(known)):
        raise RecipeMissing(f"not in {folder}: {', '.join(missing)}")
    return [known[name] for name in names or known]


def tell_panel(named: str, path: Path) -> None:
    """Say on standard error which recipe a panel's name was found in."""
    if path not in {Path(named), path.parent / f"{named}.toml"}:
        sys.stderr.write(f"{named} is a panel of {path}\n")


def _of_panel(folder: Path, named: str) -> Path:
    found: dict[Path, Any] = {}
    broken: InvalidRecipe | None = None
    for candidate in sorted(folder.glob("*.toml")):
        try:
            document = read_toml(candidate)
        except InvalidRecipe as error:
            # Of no account as long as another file has the panel.
            broken = broken or error
            continue
        if named in _panels(document):
            found[candidate] = document.get("name")
    if not found and broken:
        raise InvalidRecipe(f"no recipe and no panel {named} found, and {broken}") from broken
    if not found:
        raise RecipeMissing(f"no recipe and no panel {named} in {folder}")
    own = [path for path, name in found.items() if path.stem == name]
    if len(own) == 1 or len(found) == 1:
        return (own or list(found))[0]
    files = ", ".join(path.name for path in found)
    raise InvalidRecipe(f"a panel {named} stands in {files}: name the recipe instead")


def _panels(document: Mapping[str, Any]) -> set[Any]:
    tables = document.get("panel", [])
    listed = tables if isinstance(tables, list) else []
    return {panel.get("name") for panel in listed if isinstance(panel, dict)}
