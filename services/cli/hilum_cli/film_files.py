"""Which files of a folder are films."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MEDIA_TYPES: Final = {
    ".dcm": "application/dicom",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}

_PREAMBLE: Final = 128
_DICM: Final = b"DICM"


def find_films(paths: Iterable[Path]) -> Iterator[Path]:
    """Films among files and, recursively, folders; sorted by name within each folder.

    A file that was named is taken whatever its name is: the gateway tells what it is. In a folder
    a film has one of the suffixes of :data:`MEDIA_TYPES`, or none and the preamble of a DICOM
    file (PS3.10 section 7.1). A file that is reached twice is given once. Hidden ones are left.
    """
    seen: set[Path] = set()
    for path in paths:
        found = _films_below(path) if path.is_dir() else iter((path,))
        for film in found:
            resolved = film.resolve()
            if resolved not in seen:
                seen.add(resolved)
                yield film


def media_type(path: Path) -> str:
    """What to call a file on the wire; the gateway looks at its bytes, not at this."""
    return MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")


def _films_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _films_below(path)
        elif path.is_file() and _is_film(path):
            yield path


def _is_film(path: Path) -> bool:
    if path.suffix:
        # A DICOM file is often named after its UID, and then its last number looks like a suffix.
        numbered = path.suffix[1:].isdigit()
        return path.suffix.lower() in MEDIA_TYPES or (numbered and _starts_as_dicom(path))
    return _starts_as_dicom(path)


def _starts_as_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE + len(_DICM))[_PREAMBLE:] == _DICM
    except OSError:
        return False
