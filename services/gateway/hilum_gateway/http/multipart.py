"""multipart/form-data (RFC 7578) without input or output: bytes in, parts out.

The framework's own form parser spools every file to disk before a route sees its first byte.
This one hands bytes on as they come, so that an upload streams to the object store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from hilum.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_HEADERS: Final = 8
MAX_HEADER_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class PartBegin:
    """A part begins.

    Attributes:
        name: Of the form field.
        filename: As sent, not to be trusted; None where the part is no file.
    """

    name: str
    filename: str | None


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part that began last is complete."""


PartEvent: TypeAlias = PartBegin | bytes | PartEnd
"""A part is a begin, any number of pieces of its content, and an end."""


class MultipartDecoder:
    """Turns the pieces of a body, cut anywhere, into the events of its parts."""

    def __init__(self, content_type: str) -> None:
        """Begin a body.

        Raises:
            InvalidRequest: Another content type, or no usable boundary.
        """
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            raise InvalidRequest("films are sent as multipart/form-data")
        boundary = options.get(b"boundary", b"")
        if not boundary:
            raise InvalidRequest("the Content-Type names no boundary")
        self._events: list[PartEvent] = []
        self._field = self._value = b""
        self._disposition: str | None = None
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
                max_header_count=MAX_HEADERS,
                max_header_size=MAX_HEADER_BYTES,
            )
        except FormParserError:
            raise InvalidRequest("the Content-Type's boundary is too long") from None

    def feed(self, data: bytes) -> Sequence[PartEvent]:
        """The events that the next piece of the body completes.

        Raises:
            InvalidRequest: This is not multipart/form-data, or a header is too long.
        """
        try:
            self._parser.write(data)
        except FormParserError:
            raise InvalidRequest("the body is not well-formed multipart/form-data") from None
        events, self._events = self._events, []
        return events

    def end(self) -> None:
        """The body is over.

        Raises:
            InvalidRequest: Its closing boundary never came.
        """
        if not self._ended:
            raise InvalidRequest("the body ends before its closing boundary")

    def _on_part_begin(self) -> None:
        self._disposition = None

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value.decode("latin-1")
        self._field = self._value = b""

    def _on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise InvalidRequest("a part has no Content-Disposition: form-data with a name")
        filename = options.get(b"filename")
        self._events.append(
            PartBegin(
                options[b"name"].decode("utf-8", "replace"),
                None if filename is None else filename.decode("utf-8", "replace"),
            )
        )

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _on_part_end(self) -> None:
        self._events.append(PartEnd())

    def _on_end(self) -> None:
        self._ended = True
