"""A file on its way into the object store."""

from __future__ import annotations

import hashlib
from itertools import chain
from typing import TYPE_CHECKING

from hilum.application.ports.film_reader import INSPECTED_BYTES
from hilum.domain.errors import FileTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Upload:
    """Counts, limits and hashes a file's bytes while they pass; iterable once."""

    def __init__(self, chunks: Iterable[bytes], max_bytes: int) -> None:
        self._chunks = iter(chunks)
        self._max_bytes = max_bytes
        self._peeked: list[bytes] = []
        self._digest = hashlib.sha256()
        self._content: hashlib._Hash | None = None
        self._before_content = 0
        self.size = 0

    @property
    def sha256(self) -> str:
        """Hex digest of what has passed."""
        return self._digest.hexdigest()

    @property
    def content_sha256(self) -> str:
        """Hex digest of what has passed behind the place that :meth:`content_begins` named."""
        return (self._content or self._digest).hexdigest()

    def content_begins(self, at: int) -> None:
        """Name the byte from which on two files with other beginnings may be the same.

        Args:
            at: Bytes from the start. To be called before the first byte passes.
        """
        self._before_content = at
        self._content = hashlib.sha256() if at else None

    def peek(self) -> tuple[bytes, bool]:
        """The first bytes, without consuming them, and whether they are the whole file."""
        held = 0
        for chunk in self._chunks:
            self._peeked.append(chunk)
            held += len(chunk)
            if held >= INSPECTED_BYTES:
                return b"".join(self._peeked), False
        return b"".join(self._peeked), True

    def __iter__(self) -> Iterator[bytes]:
        """All bytes, the peeked ones first.

        Raises:
            FileTooLarge: As soon as more than the limit has passed.
        """
        for chunk in chain(self._peeked, self._chunks):
            self.size += len(chunk)
            if self.size > self._max_bytes:
                raise FileTooLarge(f"a file may have at most {self._max_bytes} bytes")
            self._digest.update(chunk)
            if self._content is not None:
                passed = self.size - len(chunk)
                self._content.update(memoryview(chunk)[max(self._before_content - passed, 0) :])
            yield chunk
