"""Which numbered folder a publication takes, and beside which versions it may stand."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from hilum.domain.model import Scope
from hilum.serving.installed import MANIFEST, read_model, same_tensors
from hilum_training.export.manifest import SCOPE

if TYPE_CHECKING:
    from pathlib import Path

    from hilum.domain.model import ModelManifest

_RELEASE: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")


class OtherModel(RuntimeError):
    """A network with other outputs or labels is another model: it needs another name."""


class NewerInstalled(RuntimeError):
    """A version would take the place of a newer one, or be published again behind it."""


def serving_version(folder: Path, version: str, *, replace: bool) -> int:
    """The number that a semantic version is served under.

    The newest version keeps its number when it is published again, another one gets the next: both
    are then served.

    Args:
        folder: Of the model in the repository, where there may be none yet.
        version: To be published.
        replace: Take the place of the installed version of the same name, whichever it is, else of
            the newest one if that is not a newer version.

    Raises:
        NewerInstalled: An older version would stand in a newer one's place, or one that stands
            behind a newer one would be published again without ``replace``: sites that pinned it
            would find another graph under the same name.
    """
    if not (folder / MANIFEST).is_file():
        return 1
    model = read_model(folder)
    numbers = {manifest.version: manifest.serving_version for manifest in model.versions}
    newest = model.newest
    if version == newest.version or (replace and version in numbers):
        return numbers[version]
    if version in numbers:
        raise NewerInstalled(f"{newest.name} {version} is installed beside a newer one")
    if not replace:
        return newest.serving_version + 1
    if _order(version) < _order(newest.version):
        raise NewerInstalled(
            f"{newest.name} {newest.version} is installed, and newer: {version} does not replace it"
        )
    return newest.serving_version


def check_same_model(folder: Path, manifest: ModelManifest) -> None:
    """Hold a network's outputs and labels against the versions that it does not publish again.

    The one whose place it takes under another version number counts among them: what sites decided
    of that one is to hold for it.

    Args:
        folder: Of the model in the repository.
        manifest: Is about to be published there.

    Raises:
        OtherModel: Its tensors or labels are not theirs.
    """
    if not (folder / MANIFEST).is_file():
        return
    for installed in read_model(folder).versions:
        if installed.version == manifest.version:
            continue
        # What takes a version's place may measure the population as well: the old graph is gone.
        alike = (
            same_tensors(_without_scope(installed), _without_scope(manifest))
            if installed.serving_version == manifest.serving_version
            else same_tensors(installed, manifest)
        )
        if not alike or _labels(installed) != _labels(manifest):
            raise OtherModel(
                f"{manifest.name} {manifest.version} has other outputs or labels than "
                f"{installed.version}: it is another model, publish it under another name"
            )


def _without_scope(manifest: ModelManifest) -> ModelManifest:
    """The manifest without what measures the population."""
    outputs = tuple(spec for spec in manifest.outputs if spec.meaning != SCOPE)
    panels = tuple(dataclasses.replace(panel, scope=Scope()) for panel in manifest.panels)
    return dataclasses.replace(manifest, outputs=outputs, panels=panels, scope_measures=())


def _labels(manifest: ModelManifest) -> list[tuple[str, str]]:
    return [(panel.name, label.name) for panel in manifest.panels for label in panel.labels]


def _order(version: str) -> tuple[tuple[int, ...], bool, list[tuple[bool, int, str]]]:
    """Precedence by Semantic Versioning 2.0.0 section 11; what is no such version comes first."""
    found = _RELEASE.fullmatch(version)
    if found is None:
        return (), False, []
    *release, pre = found.groups()
    parts = [
        (not part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in (pre or "").split(".")
    ]
    return tuple(map(int, release)), not pre, parts
