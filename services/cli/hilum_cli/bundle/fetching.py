"""Images fetched by whichever program of the machine can, into OCI archives."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum_cli.bundle.image_archive import ImageArchive, read_archive
from hilum_cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hilum_cli.bundle.image_reference import ImageReference

FETCHERS: Final = ("skopeo", "podman", "crane", "docker")
"""In the order in which they are tried."""

INSTALL_FETCHER: Final = (
    "no program that fetches images: install skopeo (or podman, crane, docker), "
    "or give every image by --image-archive"
)

_TOLD_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Platform:
    """Which image of several is fetched: ``linux`` and ``amd64`` or ``arm64``."""

    system: str = "linux"
    architecture: str = "amd64"

    def __str__(self) -> str:
        return f"{self.system}/{self.architecture}"


def find_fetcher(asked: str | None = None) -> str | None:
    """The program to fetch with: the one asked for, or the first that is installed.

    Raises:
        Failure: The one asked for is not installed.
    """
    if asked is not None and shutil.which(asked) is None:
        raise Failure(f"{asked} is not on the PATH")
    return asked or next((name for name in FETCHERS if shutil.which(name)), None)


def fetch(
    program: str, reference: ImageReference, target: Path, platform: Platform
) -> ImageArchive:
    """Fetch an image into an OCI archive. The program holds it against the reference's digest.

    Raises:
        Failure: It could not be fetched.
    """
    _FETCH[program](reference, target, platform)
    archive = read_archive(target)
    if archive.digest is None:
        raise Failure(f"{program} writes no OCI archives: docker 25 or newer does")
    return archive


def convert(source: ImageArchive, target: Path) -> ImageArchive:
    """Turn an archive of `docker save` into an OCI archive.

    Raises:
        Failure: There is no skopeo.
    """
    if shutil.which("skopeo") is None:
        raise Failure(
            f"{source.path.name} is no OCI archive, and there is no skopeo to turn it into one: "
            "install skopeo, or write it by `podman save --format oci-archive`"
        )
    _run("skopeo", "copy", "--quiet", f"docker-archive:{source.path}", f"oci-archive:{target}")
    return read_archive(target)


def _by_skopeo(reference: ImageReference, target: Path, platform: Platform) -> None:
    chosen = (f"--override-os={platform.system}", f"--override-arch={platform.architecture}")
    _run(
        *("skopeo", *chosen, "copy", "--quiet"),
        *(f"docker://{reference.pullable}", f"oci-archive:{target}"),
    )


def _by_podman(reference: ImageReference, target: Path, platform: Platform) -> None:
    _run("podman", "pull", "--quiet", f"--platform={platform}", reference.pullable)
    _run(
        "podman",
        "save",
        "--quiet",
        "--format=oci-archive",
        f"--output={target}",
        reference.pullable,
    )


def _by_crane(reference: ImageReference, target: Path, platform: Platform) -> None:
    layout = target.with_suffix(".layout")
    _run("crane", "pull", "--format=oci", f"--platform={platform}", reference.pullable, str(layout))
    with tarfile.open(target, "w") as archive:
        for path in sorted(layout.iterdir()):
            archive.add(path, path.name)
    shutil.rmtree(layout)


def _by_docker(reference: ImageReference, target: Path, platform: Platform) -> None:
    _run("docker", "pull", "--quiet", f"--platform={platform}", reference.pullable)
    _run("docker", "save", f"--output={target}", reference.pullable)


_FETCH: Final[dict[str, Callable[[ImageReference, Path, Platform], None]]] = {
    "skopeo": _by_skopeo,
    "podman": _by_podman,
    "crane": _by_crane,
    "docker": _by_docker,
}


def local_archive(reference: ImageReference, target: Path) -> ImageArchive | None:
    """An image that podman has built or pulled on this machine; None where it has none so called.

    Raises:
        Failure: podman has it and cannot write it.
    """
    if shutil.which("podman") is None:
        return None
    exists = ["podman", "image", "exists", str(reference)]
    if subprocess.run(exists, check=False, capture_output=True).returncode:
        return None
    _run("podman", "save", "--quiet", "--format=oci-archive", f"--output={target}", str(reference))
    return read_archive(target)


def _run(*command: str) -> None:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, errors="replace", env=os.environ
    )
    if done.returncode:
        told = _last_lines(done.stderr or done.stdout)
        raise Failure(f"`{' '.join(command[:2])}` failed: {told}")


def _last_lines(text: str) -> str:
    lines: Sequence[str] = text.strip().splitlines()[-_TOLD_LINES:]
    return " ".join(line.strip() for line in lines)
