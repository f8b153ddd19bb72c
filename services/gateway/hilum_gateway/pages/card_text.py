"""A model's card, Markdown, taken apart so that a template can write it.

Only what cards use is known: headings, paragraphs, lists, tables, indented or fenced code, and
within a line bold, code, links and emphasis. What is not known stays text. Nothing here is HTML,
and templates escape every word, so a card cannot bring markup into the page; links are shown as
their words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADING: Final = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_ITEM: Final = re.compile(r"\s{0,3}(?:[-*+]|\d{1,3}[.)])\s+(.*)$")
_RULE_CELL: Final = re.compile(r":?-+:?$")
_CODE: Final = re.compile(r"(?: {4}|\t)(.*)$")
_FENCE: Final = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_SPAN: Final = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\*\*(?P<bold>[^*]+)\*\*"
    r"|!?\[(?P<link>[^\]]*)\]\([^()\s]*\)"
    r"|(?<![\w*])\*(?P<emphasis>[^*\s](?:[^*]*[^*\s])?)\*(?![\w*])"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line: its text, and ``text``, ``code``, ``bold`` or ``emphasis``."""

    kind: str
    text: str


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a card.

    Attributes:
        kind: ``heading``, ``paragraph``, ``list``, ``table`` or ``code``.
        level: Of a heading, 1 to 6.
        lines: The heading or the paragraph (one), or the items of a list.
        rows: Of a table, the head first.
        code: Text as it is.
    """

    kind: str
    level: int = 0
    lines: tuple[Line, ...] = ()
    rows: tuple[tuple[Line, ...], ...] = ()
    code: str = ""


def card_blocks(markdown: str) -> list[Block]:
    """The parts of a card, in their order."""
    reader = _Reader(markdown.splitlines())
    blocks = []
    while (block := reader.block()) is not None:
        blocks.append(block)
    return blocks


def spans(text: str) -> Line:
    """A line as pieces."""
    pieces: list[Span] = []
    end = 0
    for match in _SPAN.finditer(text):
        if match.start() > end:
            pieces.append(Span("text", text[end : match.start()]))
        kind = match.lastgroup or "text"
        pieces.append(Span("text" if kind == "link" else kind, match.group(kind)))
        end = match.end()
    if end < len(text) or not pieces:
        pieces.append(Span("text", text[end:]))
    return tuple(pieces)


@dataclass(slots=True)
class _Reader:
    """Lines that were not read yet; each method takes what it reads."""

    lines: Sequence[str]
    at: int = field(default=0)

    def block(self) -> Block | None:
        while self.at < len(self.lines) and not self.lines[self.at].strip():
            self.at += 1
        if self.at >= len(self.lines):
            return None
        line = self.lines[self.at]
        if fence := _FENCE.match(line):
            return self._fenced(fence[1])
        if heading := _HEADING.match(line):
            self.at += 1
            return Block("heading", level=len(heading[1]), lines=(spans(heading[2]),))
        if self._is_table():
            return self._table()
        if _CODE.match(line):
            return self._code()
        return self._list() if _ITEM.match(line) else self._paragraph()

    def _take(self) -> str:
        self.at += 1
        return self.lines[self.at - 1]

    def _here(self) -> str:
        return self.lines[self.at] if self.at < len(self.lines) else ""

    def _fenced(self, fence: str) -> Block:
        self.at += 1
        taken: list[str] = []
        while self.at < len(self.lines):
            line = self._take()
            if line.strip().startswith(fence):
                break
            taken.append(line)
        return Block("code", code="\n".join(taken))

    def _code(self) -> Block:
        taken: list[str] = []
        while match := _CODE.match(self._here()):
            taken.append(match[1])
            self.at += 1
        return Block("code", code="\n".join(taken))

    def _is_table(self) -> bool:
        if not self._here().lstrip().startswith("|") or self.at + 1 >= len(self.lines):
            return False
        rule = _cells(self.lines[self.at + 1])
        return bool(rule) and all(_RULE_CELL.match(cell) for cell in rule)

    def _table(self) -> Block:
        rows = [_cells(self._take())]
        self.at += 1
        while self._here().lstrip().startswith("|"):
            rows.append(_cells(self._take()))
        return Block("table", rows=tuple(tuple(map(spans, row)) for row in rows))

    def _list(self) -> Block:
        items: list[str] = []
        while self._here().strip():
            if match := _ITEM.match(self._here()):
                items.append(match[1])
            else:
                items[-1] += " " + self._here().strip()
            self.at += 1
        return Block("list", lines=tuple(map(spans, items)))

    def _paragraph(self) -> Block:
        taken = [self._take().strip()]
        while (
            self._here().strip()
            and not _HEADING.match(self._here())
            and not _ITEM.match(self._here())
            and not _FENCE.match(self._here())
            and not self._is_table()
        ):
            taken.append(self._take().strip())
        return Block("paragraph", lines=(spans(" ".join(taken)),))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
