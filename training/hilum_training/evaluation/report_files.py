"""Where a report lies, and how it is written so that measuring again changes nothing.

``reports/<panel>/metrics.json`` holds everything about a panel, ``reports/<network>/metrics.json``
what its panels have in common and their sections without the long tables: what the manifest and
the model card are made from. A panel that has its network's name has one file, the network's.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from hilum_training.films.targets import recorded_kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hilum_training.films.library import Library

METRICS: Final = "metrics.json"
PAGE: Final = "README.md"
LONG_TABLES: Final = (
    "by",
    "changed_films",
    "without_lungs",
    "localisation",
    "answers_by_licence",
    "films_shown",
)
# A figure with its interval stands in one line: five would hide what the report says.
_NUMBERS: Final = re.compile(r"\[\s+([-+.\d,\se]+?)\s+\]")
_FIGURE: Final = re.compile(r'\{\s+"value": ([^,{}]+),\s+"interval": (\[[^\]]*\]|null)\s+\}')
NOTICE: Final = "Research use only. Not a medical device, not for diagnosis."


def write_reports(
    reports: Path, network: str, about: Mapping[str, Any], panels: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Write the network's report and its panels'.

    Args:
        reports: ``training/reports``.
        network: Its name.
        about: What the panels share; ``version``, ``created`` and ``weights`` go into each report.
        panels: The full sections.

    Returns:
        The network's report.
    """
    shared = {key: about[key] for key in ("version", "created", "weights")}
    for name, section in panels.items():
        if name != network:
            head = {"panel": name, "network": network, **shared, "notice": NOTICE}
            write_json(reports / name / METRICS, {**head, **section})
    short = {
        name: section if name == network else without_long_tables(section)
        for name, section in panels.items()
    }
    report = {"network": network, **about, "notice": NOTICE, "panels": short}
    write_json(reports / network / METRICS, report)
    return report


def without_long_tables(section: Mapping[str, Any]) -> dict[str, Any]:
    """A section as the manifest and the card take it."""
    return {key: value for key, value in section.items() if key not in LONG_TABLES}


def read_json(path: Path) -> dict[str, Any] | None:
    """A report, or None where there is none."""
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a report, a figure a line; not-a-number is refused."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    text = _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)
    text = _FIGURE.sub(r'{"value": \1, "interval": \2}', text)
    path.write_text(text + "\n", encoding="utf-8")


def created(path: Path, digest: str) -> str:
    """The date on which these weights were first measured, so that a rerun changes nothing."""
    earlier = read_json(path)
    if earlier is not None and earlier.get("weights") == digest:
        return str(earlier["created"])
    return datetime.now(UTC).date().isoformat()


def count_films(library: Library) -> list[dict[str, Any]]:
    """Films by source, licence and recorded label, in each split."""
    splits = {
        "train": library.train,
        "validation": library.validation,
        "test": library.test,
    }
    counts = {
        name: Counter((film.source, film.licence, recorded_kind(film)) for film in part.films)
        for name, part in splits.items()
    }
    kinds = sorted(set().union(*counts.values()))
    return [
        {
            "source": source,
            "licence": licence,
            "label": label,
            **{name: counts[name][source, licence, label] for name in splits},
        }
        for source, licence, label in kinds
    ]
