"""``python -m hilum_training.evaluation.summary``: the pages that people read, from the reports.

Writes ``README.md`` (two pages), ``details.md``, ``checklist.md`` and a page for each panel into
``training/reports``. Every number is read from a report, so that the pages can be made again.
"""

from __future__ import annotations

import sys
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.checklist import CHECKLIST, checklist
from hilum_training.evaluation.criteria import criteria_sentence
from hilum_training.evaluation.details_page import DETAILS, details
from hilum_training.evaluation.learning_figure import (
    EPOCHS,
    LEARNING,
    draw_learning,
    read_epochs,
    tells_of_panels,
)
from hilum_training.evaluation.panel_page import panel_page
from hilum_training.evaluation.report_files import NOTICE, PAGE
from hilum_training.evaluation.report_index import NETWORK, REPORTS, chest, read_reports
from hilum_training.evaluation.summary_sentences import lungs_sentence, maps_sentence
from hilum_training.export.figure_text import NOTHING, tidy
from hilum_training.export.lead_text import lead_text
from hilum_training.export.network_tables import gate_sentence
from hilum_training.export.other_reports import OTHERS, said_of_panels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Reports = Mapping[str, Mapping[str, Any]]

TEMPLATE: Final = Path(__file__).with_name("summary.template.md")


def summary(reports: Reports) -> str:
    """Return the two pages.

    Args:
        reports: From :func:`hilum_training.evaluation.report_index.read_reports`.
    """
    report = chest(reports)
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        notice=NOTICE,
        version=report["version"],
        criteria=criteria_sentence(reports),
        external_validation=said_of_panels(report)["asked_range"] or NOTHING,
        gate=gate_sentence(reports.get("gate", {})),
        lungs=lungs_sentence(reports),
        maps=maps_sentence(reports),
        **lead_text(report, reports.get(OTHERS)),
    )
    return tidy(text)


def pages(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield every page that is made from the reports: its path and its text.

    Args:
        folder: ``training/reports``.
    """
    reports = read_reports(folder)
    yield folder / PAGE, summary(reports)
    yield folder / DETAILS, details(reports)
    yield folder / CHECKLIST, checklist()
    for key, report in reports.items():
        for name, part in report.get("panels", {}).items() if key.startswith(NETWORK) else ():
            if "labels" in part:
                files = {path.name for path in (folder / name).glob("*")}
                page = panel_page(name, reports[name], files, report)
                yield folder / name / PAGE, page


def main() -> int:
    """Write the pages, and how each network learnt; return the exit code."""
    for path in sorted(REPORTS.glob(f"*/{EPOCHS}")):
        rows = read_epochs(path)
        if tells_of_panels(rows):
            draw_learning(rows, path.parent.name, path.with_name(LEARNING))
    for path, text in pages(REPORTS):
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
