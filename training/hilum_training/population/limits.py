"""The bounds of a scope, chosen on validation images, and how well they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.measures.bootstrap import PatientBootstrap, figure
from hilum_training.measures.source_groups import groups
from hilum_training.population.probe import MEASURES, fit_probe, is_child, save_probe
from hilum_training.population.shown import never_shown, shown_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.panel_recipe import PanelRecipe
    from hilum_training.population.probe import PopulationProbe
    from hilum_training.recipe import Recipe

INSIDE: Final = 0.99
"""Share of the validation images of each source whose distance lies within the bound."""
ADULTS_INSIDE: Final = 0.98
"""Share of the validation images of adults of each source that are not taken for a child's."""
_FEWEST: Final = 8
"""Patients from which a source decides by itself."""
_STEP: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Measured:
    """Images with their measures.

    Attributes:
        films: N images.
        features: float32 [N, C], pooled.
    """

    films: FilmSet
    features: NDArray[np.float32]

    def where(self, kept: NDArray[np.bool_]) -> Measured:
        """Take a part of the images."""
        at = np.flatnonzero(kept)
        return Measured(self.films.take(at), self.features[at])

    @property
    def sources(self) -> NDArray[np.str_]:
        """The source of each, [N]."""
        return np.array([film.source for film in self.films.films])


def choose_limits(probe: PopulationProbe, validation: Measured) -> dict[str, float]:
    """Choose the bound of each measure at the worst source.

    ``distance``: the largest of the sources' quantiles of :data:`INSIDE`. ``child``: the same of
    images of adults and :data:`ADULTS_INSIDE`, but at least 0.5. Sources with few patients count
    together.
    """
    films = validation.films.films
    adults = validation.where(np.array([is_child(film) is False for film in films], dtype=bool))
    return {
        "distance": _at_worst(probe, validation, 0, INSIDE),
        "child": max(_at_worst(probe, adults, 1, ADULTS_INSIDE), 0.5),
    }


def _at_worst(probe: PopulationProbe, part: Measured, place: int, share: float) -> float:
    """The largest quantile of a measure over the sources."""
    values = probe.measures(part.features)[:, place]
    own = groups(part.sources, part.films.clusters, _FEWEST).values()
    worst = max((np.quantile(values[chosen], share) for chosen in own), default=0.0)
    return round(float(worst) + _STEP, 4)


def scope_figures(
    parts: tuple[Measured, Measured, Measured], probe: PopulationProbe, limits: dict[str, float]
) -> dict[str, Any]:
    """Measure the bounds on test images, and with each source left out of the fit.

    With a source left out, its images are asked of a probe that was fitted without them. The trunk
    has seen them, so that these figures are at the upper end.

    Args:
        parts: Training, validation and test images.
        probe: Fitted on the training images.
        limits: From :func:`choose_limits`.
    """
    train, validation, test = parts
    left_out = []
    for source in sorted(set(train.sources.tolist())):
        others = train.where(train.sources != source)
        if not others.films.films:
            continue
        probe_without = fit_probe(others.features, others.films.films)
        kept = validation.where(validation.sources != source)
        bound = choose_limits(probe_without, kept)["distance"]
        asked = test.where(test.sources == source)
        if len(asked.films.films):
            beyond = probe_without.measures(asked.features)[:, 0] > bound
            left_out.append({"source": source, **_share(asked, beyond, "beyond_distance")})
    return {
        "measures": list(MEASURES),
        "limits": {name: figure(value) for name, value in limits.items()},
        "by_source": _by_source(probe, test, limits),
        "by_age": _by_age(probe, test, limits),
        "source_left_out": left_out,
    }


def _by_source(
    probe: PopulationProbe, test: Measured, limits: dict[str, float]
) -> list[dict[str, Any]]:
    rows = []
    for source in sorted(set(test.sources.tolist())):
        part = test.where(test.sources == source)
        values = probe.measures(part.features)
        rows.append(
            {
                "source": source,
                **_share(part, values[:, 0] > limits["distance"], "beyond_distance"),
                **_share(part, values[:, 1] > limits["child"], "taken_for_a_child"),
            }
        )
    return rows


def _by_age(
    probe: PopulationProbe, test: Measured, limits: dict[str, float]
) -> list[dict[str, Any]]:
    groups: Sequence[tuple[str, bool | None]] = (
        ("below 10 years", True),
        ("10 to 15 years", None),
        ("16 years and older, or collections of adults", False),
    )
    answers = [is_child(film) for film in test.films.films]
    rows = []
    for words, wanted in groups:
        part = test.where(np.array([answer is wanted for answer in answers], dtype=bool))
        if len(part.films.films):
            called = probe.measures(part.features)[:, 1] > limits["child"]
            rows.append({"ages": words, **_share(part, called, "taken_for_a_child")})
    return rows


def _share(part: Measured, beyond: NDArray[np.bool_], name: str) -> dict[str, Any]:
    return {"images": len(beyond), name: PatientBootstrap(part.films.clusters).share(beyond)}


def panel_scope(panel: PanelRecipe, limits: Mapping[str, float]) -> dict[str, Any]:
    """Return the bounds of a panel's scope.

    Args:
        panel: The panel.
        limits: From :func:`choose_limits`.

    Returns:
        ``limits`` by measure, and ``child_above`` where children have points of their own.
    """
    found: dict[str, Any] = {"limits": {name: limits[name] for name in panel.scope.limits}}
    if panel.operating_point.child_specificity is not None:
        found["child_above"] = limits["child"]
    return found


def population_report(
    recipe: Recipe, parts: tuple[Measured, Measured, Measured], probe_file: Path
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Fit the probe, keep it, choose the bounds and measure them.

    Args:
        recipe: What was trained.
        parts: Training, validation and test images.
        probe_file: Where the probe is written.

    Returns:
        The network's section of the report, and each panel's ``scope``: ``limits``, ``sources``,
        ``never_shown``, and ``child_above`` where children have operating points of their own.
    """
    train, validation, _ = parts
    probe = fit_probe(train.features, train.films.films)
    save_probe(probe, probe_file)
    limits = choose_limits(probe, validation)
    scopes = {
        panel.name: {
            **panel_scope(panel, limits),
            "sources": shown_sources(panel, train.films),
            "never_shown": never_shown(panel, train.films),
        }
        for panel in recipe.panels
    }
    return scope_figures(parts, probe, limits), scopes
