"""Read tables of the project's documents."""

from __future__ import annotations

import re
from typing import Final

from tests.unit.test_structure import ROOT

ARCHITECTURE: Final = "docs/developers/architecture.md"


def section(heading: str, page: str = ARCHITECTURE) -> str:
    """Return the text under a heading, up to the next one of its level or a higher one."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found is not None, f"{page} has no heading {heading}"
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def table(heading: str, first: str, page: str = ARCHITECTURE) -> list[dict[str, str]]:
    """Return the rows, by column, of the tables below a heading whose first column is `first`."""
    rows: list[dict[str, str]] = []
    head: list[str] = []
    for line in section(heading, page).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if "|" in line else []
        if not line.startswith("|"):
            head = []
        elif not head:
            head = cells
        elif head[0] == first and not set(line) <= {"|", "-", " "}:
            rows.append(dict(zip(head, cells, strict=True)))
    assert rows, f"{page}, {heading}: no table begins with {first}"
    return rows


def code(cell: str) -> list[str]:
    """Return what a cell has in code font."""
    return re.findall(r"`([^`]+)`", cell)


def permissions() -> dict[str, set[str]]:
    """Return the permissions of each role."""
    return {
        row["role"]: {name for head, cell in row.items() if cell == "x" for name in code(head)}
        for row in table("Who may do what", "role")
    }
