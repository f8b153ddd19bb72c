"""The real stack on an empty folder that goes away with it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hilum_stack.real import RealStack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def fresh_stack(workers: int, env: Mapping[str, str] | None = None) -> Iterator[RealStack]:
    """Starts the real stack; stops it and deletes its data at the end.

    Args:
        workers: How many worker processes.
        env: Settings on top of the stack's own.
    """
    with tempfile.TemporaryDirectory(prefix="hilum-bench-") as name:
        folder = Path(name)
        # Root's PostgreSQL runs as a system user. Where that one cannot pass, its data would lie
        # in a folder elsewhere that outlives this one.
        folder.chmod(0o711)
        with RealStack(folder, workers=workers, env=env) as stack:
            yield stack
