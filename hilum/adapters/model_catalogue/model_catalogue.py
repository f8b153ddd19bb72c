"""The models of a model repository folder."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.adapters.model_catalogue.ensemble import read_ensemble
from hilum.domain.errors import InvalidManifest
from hilum.domain.model import ModelSet, PanelKind
from hilum.serving.installed import CARD, MANIFEST, read_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hilum.domain.model import ModelManifest
    from hilum.serving.installed import InstalledModel

_RANK: Final = {PanelKind.GATE: 0, PanelKind.STRUCTURES: 2}


class FilesystemModelCatalogue:
    """Reads every manifest once and keeps them.

    ``<model>/manifest.json`` is of the newest version; one that lies beside it has its own in its
    numbered folder. A folder without a manifest (a lung mask being trained, the ensemble) is not a
    model. What is published is not changed in place, so other models mean another process.
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
        self._read: _Repository | None = None

    def current(self) -> ModelSet:
        """The newest versions, the gate's first and structures last; see the port.

        Raises:
            InvalidManifest: Also where there is no model, where a folder and its manifest
                disagree on the name, where two models claim one panel, and where two folders of a
                model claim one version.
        """
        return self._repository().newest

    def installed(self) -> Sequence[ModelManifest]:
        """Every version of every model; see the port."""
        return self._repository().versions

    def of_site(self, site: str) -> ModelSet:  # noqa: ARG002 - a folder knows of no sites
        """The same models for every site; see the port."""
        return self.current()

    def card(self, model: ModelManifest) -> str:
        """The card of this version, Markdown; empty where there is none."""
        folder = self._folder / model.name
        own = folder / str(model.serving_version) / CARD
        newest = max(
            (one.serving_version for one in self.installed() if one.name == model.name), default=0
        )
        for path in (own, folder / CARD) if model.serving_version == newest else (own,):
            try:
                return path.read_text(encoding="utf-8")
            except FileNotFoundError:
                continue
        return ""

    def _repository(self) -> _Repository:
        if self._read is None:
            with self._reading:
                if self._read is None:
                    self._read = self._scan()
        return self._read

    def _scan(self) -> _Repository:
        folders = [path.parent for path in sorted(self._folder.glob(f"*/{MANIFEST}"))]
        if not folders:
            raise InvalidManifest("the model repository holds no model")
        models = [self._model(folder) for folder in folders]
        panels = [
            panel
            for model in models
            for panel in {panel.name for version in model.versions for panel in version.panels}
        ]
        for panel in panels:
            if panels.count(panel) > 1:
                raise InvalidManifest(f"two models claim the panel {panel}")
        newest = tuple(sorted((model.newest for model in models), key=in_order))
        return _Repository(
            ModelSet(newest, read_ensemble(self._folder)),
            tuple(version for model in models for version in model.versions),
        )

    def _model(self, folder: Path) -> InstalledModel:
        try:
            model = read_model(folder)
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidManifest(f"{folder.name}: the manifest cannot be read") from error
        versions = [version.version for version in model.versions]
        for version in versions:
            if versions.count(version) > 1:
                raise InvalidManifest(f"{folder.name}: two folders claim to be version {version}")
        if self._verify_artefacts:
            for manifest in model.versions:
                _verify(manifest, folder)
        return model


@dataclass(frozen=True, slots=True)
class _Repository:
    newest: ModelSet
    versions: tuple[ModelManifest, ...]


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
