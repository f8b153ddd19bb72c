"""Chunks of any size, read in the sizes that an upload wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ChunksFailed(Exception):
    """The source of an upload failed; :attr:`ChunkReader.failure` says how."""


class ChunkReader:
    """A readable file over an iterable of chunks.

    Attributes:
        size: Bytes read so far.
        failure: What the iterable raised, if it did. :meth:`read` then raises
            :class:`ChunksFailed`, an ordinary exception whatever the failure was (a cancelled
            request is none), so that the client aborts its multipart upload.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")
        self.size = 0
        self.failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        """Read exactly ``size`` bytes, fewer at the end.

        Raises:
            ChunksFailed: The iterable raised.
        """
        parts = []
        wanted = size
        while wanted > 0:
            chunk = self._left or self._next()
            if not chunk:
                break
            parts.append(chunk[:wanted])
            self._left = chunk[wanted:]
            wanted -= len(parts[-1])
        data = b"".join(parts)
        self.size += len(data)
        return data

    def _next(self) -> memoryview:
        """The next chunk that is not empty, or an empty one at the end."""
        try:
            return memoryview(next((chunk for chunk in self._chunks if chunk), b""))
        except BaseException as error:
            self.failure = error
            raise ChunksFailed from error
