"""Who was among the training images of a panel, and who never was: computed, for the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum_training.population.probe import children_of

if TYPE_CHECKING:
    from hilum_training.films.library import FilmSet
    from hilum_training.panel_recipe import PanelRecipe


def shown_sources(panel: PanelRecipe, train: FilmSet) -> list[str]:
    """Return the sources whose images teach the panel."""
    known = train.targets(panel).known
    return sorted({film.source for film, used in zip(train.films, known, strict=True) if used})


def never_shown(panel: PanelRecipe, train: FilmSet) -> list[str]:
    """Return who was shown to the panel with no image of a finding, in words.

    One text for children and one for the others, each with the findings that none of them had.
    """
    targets = train.targets(panel)
    child = children_of(train.films)
    texts = []
    for words, group in (("children below 10 years", child), ("anybody older", ~child)):
        missing = [
            label.display
            for place, label in enumerate(panel.labels)
            if label.abnormal and not (targets.values[group & targets.known, place] > 0).any()
        ]
        if missing:
            texts.append(f"{words} with: {', '.join(missing)}")
    return texts
