"""Runs one command to its end."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.cluster.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def output_of(
    *argv: str | Path,
    given: str | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """Runs a command and returns what it wrote to standard output.

    Args:
        argv: Program and arguments.
        given: Text for its standard input; None: nothing to read.
        env: Its whole environment; None: ours.
        folder: Its working folder; None: ours.

    Raises:
        CommandFailed: It is not there, or ended with another status than 0.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=given if given is not None else "",
            env=dict(env) if env is not None else None,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise CommandFailed(f"{words[0]} cannot be started: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-4000:]
        raise CommandFailed(f"`{' '.join(words)}` ended with status {done.returncode}:\n{said}")
    return done.stdout
