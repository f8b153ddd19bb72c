"""Whether the films suffice for the panels of a recipe: asked before hours of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hilum_training.films.library import FilmSet, Library
    from hilum_training.panel_recipe import PanelRecipe


class FilmsMissing(RuntimeError):
    """A panel has no film to learn a label from, or none to choose its operating point on."""


def check_coverage(panels: Sequence[PanelRecipe], library: Library) -> None:
    """Ask of every label what training and the choice of operating points cannot do without.

    Training needs films with the label and films without it; validation needs films without it.
    Few or no validation films *with* a label are no reason to stop: its operating point then goes
    by specificity alone.

    Raises:
        FilmsMissing: Names each panel, label and split.
    """
    missing = [line for panel in panels for line in _missing(panel, library)]
    if missing:
        raise FilmsMissing("the films do not suffice:\n  " + "\n  ".join(missing))


def _missing(panel: PanelRecipe, library: Library) -> Iterable[str]:
    learnt, chosen_on = _present(panel, library.train), _present(panel, library.validation)
    for place, label in enumerate(panel.names):
        if not learnt[:, place].any():
            yield f"{panel.name}: no training film with {label}"
        if learnt[:, place].all():
            yield f"{panel.name}: no training film without {label}"
        if chosen_on[:, place].all():
            yield f"{panel.name}: no validation film without {label}"


def _present(panel: PanelRecipe, films: FilmSet) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Bool [N, K]: the films that count for a panel, and what each carries."""
    targets = films.targets(panel)
    counted = targets.known if panel.kind == "multi_label" else targets.single
    return np.asarray(targets.values[counted] > 0)
