"""Look-up tables: Modality LUT, VOI LUT and palette (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).

All three have a descriptor of three 16-bit words and data. The words are taken from the bytes,
because the VR of either element (US, SS, OW) is ambiguous and often wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.dataelem import RawDataElement

from hilum.imaging.voi import LookupTable

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

_BYTE: Final = 8
_WORD: Final = 16
_LARGEST_TABLE: Final = 65_536
_SIGN: Final = 32_768
_DESCRIPTOR_WORDS: Final = 3
_SPARE_SHARE: Final = 16
_SMOOTH: Final = 8 * 255
_MANY_TIMES: Final = 4


class InvalidTable(Exception):
    """A look-up table that cannot be applied.

    Attributes:
        blank: It is whole, and maps every value to the same grey, or has no entries.
        empty: It has no entries.
    """

    def __init__(self, detail: str, *, blank: bool = False, empty: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.blank = blank or empty
        self.empty = empty


def lookup_table(
    item: Dataset,
    reach: tuple[float, float],
    *,
    descriptor: str = "LUTDescriptor",
    data: str = "LUTData",
    constant: bool = False,
) -> LookupTable:
    """Read a look-up table.

    The first value mapped is read as signed or unsigned, whichever covers more of the input. The
    depth of the entries is the declared one, with two exceptions: entries that need more bits,
    and a declared depth of 16, the size of a word, over entries that need fewer. The largest of
    these is white.

    Args:
        item: The data set that holds the table.
        reach: Smallest and largest value that goes into the table.
        descriptor: Keyword of the descriptor.
        data: Keyword of the data.
        constant: Whether a table of one grey is valid.

    Returns:
        The table.

    Raises:
        InvalidTable: The descriptor is damaged, entries are missing that the input needs, or all
            entries are alike.
    """
    words = _words(item, descriptor)
    if words.size < _DESCRIPTOR_WORDS:
        raise InvalidTable("A look-up table without a descriptor.")
    count, first, bits = (int(word) for word in words[:_DESCRIPTOR_WORDS])
    count = count or _LARGEST_TABLE
    entries, packed = _entries(item, data, count, bits)
    if not entries.size:
        raise InvalidTable("The look-up table is empty.", empty=True)
    start = _first_value(first, count, reach)
    missing = count - entries.size
    if missing > count // _SPARE_SHARE and start + entries.size <= reach[1]:
        raise InvalidTable("A look-up table is shorter than its descriptor says.")
    if not constant and entries.min() == entries.max():
        raise InvalidTable("The look-up table maps every value to one grey.", blank=True)
    depth = _depth(bits, entries, packed=packed)
    return LookupTable(start, entries, depth, spans=depth < _WORD <= bits and not packed)


def says_nothing(item: Dataset) -> bool:
    """Whether an item of a sequence of tables has neither a descriptor nor data."""
    return not any(_bytes(item, name, swap_bytes_of=0) for name in ("LUTDescriptor", "LUTData"))


def declared_depth(item: Dataset, descriptor: str = "LUTDescriptor") -> int | None:
    """The third word of a descriptor, or None."""
    words = _words(item, descriptor)
    return int(words[2]) if words.size >= _DESCRIPTOR_WORDS else None


def _depth(bits: int, entries: NDArray[np.uint16], *, packed: bool) -> int:
    needed = max(_BYTE, int(entries.max()).bit_length())
    if packed:
        return _BYTE
    return needed if bits >= _WORD or bits < needed else bits


def _first_value(word: int, count: int, reach: tuple[float, float]) -> int:
    """The first value mapped, whose sign its VR does not tell reliably."""
    if word < _SIGN:
        return word
    low, high = reach

    def covered(first: int) -> float:
        return max(0.0, min(high, first + count - 1) - max(low, first) + 1)

    signed = word - _LARGEST_TABLE
    if covered(signed) == covered(word):
        return signed if low < 0 else word
    return signed if covered(signed) > covered(word) else word


def _entries(item: Dataset, keyword: str, count: int, bits: int) -> tuple[NDArray[np.uint16], bool]:
    """The entries that are there, at most ``count``, and whether they are packed two to a word."""
    plain = _bytes(item, keyword, swap_bytes_of=2 * count)
    if len(plain) < 2 * count:
        octets = np.frombuffer(plain, np.uint8)
        # Words of 8 bits have nothing in their upper halves: they are too few, and not packed.
        packed = bool(octets[1::2].any()) or not octets.any()
        smooth = count <= len(plain) <= count + 1 and _is_smooth(octets)
        if (bits <= _BYTE and packed) or smooth:
            return octets[:count].astype(np.uint16), True
    words = np.frombuffer(plain[: len(plain) // 2 * 2], "<u2")[:count].astype(np.uint16)
    swapped = words.byteswap()
    return (swapped if _turns(words) > _MANY_TIMES * _turns(swapped) > 0 else words), False


def _turns(words: NDArray[np.uint16]) -> float:
    """How often entries run through their range: once in a curve, often where bytes are swapped."""
    if words.size < 2:  # noqa: PLR2004 - entries with a difference
        return 0.0
    whole = words.astype(np.int32)
    return float(np.abs(np.diff(whole)).sum()) / max(1, int(np.ptp(whole)))


def _is_smooth(octets: NDArray[np.uint8]) -> bool:
    """Whether bytes run like a table, and not like the alternating halves of words."""
    return int(np.abs(np.diff(octets.astype(np.int32))).sum()) <= _SMOOTH


def _words(item: Dataset, keyword: str) -> NDArray[np.uint16]:
    plain = _bytes(item, keyword, swap_bytes_of=0)
    return np.frombuffer(plain[: len(plain) // 2 * 2], "<u2").astype(np.uint16)


def _bytes(item: Dataset, keyword: str, *, swap_bytes_of: int) -> bytes:
    """The value of an element as little endian words.

    Args:
        item: The data set.
        keyword: The element.
        swap_bytes_of: Shortest value of VR OB that holds words. A shorter one holds bytes, which
            have no byte order.

    Returns:
        The bytes, or none where the element is absent.
    """
    if keyword not in item:
        return b""
    raw = item.get_item(keyword)
    little = raw.is_little_endian if isinstance(raw, RawDataElement) else True
    value = raw.value if raw is not None else None
    if value is None or value == "":
        return b""
    if not isinstance(value, bytes):
        numbers = np.atleast_1d(np.asarray(value, dtype=np.int64)) % _LARGEST_TABLE
        return numbers.astype("<u2").tobytes()
    if little or (raw.VR == "OB" and len(value) < swap_bytes_of):
        return value
    return np.frombuffer(value[: len(value) // 2 * 2], ">u2").astype("<u2").tobytes()
