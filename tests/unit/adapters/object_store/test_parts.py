"""Cutting chunks into parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.adapters.object_store.parts import ChunkReader, ChunksFailed


@given(
    chunks=st.lists(st.binary(max_size=50), max_size=20),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=20),
)
def test_reads_the_same_bytes_in_any_sizes(chunks, sizes):
    """Every read is full until the source ends, and the bytes are those of the chunks."""
    whole = b"".join(chunks)
    reader = ChunkReader(chunks)
    read = b""
    for size in sizes:
        part = reader.read(size)
        assert part == whole[len(read) : len(read) + size]
        read += part
    assert reader.size == len(read)


def test_a_failing_source_is_remembered():
    """The reason is kept as it was raised; the reader raises what every client catches."""
    reason = KeyboardInterrupt()

    def chunks():
        yield b"abc"
        raise reason

    reader = ChunkReader(chunks())
    assert reader.read(3) == b"abc"
    with pytest.raises(ChunksFailed):
        reader.read(1)
    assert reader.failure is reason
