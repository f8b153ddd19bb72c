"""A Debian with its own Python as the base of images, where no registry is reached.

It is made of this machine's packages: debootstrap fetches from the mirror that apt is told of here,
and needs root. What it makes is kept in the cache folder and made anew after ``STALE_AFTER``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from images.catalogue import DEBIAN_BASE
from images.errors import ImagesFailed
from images.paths import CACHE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from images.container_engine import ContainerEngine

PACKAGES: Final = ("python3", "python3-venv", "libpython3.11", "ca-certificates")
SUITE: Final = "bookworm"
STALE_AFTER_S: Final = 30 * 24 * 3600.0
_ARCHIVE: Final = CACHE / f"debian-{SUITE}.tar"
_POLICY: Final = "#!/bin/sh\nexit 101\n"  # what keeps Debian's packages from starting servers


@dataclass(frozen=True, slots=True)
class AptSource:
    """One suite of a mirror that this machine's apt reads.

    Attributes:
        address: Of the mirror.
        suite: ``bookworm``, ``bookworm-security``, ...
    """

    address: str
    suite: str

    @property
    def line(self) -> str:
        """As ``sources.list`` has it."""
        return f"deb {self.address} {self.suite} main\n"


def provide_debian(engine: ContainerEngine) -> str:
    """Makes the base unless it is there; gives its name.

    Raises:
        ImagesFailed: A tool, a mirror or root's rights are missing.
    """
    fresh = _ARCHIVE.exists() and time.time() - _ARCHIVE.stat().st_mtime < STALE_AFTER_S
    if not fresh:
        _make_archive()
    elif engine.has(DEBIAN_BASE):
        return DEBIAN_BASE
    engine.import_root(_ARCHIVE, DEBIAN_BASE)
    return DEBIAN_BASE


def apt_sources() -> list[AptSource]:
    """What this machine's apt reads of Debian itself, the plain suite first.

    Raises:
        ImagesFailed: apt knows no mirror of the suite.
    """
    listed = _run(
        "apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)"
    )
    rows = {tuple(line.split()) for line in listed.splitlines()}
    sources = sorted(
        (AptSource(row[3], row[1]) for row in rows if row[0] == "Debian" and row[2] == "main"),
        key=lambda source: source.suite,
    )
    sources = [source for source in sources if source.suite.split("-")[0] == SUITE]
    if not sources or sources[0].suite != SUITE:
        raise ImagesFailed(f"apt knows no mirror of Debian {SUITE} here (`apt-get update` first)")
    return sources


def _make_archive() -> None:
    if os.geteuid() != 0:
        raise ImagesFailed("debootstrap needs root; or give PYTHON_IMAGE, a base that is there")
    if shutil.which("debootstrap") is None:
        raise ImagesFailed("no debootstrap here; `make image-tools` installs it")
    sources = apt_sources()
    CACHE.mkdir(parents=True, exist_ok=True)
    with _draft() as draft:
        root = draft / "root"
        _run(
            *("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
            *(SUITE, str(root), sources[0].address),
        )
        listed = root / "etc/apt/sources.list"
        listed.write_text("".join(source.line for source in sources), encoding="ascii")
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text(_POLICY, encoding="ascii")
        policy.chmod(0o755)
        _bring_up_to_date(root)
        archive = draft / "root.tar"
        _run(
            "tar",
            "--create",
            "--numeric-owner",
            "--file",
            str(archive),
            "--directory",
            str(root),
            ".",
        )
        archive.replace(_ARCHIVE)


def _bring_up_to_date(root: Path) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("update", "-qq"), ("upgrade", "-y", "-qq"), ("clean",)):
        _run("chroot", str(root), "apt-get", *command, environment=environment)
    for folder in ("var/lib/apt/lists", "usr/share/man", "usr/share/locale", "var/log"):
        for path in (root / folder).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def _draft() -> Iterator[Path]:
    """A folder beside the archive: the temporary folder may forbid devices and programs."""
    draft = Path(tempfile.mkdtemp(prefix="debian-", dir=CACHE))
    try:
        yield draft
    finally:
        mounted = [
            line.split()[1]
            for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
        ]
        for point in reversed([point for point in mounted if point.startswith(f"{draft}/")]):
            _run("umount", point)
        shutil.rmtree(draft)


def _run(*command: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:].strip()
        raise ImagesFailed(f"{' '.join(command[:3])} ended with {done.returncode}: {said}")
    return done.stdout
