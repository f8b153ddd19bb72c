"""Serve a stack until standard input ends: ``python serve.py embedded|real|joined FOLDER WORKERS``.

Any release's interpreter runs this file, and gets that release's stack. The one line on standard
output holds the gateway's address, an administrator's key and the settings of the stack.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hilum_stack.embedded import EmbeddedStack
from hilum_stack.real import RealStack

if TYPE_CHECKING:
    from hilum_stack.stack import Stack


class JoinedStack(EmbeddedStack):
    """A gateway and workers on servers that others started."""

    def _addresses(self) -> dict[str, str]:
        """Return nothing: the settings of this process name them."""
        return {}


def settings() -> dict[str, str]:
    """Return the settings that this process was given."""
    return {name: value for name, value in os.environ.items() if name.startswith("HILUM_")}


def main(kind: str, folder: Path, workers: int) -> None:
    """Start, tell, wait, stop."""
    kinds: dict[str, type[Stack]] = {
        "embedded": EmbeddedStack,
        "real": RealStack,
        "joined": JoinedStack,
    }
    given = settings()
    repository = given.pop("HILUM_MODEL_REPOSITORY", None)
    models = {} if repository is None else {"model_repository": Path(repository)}
    with kinds[kind](folder, workers=workers, env=given, **models) as stack:
        told = {"url": stack.url, "api_key": stack.api_key, "env": stack.env}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
