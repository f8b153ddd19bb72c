"""A network's answers to its films, predicted once, and what else is asked of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.evaluation.answers import Answers
from hilum_training.evaluation.box_figures import localisation_figures
from hilum_training.evaluation.copied_films import copied_films
from hilum_training.evaluation.features import class_maps
from hilum_training.evaluation.headline import headline
from hilum_training.evaluation.heatmaps import (
    NOT_TO_BE_SHOWN,
    choose_shown,
    draw_page,
    licence_rows,
    page_note,
    shown_rows,
)
from hilum_training.evaluation.measure import section_child_thresholds, section_thresholds
from hilum_training.evaluation.shortcuts.changed_films import changed_films, without_lungs
from hilum_training.evaluation.shortcuts.lung_fields import (
    LungFields,
    found_lung_fields,
    pack_lung_fields,
)
from hilum_training.evaluation.shortcuts.source_probe import probe_films, probe_source, thumbnails
from hilum_training.evaluation.verdicts import PanelPoints
from hilum_training.population.inside import Population, scope_of
from hilum_training.population.limits import Measured
from hilum_training.population.probe import load_probe
from hilum_training.prediction import predict_logits, predict_pooled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from hilum_training.evaluation.shortcuts.lung_fields import Masks
    from hilum_training.films.library import Library
    from hilum_training.measures.calibration import Calibration
    from hilum_training.panel_recipe import PanelRecipe
    from hilum_training.recipe import Recipe

HEATMAP_KINDS: Final = frozenset({"single_label", "multi_label"})


class MeasuredNetwork:
    """A network's answers to a library, and what else is asked of it."""

    def __init__(self, recipe: Recipe, library: Library, network: keras.Model) -> None:
        self._recipe, self._library, self._network = recipe, library, network
        self._chosen_features, chosen_on = predict_pooled(network, library.validation.inputs)
        self._features, self._logits = predict_pooled(network, library.test.inputs)
        self.validation = {
            panel.name: Answers.of(panel, library.validation, chosen_on[panel.name])
            for panel in recipe.panels
        }
        self.test = {
            panel.name: Answers.of(panel, library.test, self._logits[panel.name])
            for panel in recipe.panels
        }
        self.calibrations: dict[str, Calibration] = {
            name: answers.calibration() for name, answers in self.validation.items()
        }

    def tables(
        self, pack: Path | None, lungs: Masks | None
    ) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """What needs more than one pass over the films as they are: by subject, then by panel."""
        panels = [panel for panel in self._recipe.panels if panel.comparisons]
        test = self._library.test
        found = {}
        if len(test.films):
            found["copied_films"] = copied_films(
                self._recipe.panels, self.calibrations, test, self._logits, self._predict
            )
        if panels and len(test.films):
            found["changed_films"] = changed_films(
                panels, self.calibrations, test, self._logits, self._predict
            )
            fields = self._fields(pack, lungs)
            if len(fields.at):
                found["without_lungs"] = without_lungs(
                    panels, self.calibrations, test, self._logits, fields, self._predict
                )
        if pack is not None:
            found["localisation"] = localisation_figures(
                self._recipe.panels, self._library, self._network, pack, lungs
            )
        return found

    @cached_property
    def _train_features(self) -> NDArray[np.float32]:
        return predict_pooled(self._network, self._library.train.inputs)[0]

    def parts(self) -> tuple[Measured, Measured, Measured]:
        """Training, validation and test images with their features."""
        films = self._library
        return (
            Measured(films.train, self._train_features),
            Measured(films.validation, self._chosen_features),
            Measured(films.test, self._features),
        )

    def population(self, scopes: Mapping[str, Mapping[str, Any]], probe: Path) -> Population:
        """Return by panel which test images lie inside its scope, and which show children."""
        bounds = {
            panel.name: scope_of(panel.scope, scopes[panel.name]) for panel in self._recipe.panels
        }
        return Population.of(bounds, load_probe(probe).measures(self._features))

    def headline(
        self,
        sections: Mapping[str, Mapping[str, Any]],
        severity: Mapping[str, float],
        population: Population | None = None,
    ) -> dict[str, Any]:
        """What all panels together say of normal and of ill test films; empty for a gate."""
        panels = [panel for panel in self._recipe.panels if panel.kind in HEATMAP_KINDS]
        if not panels or not self._library.test.films:
            return {}
        chances = {
            panel.name: self.calibrations[panel.name].probabilities(self._logits[panel.name])
            for panel in panels
        }
        points = [
            PanelPoints.of_recipe(
                panel,
                section_thresholds(sections[panel.name]),
                section_child_thresholds(sections[panel.name]),
            )
            for panel in panels
        ]
        test = self._library.test
        known = (population.inside, population.children) if population else (None, None)
        return headline(test.films, test.clusters, points, chances, severity, *known)

    def _fields(self, pack: Path | None, lungs: Masks | None) -> LungFields:
        test = self._library.test
        size = test.inputs.shape[1]
        if lungs is not None:
            return found_lung_fields(lungs(test.inputs))
        if pack is not None:
            return pack_lung_fields(pack, test.films, size)
        return LungFields(np.zeros(0, dtype=np.int64), np.zeros((0, size, size), dtype=bool))

    def source_probe(self) -> dict[str, Any]:
        """The source told from features: of all films, of normal ones only, and from thumbnails."""
        picked = probe_films(self._library.train.films)
        train, features = self._library.train.take(picked), self._train_features[picked]
        test = self._library.test
        small = thumbnails(train.inputs), thumbnails(test.inputs)
        normal = [
            np.flatnonzero([film.label == "normal" for film in part.films])
            for part in (train, test)
        ]
        return {
            "features": probe_source(train, test, (features, self._features)),
            "features_of_normal_films": probe_source(
                train.take(normal[0]),
                test.take(normal[1]),
                (features[normal[0]], self._features[normal[1]]),
            ),
            "thumbnails_of_16_pixels": probe_source(train, test, small),
        }

    def draw_heatmaps(
        self, panel: PanelRecipe, path: Path, *, every: bool = False
    ) -> dict[str, list[dict[str, Any]]]:
        """The panel's page of maps, if any test film may be shown, and whose films are on it."""
        targets = self.test[panel.name].targets
        counted = np.flatnonzero(targets.whole if panel.kind == "multi_label" else targets.single)
        answers, calibration = self.test[panel.name].take(counted), self.calibrations[panel.name]
        shown = choose_shown(answers, calibration, every=every)
        about = {
            "answers_by_licence": licence_rows(answers, calibration),
            "films_shown": shown_rows(answers, shown),
        }
        if not shown:
            return about
        films = self._library.test.take(counted[[tile.at for tile in shown]])
        maps = class_maps(self._network, films.inputs, panel.name)
        answered = [panel.names.index(tile.answered) for tile in shown]
        chosen = maps[np.arange(len(shown)), :, :, answered]
        note = NOT_TO_BE_SHOWN if every else page_note(answers, shown)
        draw_page(films.inputs, chosen, shown, path, note)
        return about

    def _predict(self, inputs: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
        return predict_logits(self._network, inputs)
