"""Changes of files, drawn from a seed: bytes, lengths, pieces copied, cut and moved."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LENGTHS = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_MARKS = (
    *(b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0", b"\xfe\xff\x0d\xe0", b"\x28\x00\x10\x00"),
    *(b"\xe0\x7f\x10\x00", b"SQ\0\0\xff\xff\xff\xff", b"UN\0\0\xff\xff\xff\xff"),
    *(b"\xff\xd8", b"\xff\xda", b"\xff\xd9", b"\xff\xc2", b"\xff\x4f\xff\x51", b"\xff\x93"),
    *(b"IDAT", b"IEND", b"acTL", b"eXIf", b"zTXt", b"\x78\x9c"),
)


def mutate(data: bytes, others: Sequence[bytes], seed: int) -> bytes:
    """Change a file, the same way for the same seed.

    Args:
        data: The file.
        others: Files that pieces are taken from.
        seed: Chooses the changes.

    Returns:
        The changed file, at most four times as long and 256 KiB longer.
    """
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        chance.choice(_CHANGES)(changed, others, chance)
    return bytes(changed[: 4 * len(data) + 256 * 1024])


def _place(data: bytearray, chance: random.Random) -> int:
    # Headers lie in front, and matter most.
    reach = len(data) if chance.random() < 0.4 else min(len(data), 1500)
    return chance.randrange(reach + 1)


def _bytes(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    for _one in range(chance.choice((1, 1, 4, 16))):
        at = _place(data, chance)
        data[at : at + 1] = bytes([chance.randrange(256)])


def _length(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    at, width = _place(data, chance), chance.choice((2, 4))
    order = "little" if chance.random() < 0.5 else "big"
    value = chance.choice(_LENGTHS) & ((1 << (8 * width)) - 1)
    data[at : at + width] = value.to_bytes(width, order)  # type: ignore[arg-type]


def _mark(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    at, mark = _place(data, chance), chance.choice(_MARKS)
    data[at : at + (len(mark) if chance.random() < 0.5 else 0)] = mark


def _repeat(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    at, size = _place(data, chance), chance.choice((4, 8, 12, 20, 64))
    data[at:at] = bytes(data[at : at + size]) * chance.choice((1, 10, 1000, 3000))


def _cut(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    at = _place(data, chance)
    del data[at : at + chance.choice((1, 2, 8, 100, len(data)))]


def _splice(data: bytearray, others: Sequence[bytes], chance: random.Random) -> None:
    other = chance.choice(others)
    at, start = _place(data, chance), chance.randrange(len(other))
    data[at:at] = other[start : start + chance.choice((8, 64, 1000, len(other)))]


_CHANGES: Sequence[Callable[[bytearray, Sequence[bytes], random.Random], None]] = (
    *(_bytes, _bytes, _length, _mark, _repeat, _cut, _splice),
)
