"""``python -m tests.cluster.gate check|record``: what changed since the cluster's tests were green.

They take most of an hour, so CI runs them when what they test is not what they last passed on: the
chart, the images, and what those hold. The record is a committed file with one digest for each of
these paths, over what git tracks there, as it lies in the working tree.
"""

from __future__ import annotations

import argparse
import hashlib
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.cluster.paths import ROOT

RECORD: Final = Path("tests/cluster/green.sha256")
"""Relative to the root of the checkout."""
WATCHED: Final = (
    "helm",
    "k8s",
    "hilum",
    "services",
    "model_repository",
    "images",
    *(
        f"requirements/{name}.lock"
        for name in ("gateway", "worker", "cli", "engine", "triton", "triton_probe", "images")
    ),
    "pyproject.toml",
    "tests/cluster",
    "tests/images",
)
"""What decides whether the cluster's tests are to run."""
_LEFT_OUT: Final = (
    str(RECORD),
    # A nightly target of its own; CI does not run it.
    "tests/cluster/keda/",
    "tests/cluster/modules/keda/",
)


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Compares with the record, or writes it.

    Returns:
        Of ``check``: 0 where nothing changed, 1 where something did. Of ``record``: 0.
    """
    parser = argparse.ArgumentParser(prog="tests.cluster.gate", description=__doc__)
    parser.add_argument("command", choices=["check", "record"])
    asked = parser.parse_args(arguments)
    if asked.command == "record":
        write_record(root)
        _tell(f"recorded in {RECORD}; commit it")
        return 0
    changed = changed_since_green(root)
    _tell(f"changed since the last green run: {', '.join(changed)}" if changed else "unchanged")
    return 1 if changed else 0


def changed_since_green(root: Path) -> list[str]:
    """The watched paths that are not what the record says; all of them where there is none."""
    record = root / RECORD
    recorded = record.read_text().splitlines() if record.exists() else []
    return [path for path in WATCHED if _line(root, path) not in recorded]


def write_record(root: Path) -> None:
    """Writes down the digest of each watched path, as ``sha256sum`` would."""
    lines = [_line(root, path) for path in WATCHED]
    (root / RECORD).write_text("".join(f"{line}\n" for line in lines))


def content_digest(root: Path, path: str) -> str:
    """SHA-256 over names, executable bits and bytes of what git tracks under a path, in hex.

    The record itself is left out, and what only the nightly target runs. A tracked file that is
    not there counts as missing.
    """
    told = subprocess.run(
        ["git", "ls-files", "-z", "--", path], cwd=root, check=True, capture_output=True
    ).stdout
    digest = hashlib.sha256()
    names = {name for name in told.decode().split("\0") if name}
    for name in sorted(name for name in names if not name.startswith(_LEFT_OUT)):
        kind, content = _file(root / name)
        own = hashlib.sha256(content).hexdigest()
        digest.update(f"{name}\0{kind}\0{own}\n".encode())
    return digest.hexdigest()


def _file(path: Path) -> tuple[str, bytes]:
    if path.is_symlink():
        return "link", str(path.readlink()).encode()
    if not path.is_file():
        return "missing", b""
    executable = path.stat().st_mode & stat.S_IXUSR
    return ("program" if executable else "file"), path.read_bytes()


def _line(root: Path, path: str) -> str:
    return f"{content_digest(root, path)}  {path}"


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command prints


if __name__ == "__main__":
    sys.exit(main())
