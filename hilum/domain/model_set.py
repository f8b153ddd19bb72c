"""The models that read a film together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilum.domain.panel import PanelKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.domain.manifest import ModelManifest
    from hilum.domain.panel import Panel


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A model of the inference server that runs several of the repository's models at once.

    Attributes:
        name: The name that the inference server serves it under.
        models: Serving version of each model that it runs, by the model's name.
        version: Its own serving version, another one for other models; requests are pinned to it.
    """

    name: str
    models: Mapping[str, int]
    version: int = 1


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models that read a film together; results are keyed by its version.

    Attributes:
        models: In the order in which panels are shown.
        ensemble: What runs models of the repository in one request, where there is such a thing.
    """

    models: tuple[ModelManifest, ...]
    ensemble: Ensemble | None = None

    @property
    def version(self) -> str:
        """Changes when, and only when, an artefact, a model, an operating point or a scope does."""
        digest = hashlib.sha256()
        for model in sorted(self.models, key=lambda model: model.name):
            digest.update(f"{model.name}\0{model.version}\0{model.preprocessing}\0".encode())
            for artefact in sorted(model.artefacts, key=lambda artefact: artefact.path):
                digest.update(f"{artefact.path}\0{artefact.sha256}\0".encode())
            for panel in model.panels:
                for point in panel.operating_points:
                    digest.update(f"{panel.name}\0{point.label}\0{point.threshold!r}\0".encode())
                    if point.child_threshold is not None:
                        digest.update(f"child {point.child_threshold!r}\0".encode())
                    if point.beyond_scope:
                        digest.update(f"beyond {','.join(point.beyond_scope)}\0".encode())
                if panel.scope.bounds:
                    digest.update(f"{panel.name}\0{panel.scope.bounds!r}\0".encode())
        return f"ms-{digest.hexdigest()[:12]}"

    @property
    def together(self) -> Ensemble | None:
        """The ensemble, if it runs exactly the models of this set, and in the same versions.

        They must also take one and the same tensor, and no two may give an output of one name.
        """
        pinned = {model.name: model.serving_version for model in self.models}
        if self.ensemble is None or dict(self.ensemble.models) != pinned:
            return None
        inputs = {(model.preprocessing, model.film_input) for model in self.models}
        names = [output.name for model in self.models for output in model.outputs]
        return self.ensemble if len(inputs) == 1 and len(set(names)) == len(names) else None

    def panel(self, name: str) -> tuple[ModelManifest, Panel] | None:
        """The panel of this name with the model that gives it, or None."""
        for model in self.models:
            panel = model.panel(name)
            if panel is not None:
                return model, panel
        return None

    @property
    def gate(self) -> tuple[ModelManifest, Panel] | None:
        """The gate with its model, or None where the set has none."""
        for model in self.models:
            for panel in model.panels:
                if panel.kind is PanelKind.GATE:
                    return model, panel
        return None
