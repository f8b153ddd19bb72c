"""A whole model repository for a target, from the one that training wrote."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import InvalidManifest
from hilum.serving.ensemble import (
    ENSEMBLE,
    ENSEMBLE_FILE,
    ensemble_members,
    ensemble_version,
    render_ensemble,
)
from hilum.serving.golden import GOLDEN, Golden
from hilum.serving.installed import CARD, MANIFEST, InstalledModel, read_installed, verify_artefacts
from hilum.serving.target import ONNX_FILE, PLAN_FILE, SERVING, Target
from hilum.serving.triton_config import render_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hilum.domain.model import ModelManifest

CONFIG: Final = "config.pbtxt"
LABELS: Final = "labels.txt"
# git keeps no empty folder, and Triton serves a version by its folder alone.
PLACEHOLDER: Final = ".gitkeep"


@dataclass(frozen=True, slots=True)
class Rendering:
    """How one model is to be rendered.

    Attributes:
        target: Where it runs.
        plans: Engines by serving version, for ``gpu-tensorrt``; the place of one that is missing is
            left empty, to be filled later.
        golden: What each version must say of golden films, by serving version; lies beside its
            graph, where there is any.
    """

    target: Target
    plans: Mapping[int, Path] = field(default_factory=dict)
    golden: Mapping[int, Golden] = field(default_factory=dict)


def labels_text(manifest: ModelManifest) -> str:
    """``labels.txt``: one line per label of each panel, ``panel/label``, in the outputs' order."""
    return "".join(
        f"{panel.name}/{label.name}\n" for panel in manifest.panels for label in panel.labels
    )


def render_repository(
    source: Path, out: Path, renderings: Mapping[str, Rendering]
) -> tuple[Path, ...]:
    """Render every model and the ensemble of them.

    Everything is written beside its place first, then each model's folder is exchanged for the new
    one, so that a rendering that fails leaves what was there. ``out`` itself is not exchanged: in a
    cluster it is a mount. A Triton that polls ``out`` is not foreseen.

    Args:
        source: The repository that training wrote.
        out: Where to write; made if missing.
        renderings: One for each model of the source, by name.

    Returns:
        The folders written, the ensemble's last.

    Raises:
        InvalidManifest: What lies in the source is no repository, see
            :func:`~hilum.serving.installed.read_installed` and
            :func:`~hilum.serving.ensemble.render_ensemble`, a file in it is not the one that was
            published, or it is ``out``.
        OSError: A file is missing or cannot be written.
    """
    models = read_installed(source)
    for model in models:
        verify_artefacts(model)
    if out.resolve() == source.resolve():
        raise InvalidManifest("a repository is not rendered onto the one it is rendered from")
    out.mkdir(parents=True, exist_ok=True)
    with _beside(out) as fresh:
        for model in models:
            _render_model(model, fresh / model.newest.name, renderings[model.newest.name])
        write_ensemble([model.newest for model in models], fresh / ENSEMBLE)
        names = [*(model.newest.name for model in models), ENSEMBLE]
        for name in names:
            _exchange(fresh / name, out / name, fresh / f"former-{name}")
    return tuple(out / name for name in names)


def write_ensemble(manifests: Sequence[ModelManifest], folder: Path) -> None:
    """Write the ensemble's folder: configuration, members, and the empty version folder.

    Raises:
        InvalidManifest: See :func:`hilum.serving.ensemble.render_ensemble`.
    """
    config, members = render_ensemble(manifests), ensemble_members(manifests)
    for former in folder.glob(f"[0-9]*/{PLACEHOLDER}"):
        former.unlink()
        former.parent.rmdir()
    version = folder / str(ensemble_version(manifests))
    version.mkdir(parents=True, exist_ok=True)
    (version / PLACEHOLDER).write_bytes(b"")
    (folder / CONFIG).write_text(config, encoding="utf-8")
    (folder / ENSEMBLE_FILE).write_text(members, encoding="utf-8")


def _render_model(model: InstalledModel, folder: Path, rendering: Rendering) -> None:
    for manifest in model.versions:
        number = str(manifest.serving_version)
        (folder / number).mkdir(parents=True)
        for name in SERVING[rendering.target].files:
            origin = _origin(name, model, manifest, rendering)
            if origin is not None:
                shutil.copyfile(origin, folder / number / name)
        _copy_descriptions(model.folder / number, folder / number)
        if golden := rendering.golden.get(manifest.serving_version):
            golden.write(folder / number / GOLDEN)
    _copy_descriptions(model.folder, folder)
    newest = model.newest
    (folder / LABELS).write_text(labels_text(newest), encoding="utf-8")
    (folder / CONFIG).write_text(render_config(newest, rendering.target), encoding="utf-8")


def _origin(
    name: str, model: InstalledModel, manifest: ModelManifest, rendering: Rendering
) -> Path | None:
    """Where a file of a version's folder comes from; None for an engine that is not built yet."""
    if name == PLAN_FILE:
        return rendering.plans.get(manifest.serving_version)
    if name == ONNX_FILE:
        return model.folder / manifest.onnx
    return model.folder / str(manifest.serving_version) / name


def _copy_descriptions(source: Path, folder: Path) -> None:
    for name in (MANIFEST, CARD):
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder on the same file system as ``out``, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".rendering-", dir=out) as folder:
        yield Path(folder)


def _exchange(fresh: Path, target: Path, former: Path) -> None:
    if target.exists():
        target.rename(former)
    fresh.rename(target)
