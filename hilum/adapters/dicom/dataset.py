"""DICOM bytes to a dataset, bounded and without trusting the file (PS3.5 section 7, PS3.10)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom import uid
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag

from hilum.adapters.dicom.bounded_stream import (
    BoundedStream,
    ElementCount,
    InflatedStream,
    opened,
)
from hilum.adapters.dicom.data_start import element_encoding, implied_syntax, start_of_elements
from hilum.adapters.dicom.fragments import span_of_items
from hilum.adapters.dicom.image_pixel import first_of
from hilum.adapters.dicom.odd_elements import end_of_odd
from hilum.adapters.dicom.sequences import is_kept, parse_sequence, ran_too_deep, too_deep
from hilum.domain.errors import Rejected, TruncatedFilm, UnsupportedFormat
from hilum.imaging.budget import NotPlain

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement

_FILE_META_GROUP: Final = 0x0002
_PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_UNDEFINED_LENGTH: Final = 0xFFFFFFFF
_HEADER: Final = 12
_IMPLICIT_HEADER: Final = 8
_IMAGE_PIXEL_GROUP: Final = 0x0028
_ROWS: Final = 0x00280010


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """As much of a DICOM file as could be read.

    Attributes:
        dataset: The elements, file meta group apart.
        transfer_syntax: (0002,0010). What the bytes are, where it is absent, or unknown over pixels
            that are not encapsulated.
        data_set_at: Where the data set begins in the file, in bytes.
        big_endian: Byte order of the data set, by its bytes.
        sop_class_uid: (0008,0016), or the file meta's copy of it.
        sop_instance_uid: (0008,0018), or the file meta's copy of it.
        pixels_announced: The tag of a pixel data element was met.
        pixel_length: Its declared length in bytes; None where it is undefined (encapsulated).
        last_group: Group of the last element that began within the bytes.
        cut: Reading ended in the middle of an element, or of a deflated data set.
    """

    dataset: Dataset
    transfer_syntax: str
    data_set_at: int
    big_endian: bool
    sop_class_uid: str | None
    sop_instance_uid: str | None
    pixels_announced: bool
    pixel_length: int | None
    last_group: int
    cut: bool


def looks_like_dicom(prefix: bytes) -> bool:
    """Whether the first bytes are a DICOM file, or a data set that lost its preamble."""
    return start_of_elements(prefix) is not None


def parse(
    data: bytes, *, inflated_limit: int, header_only: bool = False, inflate: bool = True
) -> ParsedFile:
    """Read the elements of a DICOM file, or of its first bytes.

    Args:
        data: The file, or a prefix of it.
        inflated_limit: Most bytes that a deflated dataset may inflate to.
        header_only: Whether a deflated dataset is inflated no further than its Image Pixel module.
        inflate: Whether a deflated dataset is inflated at all.

    Returns:
        What was read; ``cut`` tells whether the bytes ended too early.

    Raises:
        NotPlain: It is deflated, and not to be inflated.
        UnsupportedFormat: Not DICOM.
        UnreadableFilm: The deflated part is damaged.
        CompressionRatioTooHigh: The deflated part inflates beyond the limit.
        TooManyElements: It has more elements and items than the budget allows.
        NestedTooDeep: Its sequences are nested deeper than the budget allows.
    """
    start = start_of_elements(data)
    if start is None:
        raise UnsupportedFormat("The file is not DICOM.")
    count = ElementCount()
    stream = BoundedStream(data, count)
    stream.seek(start)
    meta = _Elements(count)
    meta.read(stream, implicit=False, little=True, only_group=_FILE_META_GROUP)
    # Where the meta group is damaged, the whole file is its content.
    data_set_at = 0 if meta.cut else stream.tell()
    meta_set = Dataset(meta.found)
    syntax = _text(meta_set, "TransferSyntaxUID")
    if syntax == uid.DeflatedExplicitVRLittleEndian:
        if not inflate:
            raise NotPlain(large=True)
        stream = opened(stream.read(), count, inflated_limit)
    implicit, little = _encoding_at(stream, syntax)
    body = _Elements(count, header_only=header_only and isinstance(stream, InflatedStream))
    body.read(stream, implicit=implicit, little=little)
    encapsulated = body.pixels_announced and body.pixel_length is None
    if not syntax or (uid.UID(syntax).name == syntax and not encapsulated):
        syntax = implied_syntax(implicit=implicit, little=little)
    dataset = Dataset(body.found)
    dataset.set_original_encoding(implicit, little)
    return ParsedFile(
        dataset=dataset,
        transfer_syntax=syntax,
        data_set_at=data_set_at,
        big_endian=not little,
        sop_class_uid=_text(dataset, "SOPClassUID") or _text(meta_set, "MediaStorageSOPClassUID"),
        sop_instance_uid=_text(dataset, "SOPInstanceUID")
        or _text(meta_set, "MediaStorageSOPInstanceUID"),
        pixels_announced=body.pixels_announced,
        pixel_length=body.pixel_length,
        last_group=body.last_group,
        cut=meta.cut or body.cut,
    )


class _Elements:
    """Elements read one by one, so that those before a damaged one are kept."""

    def __init__(self, count: ElementCount, *, header_only: bool = False) -> None:
        self.found: dict[BaseTag, DataElement | RawDataElement] = {}
        self.pixels_announced = False
        self.pixel_length: int | None = None
        self.last_group = 0
        self.cut = False
        self._count = count
        self._header_only = header_only
        self._fragments: tuple[BaseTag, str | None] | None = None
        self._next: int | None = None

    def read(
        self, stream: BoundedStream, *, implicit: bool, little: bool, only_group: int | None = None
    ) -> None:
        """Read elements until the stream or the group ends.

        Raises:
            Rejected: The budget is used up, or the deflated bytes are damaged.
        """
        try:
            while self._read_to_stop(
                stream, implicit=implicit, little=little, only_group=only_group
            ):
                if self._next is not None:
                    stream.seek(self._next)
                else:
                    self._read_fragments(stream, implicit=implicit, little=little)
        except Rejected:
            raise
        except Exception as error:  # end of data shows as EOFError, OSError, struct.error ...
            if self._count.failure is not None:
                raise self._count.failure from error
            if ran_too_deep(error):
                raise too_deep() from error
            self.cut = True

    def _read_to_stop(
        self, stream: BoundedStream, *, implicit: bool, little: bool, only_group: int | None
    ) -> bool:
        """Read elements, and stop in front of one that pydicom is not to read: is there any?"""
        self._fragments = self._next = None

        def stop(tag: BaseTag, vr: str | None, length: int) -> bool:
            if only_group is not None:
                return tag.group != only_group
            self.last_group = tag.group
            if self._header_only and tag.group > _IMAGE_PIXEL_GROUP and _ROWS in self.found:
                self.cut = True
                return True
            if tag in _PIXEL_TAGS:
                self.pixels_announced = True
                self.pixel_length = None if length == _UNDEFINED_LENGTH else length
                if length == _UNDEFINED_LENGTH:
                    self._fragments = (tag, vr)
                return self._fragments is not None
            self._next = end_of_odd(stream, tag, vr, length, implicit=implicit, little=little)
            return self._next is not None

        for element in data_element_generator(stream, implicit, little, stop_when=stop):
            if _short(element):
                self.cut = True
                if element.tag not in _PIXEL_TAGS:
                    # Half a value is a wrong value.
                    continue
            if _is_kept(element):
                self.found[element.tag] = parse_sequence(element, self._count)
        return self._fragments is not None or self._next is not None

    def _read_fragments(self, stream: BoundedStream, *, implicit: bool, little: bool) -> None:
        """Take the items of the pixel data element that the stream stands in front of."""
        if self._fragments is None:  # pragma: no cover - called where they are
            return
        tag, vr = self._fragments
        start = stream.tell() + (_IMPLICIT_HEADER if vr is None else _HEADER)
        if isinstance(stream, InflatedStream):
            stream.inflate_all()
        with stream.getbuffer() as data:
            span = span_of_items(data, start, little=little)
            value = bytes(data[start : span.end])
        self.found[tag] = RawDataElement(
            BaseTag(tag), vr or "OB", _UNDEFINED_LENGTH, value, start, implicit, little
        )
        # The codestream tells whether it is whole. A missing delimiter alone harms nothing.
        self.cut = self.cut or span.resume is None
        stream.seek(0, os.SEEK_END) if span.resume is None else stream.seek(span.resume)


def _short(element: DataElement | RawDataElement) -> bool:
    """Whether the bytes ended inside a value of declared length."""
    length = getattr(element, "length", None)
    if length is None or length == _UNDEFINED_LENGTH:
        return False
    return bool(len(element.value or b"") < length)


def _is_kept(element: DataElement | RawDataElement) -> bool:
    if not isinstance(element, RawDataElement):
        return True
    return is_kept(element.tag, element.VR, len(element.value or b""))


def _encoding_at(stream: BoundedStream, syntax: str | None) -> tuple[bool, bool]:
    start = stream.tell()
    first = stream.read(6)
    stream.seek(start)
    return element_encoding(first, syntax)


def _text(dataset: Dataset, keyword: str) -> str | None:
    try:
        value = str(first_of(dataset.get(keyword)) or "").strip("\0 \t\r\n.")
    except Exception:  # noqa: BLE001 - a value that cannot be read is a value that is not there
        return None
    return value or None


def require_whole(parsed: ParsedFile) -> None:
    """Refuse a complete file whose elements end too early.

    Raises:
        TruncatedFilm: The file ends in the middle of an element before or in its pixels.
    """
    if parsed.dataset.get("PixelData"):
        # Whoever decodes them tells whether they are whole, whatever length is declared.
        return
    raise TruncatedFilm(
        "The DICOM file ends before its pixels do, or an element in front of them is damaged."
        if parsed.cut
        else "The pixel data is empty."
    )
