"""The models of a model repository folder."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from hilum.adapters.model_catalogue.ensemble import read_ensemble
from hilum.domain.errors import InvalidManifest
from hilum.domain.model import ModelManifest, ModelSet, PanelKind

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST: Final = "manifest.json"
CARD: Final = "MODEL_CARD.md"
_RANK: Final = {PanelKind.GATE: 0, PanelKind.STRUCTURES: 2}


class FilesystemModelCatalogue:
    """Reads every ``<model>/manifest.json`` once and keeps them.

    A folder without a manifest (a lung mask being trained, a hidden folder) is not a model. What
    is published is not changed in place, so another model set means another process.
    """

    def __init__(self, folder: Path, *, verify_artefacts: bool = False) -> None:
        """Use a model repository.

        Args:
            folder: The repository, one folder per model.
            verify_artefacts: Whether every artefact must lie beside its manifest, with the right
                size. True where models are run from this folder; a gateway that only shows them
                may have the manifests alone. Digests are checked by what loads an artefact.
        """
        self._folder = folder
        self._verify_artefacts = verify_artefacts
        self._reading = threading.Lock()
        self._current: ModelSet | None = None

    def current(self) -> ModelSet:
        """The models, the gate's first and those of structures last; see the port.

        Raises:
            InvalidManifest: Also where there is no model, where a folder and its manifest
                disagree on the name, and where two models claim one panel.
        """
        if self._current is None:
            with self._reading:
                if self._current is None:
                    self._current = self._read()
        return self._current

    def of_site(self, site: str) -> ModelSet:  # noqa: ARG002 - a folder knows of no sites
        """The same models for every site; see the port."""
        return self.current()

    def card(self, model: ModelManifest) -> str:
        """The model's card, Markdown; empty where there is none."""
        try:
            return (self._folder / model.name / CARD).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _read(self) -> ModelSet:
        models = [self._manifest(path) for path in sorted(self._folder.glob(f"*/{MANIFEST}"))]
        if not models:
            raise InvalidManifest("the model repository holds no model")
        panels = [panel.name for model in models for panel in model.panels]
        for panel in panels:
            if panels.count(panel) > 1:
                raise InvalidManifest(f"two models claim the panel {panel}")
        return ModelSet(tuple(sorted(models, key=in_order)), read_ensemble(self._folder))

    def _manifest(self, path: Path) -> ModelManifest:
        folder = path.parent
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidManifest(f"{folder.name}: the manifest cannot be read") from error
        model = ModelManifest.from_json(text)
        if model.name != folder.name:
            raise InvalidManifest(f"the folder {folder.name} holds a model named {model.name}")
        if self._verify_artefacts:
            _verify(model, folder)
        return model


def in_order(model: ModelManifest) -> tuple[int, str, str]:
    """Sorts models: the gate, then what is probable, then structures; by panel within a kind."""
    first = model.panels[0]
    return _RANK.get(first.kind, 1), first.name, model.name


def _verify(model: ModelManifest, folder: Path) -> None:
    for artefact in model.artefacts:
        try:
            size = (folder / artefact.path).stat().st_size
        except OSError as error:
            raise InvalidManifest(f"{model.name}: {artefact.path} is missing") from error
        if size != artefact.size_bytes:
            raise InvalidManifest(
                f"{model.name}: {artefact.path} has {size} bytes, "
                f"its manifest says {artefact.size_bytes}"
            )
