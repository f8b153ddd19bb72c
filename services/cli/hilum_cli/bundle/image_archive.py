"""Image archives: a tar of an OCI image layout, or one as `docker save` has always written it.

Source: OCI image-spec, image-layout.md; an image's digest is that of its manifest, or of its index.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from hilum_cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAMES: Final = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_CHUNK_BYTES: Final = 1024 * 1024
_BLOBS: Final = "blobs/sha256/"


@dataclass(frozen=True, slots=True)
class ImageArchive:
    """One image in one file.

    Attributes:
        path: The file.
        names: What it calls its image; may be none.
        digest: Of the image; None for an archive of the older kind, which has none.
    """

    path: Path
    names: tuple[str, ...]
    digest: str | None


def read_archive(path: Path) -> ImageArchive:
    """What an archive holds; every blob of an OCI archive is held against its digest.

    Raises:
        Failure: It cannot be read, holds none or several images, or a blob was changed.
    """
    try:
        with tarfile.open(path) as archive:
            members = {member.name.removeprefix("./"): member for member in archive}
            if "index.json" in members:
                return _oci(path, archive, members)
            if "manifest.json" in members:
                return _docker(path, archive, members)
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise Failure(f"{path} cannot be read as an archive of an image: {error}") from error
    raise Failure(f"{path} holds neither an OCI layout nor an image of docker save")


def _oci(
    path: Path, archive: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo]
) -> ImageArchive:
    entries = _json(archive, members["index.json"])["manifests"]
    digests = {entry["digest"] for entry in entries}
    if len(digests) != 1:
        raise Failure(f"{path} holds {len(digests)} images; give an archive each")
    for name, member in members.items():
        if name.startswith(_BLOBS) and member.isfile():
            found = hashlib.sha256()
            blob = _opened(archive, member)
            while chunk := blob.read(_CHUNK_BYTES):
                found.update(chunk)
            if found.hexdigest() != name.removeprefix(_BLOBS):
                raise Failure(f"{path} is damaged: {name} has another SHA-256")
    (digest,) = digests
    if _BLOBS + digest.removeprefix("sha256:") not in members:
        raise Failure(f"{path} lacks the manifest {digest}")
    noted = [entry.get("annotations", {}).get(name) for entry in entries for name in _NAMES]
    return ImageArchive(path, tuple(dict.fromkeys(name for name in noted if name)), digest)


def _docker(
    path: Path, archive: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo]
) -> ImageArchive:
    entries = _json(archive, members["manifest.json"])
    if len(entries) != 1:
        raise Failure(f"{path} holds {len(entries)} images; give an archive each")
    return ImageArchive(path, tuple(entries[0].get("RepoTags") or ()), None)


def _json(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    return json.load(_opened(archive, member))


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    opened = archive.extractfile(member)
    if opened is None:
        raise ValueError(f"{member.name} is no file")
    return opened
