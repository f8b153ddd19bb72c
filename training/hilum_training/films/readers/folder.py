"""Where a layout begins, and the pictures in its folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum_training.films.readers.errors import FileMissing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PICTURES: Final = frozenset({".png", ".jpg", ".jpeg"})


def layout_root(folder: Path, within: Sequence[str], top: str) -> Path:
    """The folder in which a layout begins: the one named, or the archive's top folder in it.

    Args:
        folder: As the caller named it.
        within: Files or folders of which one stands in the layout's root.
        top: Name of the archive's top folder.

    Raises:
        FileMissing: Naming the first of them.
    """
    for root in (folder, folder / top):
        if any((root / name).exists() for name in within):
            return root
    raise FileMissing(folder / within[0], f"neither there nor in {top}/")


def pictures(folder: Path) -> tuple[Path, ...]:
    """PNG and JPEG files of a folder, by name.

    Raises:
        FileMissing: There is no such folder.
    """
    if not folder.is_dir():
        raise FileMissing(folder)
    # macOS archives carry "._name.png" beside each file; they are no pictures.
    return tuple(
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in PICTURES and not path.name.startswith(".")
    )
