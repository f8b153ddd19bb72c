"""The root of every error: a stable code, and a sentence for a person."""

from __future__ import annotations

from typing import ClassVar


class HilumError(Exception):
    """Root of the tree.

    Attributes:
        code: Stable, machine-readable name of what went wrong.
        detail: One sentence for a person. Never holds a patient's data or a secret.
    """

    code: ClassVar[str] = "error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def sentence(self) -> str:
        """The code and the detail, as a line of the log has them."""
        return f"{self.code}: {self.detail}"
