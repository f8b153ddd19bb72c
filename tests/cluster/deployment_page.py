"""The commands of docs/deployment.md, for tests that type them as they stand there."""

from __future__ import annotations

from typing import Final

from tests.cluster.paths import ROOT

PAGE: Final = ROOT / "docs" / "deployment.md"
MARK: Final = "# not exercised"
"""Ends a command that no test types."""
_PROGRAMS: Final = ("make", "podman", "kubectl", "helm", "hilum-engine", "hilum", "curl")


def commands() -> list[str]:
    """Lines of the page's code blocks that begin with a program."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    found = [line.strip() for line in lines if line.startswith("    ")]
    return [line for line in found if line.split(" ", 1)[0] in _PROGRAMS]


def command_that_begins(words: str) -> str:
    """The one command of the page that begins so.

    Raises:
        ValueError: There is none, or more than one.
    """
    (command,) = [one for one in commands() if one.startswith(words)]
    return command
