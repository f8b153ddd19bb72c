"""The embedded stack: SQLite, a folder, Celery's filesystem transport, ONNX Runtime. No server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum_stack.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum_stack.server import Server


class EmbeddedStack(Stack):
    """What a newcomer runs: a gateway and a worker, with their data in one folder."""

    @property
    def servers(self) -> Sequence[Server]:
        """None: that is the point of it."""
        return ()

    def _addresses(self) -> dict[str, str]:
        return {
            "HILUM_DATABASE_URL": f"sqlite:///{self.folder / 'hilum.db'}",
            "HILUM_OBJECT_STORE_URL": f"file://{self.folder / 'objects'}",
            "HILUM_BROKER_URL": f"filesystem://{self.folder / 'broker'}",
            "HILUM_INFERENCE_URL": "onnx://",
        }
