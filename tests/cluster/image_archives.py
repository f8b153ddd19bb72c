"""Small images for the cluster itself, written without a container engine: files in one layer."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.commands import output_of
from tests.cluster.container_runtime import PAUSE_IMAGE
from tests.cluster.errors import ProgramMissing
from tests.cluster.paths import CACHE, MODULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUSYBOX_IMAGE = "localhost/hilum-test/busybox:1"
_BUSYBOX_TOOLS = ("sh", "cat", "id", "nslookup", "sleep", "touch", "wget", "httpd", "mkdir")


def pause_image(folder: Path) -> Path:
    """Writes the image of the process that holds a pod's namespaces; returns the archive."""
    program = CACHE / "pause"
    if not program.exists():
        env = {"CGO_ENABLED": "0", "PATH": _path(), "HOME": str(Path.home())}
        flags = ("-trimpath", "-ldflags", "-s -w")
        output_of("go", "build", *flags, "-o", program, env=env, folder=MODULES / "pause")
    archive = folder / "pause.tar"
    write_image(archive, PAUSE_IMAGE, {"pause": program.read_bytes()}, ["/pause"])
    return archive


def busybox_image(folder: Path) -> Path:
    """Writes an image with a static busybox, for the tests of the cluster; returns the archive.

    Raises:
        ProgramMissing: Debian's busybox-static is not installed.
    """
    busybox = shutil.which("busybox")
    if busybox is None:
        raise ProgramMissing("apt-get install busybox-static")
    content = Path(busybox).read_bytes()
    archive = folder / "busybox.tar"
    links = {f"bin/{tool}": "busybox" for tool in _BUSYBOX_TOOLS}
    write_image(archive, BUSYBOX_IMAGE, {"bin/busybox": content}, ["/bin/sh"], links)
    return archive


def write_image(
    archive: Path,
    name: str,
    programs: Mapping[str, bytes],
    entrypoint: Sequence[str],
    links: Mapping[str, str] | None = None,
) -> None:
    """Writes an image of one layer in the form of ``docker save``; it runs as user 65532.

    Args:
        archive: The tar file to write.
        name: The image's name with its tag.
        programs: Path in the image -> content, executable for all.
        entrypoint: What a container runs.
        links: Path in the image -> what the symbolic link there points to.
    """
    layer = _layer(programs, links or {})
    settings = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": list(entrypoint), "User": "65532:65532", "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as tar:
        _add(tar, "config.json", json.dumps(settings).encode())
        _add(tar, "layer.tar", layer)
        _add(tar, "manifest.json", json.dumps(manifest).encode())


def _layer(programs: Mapping[str, bytes], links: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, content in programs.items():
            _add(tar, path, content, mode=0o755)
        for path, target in links.items():
            link = tarfile.TarInfo(path)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return stream.getvalue()


def _add(tar: tarfile.TarFile, path: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _path() -> str:
    go = shutil.which("go")
    if go is None:
        raise ProgramMissing("Go")
    return str(Path(go).parent)
