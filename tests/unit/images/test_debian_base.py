"""Which mirror the base without a registry is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from images.debian import AptSource, apt_sources
from images.errors import ImagesFailed

if TYPE_CHECKING:
    from pathlib import Path

MIRROR = "http://mirror.example/debian/"
SECURITY = "http://mirror.example/debian-security/"
KNOWN = f"""\
Debian bookworm-security main {SECURITY}
Debian bookworm main {MIRROR}
Debian bookworm main {MIRROR}
Debian bookworm contrib {MIRROR}
Debian trixie main {MIRROR}
Vendor nodistro main http://vendor.example/
"""


def apt_that_knows(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts an apt-get on the PATH that knows these indices."""
    (folder / "indices").write_text(text, encoding="ascii")
    program = folder / "apt-get"
    program.write_text(f"#!/bin/sh\nwhile read -r line; do echo $line; done <{folder}/indices\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_the_mirror_is_the_one_that_apt_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Debian's own suites of the release, each once, the plain one first."""
    apt_that_knows(KNOWN, tmp_path, monkeypatch)
    assert apt_sources() == [
        AptSource(MIRROR, "bookworm"),
        AptSource(SECURITY, "bookworm-security"),
    ]
    assert apt_sources()[0].line == f"deb {MIRROR} bookworm main\n"


def test_a_machine_without_the_release_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Security updates alone make no base."""
    apt_that_knows(KNOWN.splitlines()[0] + "\n", tmp_path, monkeypatch)
    with pytest.raises(ImagesFailed, match="apt knows no mirror of Debian bookworm"):
        apt_sources()
