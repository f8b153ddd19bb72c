"""Small real images, written without any program: an OCI layout in a tar (OCI image-spec 1.1)."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def write_oci_archive(path: Path, name: str | None, content: bytes) -> str:
    """Write an image of one layer with one file; gives its digest.

    Args:
        path: The archive.
        name: What the archive calls it; None for nothing.
        content: Of the file, which tells two images apart.
    """
    layer = _tar({"film.txt": content})
    packed = gzip.compress(layer, mtime=0)
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _described(_CONFIG, config),
            "layers": [_described(_LAYER, packed)],
        }
    )
    entry = _described(_MANIFEST, manifest)
    if name is not None:
        entry["annotations"] = {"org.opencontainers.image.ref.name": name}
    blobs = {f"blobs/sha256/{_digest(blob)[7:]}": blob for blob in (packed, config, manifest)}
    index = _json({"schemaVersion": 2, "manifests": [entry]})
    layout = _json({"imageLayoutVersion": "1.0.0"})
    path.write_bytes(_tar({"oci-layout": layout, "index.json": index, **blobs}))
    return _digest(manifest)


def _described(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


def _tar(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()
