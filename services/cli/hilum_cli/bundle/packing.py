"""A folder as one archive with a checksum of every file; the same files give the same archive."""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING, Final

from hilum_cli.failure import Failure

if TYPE_CHECKING:
    from pathlib import Path

SUMS: Final = "SHA256SUMS"


def write_sums(folder: Path) -> None:
    """Write ``SHA256SUMS``, as sha256sum reads it, over every file of the folder."""
    lines = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in _files(folder)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def pack(folder: Path, out: Path) -> None:
    """Write the folder into a tar; it is there whole or not at all.

    Raises:
        Failure: It cannot be written.
    """
    draft = out.with_name(f".{out.name}.part")
    try:
        with tarfile.open(draft, "w", format=tarfile.PAX_FORMAT) as archive:
            for path in _files(folder):
                archive.add(path, f"{folder.name}/{path.relative_to(folder)}", filter=_plain)
        draft.replace(out)
    except OSError as error:
        raise Failure(f"{out} cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without who made it, and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.name.endswith(".sh") else 0o644
    return member


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
