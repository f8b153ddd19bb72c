"""A broker's folder that can become unusable and come back, each in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class LinkedFolder:
    """A folder behind a symbolic link. During an outage the link leads to a file.

    Attributes:
        path: The link.
        url: Celery's name for it.
    """

    def __init__(self, parent: Path) -> None:
        self.path = parent / "broker"
        self.url = f"filesystem://{self.path}"
        self._folder, self._file = parent / "queues", parent / "no-queues"
        self._folder.mkdir()
        self._file.touch()
        self.start()

    def stop(self) -> None:
        """Make every use of it fail."""
        self._lead_to(self._file)

    def start(self) -> None:
        """Bring it back, with what was in it."""
        self._lead_to(self._folder)

    def _lead_to(self, target: Path) -> None:
        link = self.path.with_suffix(".new")
        link.symlink_to(target)
        link.replace(self.path)
