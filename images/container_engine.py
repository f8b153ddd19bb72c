"""podman or docker, called the same way."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from images.errors import ImagesFailed
from images.paths import PROGRAMS, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from images.catalogue import Image

CA_VARIABLES: Final = ("HILUM_BUILD_CA", "PIP_CERT", "SSL_CERT_FILE")
"""Who names a bundle of certificate authorities for the build, the first that is set."""

PIP_CONFIG_VARIABLE: Final = "HILUM_BUILD_PIP_CONF"
"""Names a pip.conf for the build: a mirror and its credentials."""

_MOST: Final = 4096  # open files and processes: plenty for a build and for one of our programs
_USUAL_FILES: Final = 1024


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """A command line that builds and runs containers.

    Attributes:
        program: ``podman`` or ``docker``.
    """

    program: str

    @property
    def is_podman(self) -> bool:
        """Whether podman's flags are understood."""
        return self.program == "podman"

    def build(self, image: Image, arguments: Mapping[str, str]) -> None:
        """Builds an image and gives it its local name.

        Raises:
            ImagesFailed: The build ended with an error, which stands on the terminal.
        """
        command = [self.program, "build", *self._build_flags(), *secrets(os.environ)]
        command += [
            part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")
        ]
        if image.target is not None:
            command += ["--target", image.target]
        command += ["--file", str(ROOT / image.dockerfile), "--tag", image.reference]
        if subprocess.run([*command, str(context_of(image))], check=False).returncode:
            raise ImagesFailed(f"{image.dockerfile} was not built; {self.program} says why above")

    def ask(self, *arguments: str) -> str:
        """Runs a command and gives what it printed.

        Raises:
            ImagesFailed: It ended with an error; the text carries what it said.
        """
        done = subprocess.run(
            [self.program, *arguments], check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise ImagesFailed(f"{self.program} {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def has(self, reference: str) -> bool:
        """Whether an image lies in the local store."""
        asked = subprocess.run(
            [self.program, "image", "inspect", reference], check=False, capture_output=True
        )
        return asked.returncode == 0

    def save(self, reference: str, archive: Path) -> None:
        """Writes an archive that ``ctr images import``, podman and docker read."""
        form = ("--format", "docker-archive") if self.is_podman else ()
        self.ask("save", *form, "--output", str(archive), reference)

    def import_root(self, archive: Path, reference: str) -> None:
        """Makes an image of a root file system."""
        change = 'CMD ["/bin/sh"]'
        self.ask("import", "--change", change, str(archive), reference)

    def _build_flags(self) -> list[str]:
        if not self.is_podman:
            return []
        # The format that has health checks; isolation and network that need no namespaces of
        # their own, so that a build works inside a container too.
        flags = ["--format", "docker", "--isolation", "chroot", "--network", "host", "--layers"]
        return flags + limits()


def context_of(image: Image) -> Path:
    """The folder that goes to the builder.

    Raises:
        ImagesFailed: The image is made of a program that is not here.
    """
    if image.program is None:
        return ROOT / image.context
    path = os.pathsep.join((str(PROGRAMS), os.environ.get("PATH", os.defpath)))
    found = shutil.which(image.program, path=path)
    if found is None:
        raise ImagesFailed(f"no {image.program} here; `make services` builds it")
    return Path(found).resolve().parent


def limits() -> list[str]:
    """Flags that ask for little: what podman wishes by itself may be more than is allowed."""
    files, processes = (
        _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
        for _, hard in map(resource.getrlimit, (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    )
    return [
        *("--ulimit", f"nofile={min(files, _USUAL_FILES)}:{files}"),
        *("--ulimit", f"nproc={processes}:{processes}"),
    ]


def secrets(environment: Mapping[str, str]) -> list[str]:
    """Flags that lend the build a CA bundle and a pip.conf; neither gets into an image."""
    flags: list[str] = []
    bundle = next((environment[name] for name in CA_VARIABLES if environment.get(name)), None)
    if bundle:
        flags += ["--secret", f"id=ca,src={bundle}"]
    if environment.get(PIP_CONFIG_VARIABLE):
        flags += ["--secret", f"id=pip,src={environment[PIP_CONFIG_VARIABLE]}"]
    return flags


def find_engine(
    wanted: str | None = None, known: Sequence[str] = ("podman", "docker")
) -> ContainerEngine:
    """The engine that was asked for, or the first that is installed.

    Raises:
        ImagesFailed: There is none.
    """
    for program in (wanted,) if wanted else known:
        if shutil.which(program):
            return ContainerEngine(program)
    raise ImagesFailed(
        f"no {wanted or ' or '.join(known)} here; `make image-tools` installs podman on Debian"
    )
