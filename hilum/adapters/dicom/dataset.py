"""DICOM bytes to a dataset, bounded and without trusting the file (PS3.5 section 7, PS3.10)."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.valuerep import VR

from hilum.domain.errors import (
    CompressionRatioTooHigh,
    TruncatedFilm,
    UnreadableFilm,
    UnsupportedFormat,
)

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement, RawDataElement
    from pydicom.tag import BaseTag

_PREAMBLE: Final = 128
_MAGIC: Final = b"DICM"
_FILE_META_GROUP: Final = 0x0002
_PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_UNDEFINED_LENGTH: Final = 0xFFFFFFFF
_VALUE_REPRESENTATIONS: Final = frozenset(str(name).encode() for name in VR)


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """As much of a DICOM file as could be read.

    Attributes:
        dataset: The elements, file meta group apart.
        transfer_syntax: (0002,0010); guessed for a dataset without a file meta group.
        sop_instance_uid: (0008,0018), or the file meta's copy of it.
        pixels_announced: The tag of a pixel data element was met.
        pixel_length: Its declared length in bytes; None where it is undefined (encapsulated).
        last_group: Group of the last element that began within the bytes.
        cut: Reading ended in the middle of an element.
    """

    dataset: Dataset
    transfer_syntax: str
    sop_instance_uid: str | None
    pixels_announced: bool
    pixel_length: int | None
    last_group: int
    cut: bool


def looks_like_dicom(prefix: bytes) -> bool:
    """Whether the first bytes are a DICOM file, or a dataset that lost its preamble.

    A bare dataset is taken as DICOM where its first element is of the file meta group or of group
    0008, little endian, with a VR of the standard or, in implicit VR, a short even length.
    """
    if prefix[_PREAMBLE : _PREAMBLE + 4] == _MAGIC:
        return True
    if len(prefix) < 8 or prefix[:2] not in {b"\x02\x00", b"\x08\x00"} or prefix[3] != 0:  # noqa: PLR2004 - tag (4) and VR or length (4)
        return False
    if prefix[4:6] in _VALUE_REPRESENTATIONS:
        return True
    length = int.from_bytes(prefix[4:8], "little")
    return length % 2 == 0 and length <= 64  # noqa: PLR2004 - first elements are UIDs or lengths


def parse(data: bytes, *, inflated_limit: int) -> ParsedFile:
    """Read the elements of a DICOM file, or of its first bytes.

    Args:
        data: The file, or a prefix of it.
        inflated_limit: Most bytes that a deflated dataset may inflate to.

    Returns:
        What was read; ``cut`` tells whether the bytes ended too early.

    Raises:
        UnsupportedFormat: Not DICOM.
        UnreadableFilm: The deflated part is damaged.
        CompressionRatioTooHigh: The deflated part inflates beyond the limit.
    """
    if not looks_like_dicom(data):
        raise UnsupportedFormat("The file is not DICOM.")
    stream = io.BytesIO(data)
    if data[_PREAMBLE : _PREAMBLE + 4] == _MAGIC:
        stream.seek(_PREAMBLE + 4)
    meta = _Elements()
    meta.read(stream, implicit=False, little=True, only_group=_FILE_META_GROUP)
    meta_set = Dataset(meta.found)
    syntax = _text(meta_set, "TransferSyntaxUID")
    if syntax == uid.DeflatedExplicitVRLittleEndian:
        stream = io.BytesIO(_inflate(stream.read(), inflated_limit))
    implicit, little = _encoding(stream, syntax)
    body = _Elements()
    body.read(stream, implicit=implicit, little=little)
    dataset = Dataset(body.found)
    dataset.set_original_encoding(implicit, little)
    return ParsedFile(
        dataset=dataset,
        transfer_syntax=syntax or _implied_syntax(implicit=implicit, little=little),
        sop_instance_uid=_text(dataset, "SOPInstanceUID")
        or _text(meta_set, "MediaStorageSOPInstanceUID"),
        pixels_announced=body.pixels_announced,
        pixel_length=body.pixel_length,
        last_group=body.last_group,
        cut=meta.cut or body.cut,
    )


class _Elements:
    """Elements read one by one, so that those before a damaged one are kept."""

    def __init__(self) -> None:
        self.found: dict[BaseTag, DataElement | RawDataElement] = {}
        self.pixels_announced = False
        self.pixel_length: int | None = None
        self.last_group = 0
        self.cut = False

    def read(
        self, stream: io.BytesIO, *, implicit: bool, little: bool, only_group: int | None = None
    ) -> None:
        def stop(tag: BaseTag, _vr: str | None, length: int) -> bool:
            if only_group is not None:
                return tag.group != only_group
            self.last_group = tag.group
            if tag in _PIXEL_TAGS:
                self.pixels_announced = True
                self.pixel_length = None if length == _UNDEFINED_LENGTH else length
            return False

        try:
            for element in data_element_generator(stream, implicit, little, stop_when=stop):
                if _short(element):
                    self.cut = True
                    if element.tag not in _PIXEL_TAGS:
                        # Half a value is a wrong value.
                        continue
                self.found[element.tag] = element
        except Exception:  # noqa: BLE001 - end of data shows as EOFError, OSError, struct.error ...
            self.cut = True


def _short(element: DataElement | RawDataElement) -> bool:
    """Whether the bytes ended inside a value of declared length."""
    length = getattr(element, "length", None)
    if length is None or length == _UNDEFINED_LENGTH:
        return False
    return bool(len(element.value or b"") < length)


def _inflate(packed: bytes, limit: int) -> bytes:
    """Undo Deflated Explicit VR Little Endian (PS3.5 section A.5), never beyond the limit."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(packed, limit)
    except zlib.error as error:
        raise UnreadableFilm("The deflated dataset is damaged.") from error
    if inflater.unconsumed_tail:
        raise CompressionRatioTooHigh(
            f"The deflated dataset is larger than {limit} bytes, the most that the limits allow."
        )
    return plain


def _encoding(stream: io.BytesIO, syntax: str | None) -> tuple[bool, bool]:
    """Implicit VR? Little endian? The VR letters decide over a transfer syntax that lies."""
    start = stream.tell()
    first = stream.read(6)
    stream.seek(start)
    little = syntax != uid.ExplicitVRBigEndian
    if len(first) < 6:  # noqa: PLR2004 - tag (4) and VR (2)
        return syntax in {None, uid.ImplicitVRLittleEndian}, little
    return first[4:6] not in _VALUE_REPRESENTATIONS, little


def _implied_syntax(*, implicit: bool, little: bool) -> str:
    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian


def _text(dataset: Dataset, keyword: str) -> str | None:
    try:
        value = str(dataset.get(keyword) or "").strip("\0 ")
    except Exception:  # noqa: BLE001 - a value that cannot be read is a value that is not there
        return None
    return value or None


def require_whole(parsed: ParsedFile) -> None:
    """Refuse a complete file whose elements end too early.

    Raises:
        TruncatedFilm: The file ends in the middle of an element before or in its pixels.
    """
    value = parsed.dataset.get("PixelData")
    if parsed.cut and value is None:
        raise TruncatedFilm("The DICOM file ends before its pixels do.")
    short_by = 0 if parsed.pixel_length is None else parsed.pixel_length - len(value or b"")
    # One byte may be missing: a writer that forgot to pad an odd length.
    if short_by > 1:
        raise TruncatedFilm("The DICOM file ends before its pixels do.")
