"""Whether the films suffice for the panels of a recipe: asked before hours of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

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
    learnt, lacking = _counted(panel, library.train)
    _, chosen_on = _counted(panel, library.validation, whole=True)
    for place, label in enumerate(panel.names):
        if not learnt[place]:
            yield f"{panel.name}: no training film with {label}"
        if not lacking[place]:
            yield f"{panel.name}: no training film without {label}"
        if not chosen_on[place]:
            yield f"{panel.name}: no validation film without {label}"


def _counted(
    panel: PanelRecipe, films: FilmSet, *, whole: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many films that count for a panel carry each label, and how many are without it.

    Training takes what is known of a film; figures take films of which the whole is known.
    """
    targets = films.targets(panel)
    learnt = targets.whole if whole else targets.known
    counted = learnt if panel.kind == "multi_label" else targets.single
    present, asked = targets.values[counted] > 0, targets.asked[counted]
    return (present & asked).sum(axis=0), (~present & asked).sum(axis=0)
