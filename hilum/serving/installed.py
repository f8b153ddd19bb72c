"""The models that lie in a repository, each in one version or several beside one another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import InvalidManifest
from hilum.domain.model import ModelManifest

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST: Final = "manifest.json"
CARD: Final = "MODEL_CARD.md"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """One model of a repository.

    ``manifest.json`` describes the newest version; each older one has a ``<n>/manifest.json``.

    Attributes:
        folder: Of the model; the paths in its manifests are relative to it.
        versions: By serving version, the newest last.
    """

    folder: Path
    versions: tuple[ModelManifest, ...]

    @property
    def newest(self) -> ModelManifest:
        """The version with the highest serving version."""
        return self.versions[-1]


def read_installed(repository: Path) -> tuple[InstalledModel, ...]:
    """The models of a repository, by name.

    Raises:
        InvalidManifest: There is none, or one of them as in :func:`read_model`.
    """
    folders = sorted(path.parent for path in repository.glob(f"*/{MANIFEST}"))
    if not folders:
        raise InvalidManifest(f"{repository} holds no model")
    return tuple(read_model(folder) for folder in folders)


def read_model(folder: Path) -> InstalledModel:
    """One model with all its versions.

    Raises:
        InvalidManifest: A manifest cannot be read, lies in the folder of another model or version,
            or promises other inputs and outputs than the newest: Triton has one configuration for
            all versions of a model.
    """
    newest = ModelManifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
    versions = {newest.serving_version: newest}
    for path in folder.glob(f"[0-9]*/{MANIFEST}"):
        manifest = ModelManifest.from_json(path.read_text(encoding="utf-8"))
        if str(manifest.serving_version) != path.parent.name:
            raise InvalidManifest(f"{path.parent} holds version {manifest.serving_version}")
        if versions.setdefault(manifest.serving_version, manifest) != manifest:
            raise InvalidManifest(f"{folder.name}: version {path.parent.name} is described twice")
    for manifest in versions.values():
        if manifest.name != folder.name:
            raise InvalidManifest(f"the folder {folder.name} holds a model named {manifest.name}")
        if not same_tensors(manifest, newest):
            raise InvalidManifest(
                f"{folder.name}: version {manifest.serving_version} has other inputs or outputs"
            )
    return InstalledModel(folder, tuple(versions[number] for number in sorted(versions)))


def verify_artefacts(model: InstalledModel) -> None:
    """Hold every file that the manifests name against its digest.

    Raises:
        InvalidManifest: A file is missing, or is not the one that was published.
    """
    for manifest in model.versions:
        for artefact in manifest.artefacts:
            try:
                content = (model.folder / artefact.path).read_bytes()
            except OSError as error:
                raise InvalidManifest(f"{manifest.name}: {artefact.path} is missing") from error
            if hashlib.sha256(content).hexdigest() != artefact.sha256:
                raise InvalidManifest(
                    f"{manifest.name}: {artefact.path} is not the one that was published"
                )


def same_tensors(one: ModelManifest, other: ModelManifest) -> bool:
    """Whether two versions can be served under one configuration."""
    return (one.inputs, one.outputs) == (other.inputs, other.outputs)
