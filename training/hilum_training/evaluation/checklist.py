"""``training/reports/checklist.md``: where each item of TRIPOD+AI and of CLAIM is reported."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from hilum_training.evaluation.report_files import NOTICE
from hilum_training.markdown import markdown

CHECKLIST: Final = "checklist.md"
ITEMS: Final = Path(__file__).with_name("checklists.toml")
_OPENING: Final = """Two reporting guidelines, item by item. Titles are in our own words. Open the
guidelines for what an item asks."""


def guidelines() -> list[dict[str, Any]]:
    """Return the guidelines: ``name``, ``source`` and ``items``.

    An item has ``number``, ``title``, and either ``where`` (links from ``training/reports``) or
    ``why`` it is not reported.
    """
    found: list[dict[str, Any]] = tomllib.loads(ITEMS.read_text(encoding="utf-8"))["guideline"]
    return found


def checklist() -> str:
    """Return the page."""
    parts = ["# Reporting checklist", f"**{NOTICE}**", _OPENING]
    for guideline in guidelines():
        rows = [
            {"item": item["number"], "title": item["title"], "where": _where(item)}
            for item in guideline["items"]
        ]
        parts.append(f"## {guideline['name']}\n\n{guideline['source']}.\n\n{markdown(rows)}")
    return "\n\n".join(parts) + "\n"


def _where(item: dict[str, Any]) -> str:
    if "why" in item:
        return f"not reported: {item['why']}"
    return ", ".join(f"[{_named(link)}]({link})" for link in item["where"])


def _named(link: str) -> str:
    path, _, anchor = link.partition("#")
    short = path.removeprefix("../").removeprefix("../")
    return f"{short}, {anchor.replace('-', ' ')}" if anchor else short
