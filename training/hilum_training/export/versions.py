"""Which numbered folder a publication takes, and what becomes of the version before it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from hilum.serving.installed import CARD, MANIFEST, read_model, same_tensors

if TYPE_CHECKING:
    from pathlib import Path

    from hilum.domain.model import ModelManifest


class OtherModel(RuntimeError):
    """A network with other outputs or labels is another model: it needs another name."""


def serving_version(folder: Path, version: str, *, replace: bool) -> int:
    """The number that a semantic version is served under.

    The version that is installed keeps its number, another one gets the next: both are then served.

    Args:
        folder: Of the model in the repository, where there may be none yet.
        version: To be published.
        replace: Take the newest version's place instead, and keep none of it.

    Raises:
        OtherModel: An older version than the newest would be published again.
    """
    if not (folder / MANIFEST).is_file():
        return 1
    model = read_model(folder)
    if replace or version == model.newest.version:
        return model.newest.serving_version
    if version in {manifest.version for manifest in model.versions}:
        raise OtherModel(f"{model.newest.name} {version} is installed beside a newer one")
    return model.newest.serving_version + 1


def keep_former(folder: Path, manifest: ModelManifest) -> None:
    """Put what describes the newest version beside its graph, before another becomes the newest.

    Args:
        folder: Of the model in the repository.
        manifest: Is about to be published there.

    Raises:
        OtherModel: Its tensors or labels are not those of the versions that stay installed.
    """
    if not (folder / MANIFEST).is_file():
        return
    former = read_model(folder).newest
    if former.serving_version == manifest.serving_version:
        return
    if not same_tensors(former, manifest) or _labels(former) != _labels(manifest):
        raise OtherModel(
            f"{manifest.name} {manifest.version} has other outputs or labels than "
            f"{former.version}: it is another model, publish it under another name"
        )
    for name in (MANIFEST, CARD):
        shutil.copyfile(folder / name, folder / str(former.serving_version) / name)


def _labels(manifest: ModelManifest) -> list[tuple[str, str]]:
    return [(panel.name, label.name) for panel in manifest.panels for label in panel.labels]
