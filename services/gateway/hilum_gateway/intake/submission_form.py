"""The form of ``POST /v1/submissions``: films, and fields before or after them.

Everything here is synchronous and pulls: it runs in the worker thread of one upload, and asks for
the next piece of the body when the object store has taken the last one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hilum.application.intake.submission import IncomingFile, SubmissionFields
from hilum.domain.errors import InvalidRequest
from hilum.domain.job import Priority
from hilum_gateway.http.filenames import display_name
from hilum_gateway.http.multipart import PartBegin, PartEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hilum_gateway.http.multipart import MultipartDecoder, PartEvent

FILES: Final = "files"
FIELDS: Final = frozenset({"priority", "site", "patient_ref", "force"})
MAX_FIELD_BYTES: Final = 4096

_SITE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PATIENT_REF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


class SubmissionForm:
    """Reads one form, once, from the first part to the last."""

    def __init__(self, decoder: MultipartDecoder, pull: Callable[[], bytes]) -> None:
        """Begin a form.

        Args:
            decoder: Fresh.
            pull: Gives the next piece of the body, empty at its end.
        """
        self._events = _Events(decoder, pull)
        self._text: dict[str, str] = {}

    def files(self) -> Iterator[IncomingFile]:
        """The films, each to be read before the next; what is left unread of one is skipped.

        Raises:
            InvalidRequest: Malformed, cut short, or holding an unknown, repeated or overlong field.
        """
        while (event := self._events.next()) is not None:
            if not isinstance(event, PartBegin):
                continue  # unread rest of a film
            if event.name != FILES:
                self._read_field(event)
            elif not (event.filename == "" and self._events.at_part_end()):
                # A browser sends one nameless empty part where no file was chosen.
                yield IncomingFile(display_name(event.filename), _Content(self._events))

    def fields(self) -> SubmissionFields:
        """What the form says beside its films; complete once :meth:`files` is exhausted.

        Raises:
            InvalidRequest: A value is malformed.
        """
        return SubmissionFields(
            priority=_priority(self._text.get("priority") or Priority.ROUTINE.value),
            site=_matching("site", self._text.get("site"), _SITE),
            patient_ref=_matching("patient_ref", self._text.get("patient_ref"), _PATIENT_REF),
            force=_yes_or_no("force", self._text.get("force")),
        )

    def _read_field(self, begin: PartBegin) -> None:
        name = begin.name
        if name not in FIELDS or begin.filename is not None:
            raise InvalidRequest(
                f"unknown part {display_name(name)!r}; films are sent as parts {FILES!r}"
            )
        if name in self._text:
            raise InvalidRequest(f"the field {name} stands twice")
        value = b"".join(self._limited(name))
        try:
            self._text[name] = value.decode().strip()
        except UnicodeDecodeError:
            raise InvalidRequest(f"the field {name} is not UTF-8") from None

    def _limited(self, name: str) -> Iterator[bytes]:
        size = 0
        for piece in _Content(self._events):
            size += len(piece)
            if size > MAX_FIELD_BYTES:
                raise InvalidRequest(f"the field {name} has more than {MAX_FIELD_BYTES} bytes")
            yield piece


class _Events:
    """The events of a body, one after the other; what failed once fails again.

    The use case takes an error that a film's bytes raise for that film's own; asking for the next
    film must then not look like the end of the form.
    """

    def __init__(self, decoder: MultipartDecoder, pull: Callable[[], bytes]) -> None:
        self._decoder = decoder
        self._pull = pull
        self._waiting: list[PartEvent] = []
        self._over = False
        self._failure: BaseException | None = None

    def next(self) -> PartEvent | None:
        """The next event, or None at the end of the form."""
        if self._failure is not None:
            raise self._failure
        try:
            return self._waiting.pop() if self._fill() else None
        except BaseException as error:
            self._failure = error
            raise

    def at_part_end(self) -> bool:
        """Whether nothing of the present part is left."""
        event = self.next()
        if event is not None:
            self._waiting.append(event)
        return isinstance(event, PartEnd)

    def _fill(self) -> bool:
        """Make sure that an event waits; False at the end."""
        while not self._waiting and not self._over:
            data = self._pull()
            if data:
                # Last first, so that taking one from the list is cheap.
                self._waiting.extend(reversed(self._decoder.feed(data)))
            else:
                self._decoder.end()
                self._over = True
        return bool(self._waiting)


class _Content:
    """The pieces of one part; empty for good once its end was seen."""

    def __init__(self, events: _Events) -> None:
        self._events = events
        self._over = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._over:
            raise StopIteration
        event = self._events.next()
        if isinstance(event, bytes):
            return event
        self._over = True
        raise StopIteration


def _priority(text: str) -> Priority:
    try:
        return Priority(text)
    except ValueError:
        allowed = ", ".join(priority.value for priority in Priority)
        raise InvalidRequest(f"priority is one of {allowed}") from None


def _yes_or_no(name: str, text: str | None) -> bool:
    if text not in {None, "", "true", "false"}:
        raise InvalidRequest(f"{name} is true or false")
    return text == "true"


def _matching(name: str, text: str | None, pattern: re.Pattern[str]) -> str | None:
    if not text:
        return None
    if not pattern.fullmatch(text):
        raise InvalidRequest(
            f"{name} has 1 to 64 letters, digits, dots, hyphens or underscores, a letter or a "
            "digit first"
        )
    return text
