"""Put a published version into the model repository: the whole folder changes at once."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum.serving.installed import CARD, MANIFEST, read_model

if TYPE_CHECKING:
    from hilum.domain.model import ModelManifest

_STAGING: Final = ".publishing-"
_HERE: Final = -100
"""``AT_FDCWD``: paths are relative to the working directory."""
_EXCHANGE: Final = 2
"""``RENAME_EXCHANGE`` of renameat2(2)."""


def install(built: Path, manifest: ModelManifest, folder: Path) -> None:
    """Bring one version into a model's folder, beside the others that are installed.

    A copy of the folder is changed and takes its place, so that a crash leaves what was there, or
    what was to come: a graph never lies beside another graph's manifest.

    Args:
        built: The version as a folder of its own: a numbered folder and what describes it.
        manifest: Of it.
        folder: Of the model in the repository, where there may be none yet.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f"{_STAGING}*"):
        # By an export that was killed.
        shutil.rmtree(left)
    # In the repository itself: a rename stays within one file system.
    with tempfile.TemporaryDirectory(prefix=_STAGING, dir=folder.parent) as staging:
        whole = Path(staging) / folder.name
        if folder.is_dir():
            shutil.copytree(folder, whole)
        _bring_in(built, manifest, whole)
        exchange(whole, folder)


def _bring_in(built: Path, manifest: ModelManifest, whole: Path) -> None:
    number = str(manifest.serving_version)
    newest = read_model(whole).newest if (whole / MANIFEST).is_file() else manifest
    shutil.rmtree(whole / number, ignore_errors=True)
    if newest.serving_version > manifest.serving_version:
        shutil.copytree(built / number, whole / number)
        for name in (MANIFEST, CARD):
            shutil.copyfile(built / name, whole / number / name)
        return
    if newest.serving_version < manifest.serving_version:
        for name in (MANIFEST, CARD):
            shutil.copyfile(whole / name, whole / str(newest.serving_version) / name)
    shutil.copytree(built, whole, dirs_exist_ok=True)


def exchange(new: Path, folder: Path) -> None:
    """Put a folder into another's place; ``new`` then holds what was there, if anything was.

    In one step where the system and the file system can (Linux), else in two: a crash between them
    leaves the former folder under :func:`_aside`, whence :func:`put_back` takes it.
    """
    if not folder.is_dir():
        new.rename(folder)
        return
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if swap and swap(_HERE, os.fsencode(new), _HERE, os.fsencode(folder), _EXCHANGE) == 0:
        return
    aside = _aside(folder)
    folder.rename(aside)
    new.rename(folder)
    aside.rename(new)


def put_back(folder: Path) -> None:
    """Finish what a crash between two renames left undone."""
    aside = _aside(folder)
    if aside.is_dir() and not folder.is_dir():
        aside.rename(folder)
    elif aside.is_dir():
        shutil.rmtree(aside)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.former")
