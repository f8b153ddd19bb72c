"""What the status of a peer means: taken, refused for good, or to be sent later.

C-STORE statuses are those of PS3.4 table B.2-1 and PS3.7 annex C.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hilum.application.ports.pacs import Answer

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LONGEST: Final = 200
_SHORTEST_NAME: Final = 3
_PARTS: Final = re.compile(r"[\^=\s\\]+")
_SUCCESS: Final = 0x0000
_WARNINGS: Final = range(0xB000, 0xC000)
_OUT_OF_RESOURCES: Final = range(0xA700, 0xA800)
_BUSY: Final = frozenset({0x0110, 0x0213})
"""Processing failure and resource limitation of PS3.7: the next time may be another."""


def answer_of(status: int, comment: object) -> tuple[Answer, int, str]:
    """Return what a C-STORE response means, its status, and the peer's words.

    Args:
        status: (0000,0900).
        comment: Error Comment (0000,0902), or None.
    """
    words = printable(comment)
    if status == _SUCCESS:
        return Answer.SENT, status, words
    if status in _WARNINGS or status in {0x0001, 0x0107, 0x0116}:
        return Answer.SENT, status, words or "taken with a warning"
    if status in _OUT_OF_RESOURCES or status in _BUSY:
        return Answer.LATER, status, words or "the peer is out of resources"
    return Answer.REFUSED, status, words or "refused"


def printable(text: object) -> str:
    """Return a peer's words in at most 200 printable characters of one line."""
    words = "" if text is None else str(text)
    return "".join(one if one.isprintable() else " " for one in words).strip()[:_LONGEST]


def without_patient(words: str, dataset: Dataset) -> str:
    """Return a peer's words without the patient's name and number, which some repeat.

    Args:
        words: As it said them.
        dataset: What it was sent.
    """
    known = (str(dataset.get(keyword) or "") for keyword in ("PatientName", "PatientID"))
    parts = {part for text in known for part in (text, *_PARTS.split(text))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST_NAME:
            words = re.sub(re.escape(part), "...", words, flags=re.IGNORECASE)
    return words
