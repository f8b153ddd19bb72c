"""Encrypts documents that hold names, so that rows and backups of rows show nobody's."""

from __future__ import annotations

from typing import Protocol


class Sealer(Protocol):
    """Seals and opens documents; safe to call from several threads."""

    @property
    def key_id(self) -> str:
        """Return the id of the key that seals now."""
        ...

    def seal(self, document: bytes, bound_to: bytes) -> bytes:
        """Encrypt a document.

        Args:
            document: What is to be kept.
            bound_to: What it belongs to: it opens together with the same bytes alone.
        """
        ...

    def unseal(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Decrypt a document.

        Raises:
            ContextMissing: Its key is not there, it is damaged, or it belongs to something else.
        """
        ...
