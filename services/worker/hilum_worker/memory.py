"""How this process keeps its memory flat while threads decode films of many sizes."""

from __future__ import annotations

import ctypes
from typing import Final

# glibc, malloc.h
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_ARENAS: Final = 2
_LARGE_BYTES: Final = 256 * 1024
_TRIM_BYTES: Final = 16 * 1024 * 1024


def keep_heap_small() -> bool:
    """Tell glibc's allocator to share arenas and to give film buffers back to the system.

    By default every thread gets an arena of its own, and after the first large block is freed
    glibc raises the size from which it asks the system directly: films of tens of megabytes
    then live in heaps that only shrink from their top. A fixed threshold keeps them in mappings
    that are returned when a film is done (mallopt(3)). To be called before threads start.

    Returns:
        Whether the allocator took all three; another C library has no such knobs.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = (
        (_M_ARENA_MAX, _ARENAS),
        (_M_MMAP_THRESHOLD, _LARGE_BYTES),
        (_M_TRIM_THRESHOLD, _TRIM_BYTES),
    )
    taken = [mallopt(name, value) == 1 for name, value in settings]
    return all(taken)
