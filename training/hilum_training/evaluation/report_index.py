"""Every report by name: what the pages over all reports are made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.report_files import METRICS, read_json
from hilum_training.evaluation.rival_tables import RIVAL
from hilum_training.evaluation.shift_tables import MASK_SHARE, SHIFT
from hilum_training.export.other_reports import OTHERS, kept_files, with_other_reports

if TYPE_CHECKING:
    from collections.abc import Mapping

    Reports = Mapping[str, Mapping[str, Any]]

REPORTS: Final = Path(__file__).resolve().parents[2] / "reports"
PANELS: Final = ("pneumonia", "infection", "tuberculosis", "pathology")
NETWORK: Final = "network/"
BASELINES: Final = "baselines"
CHEST: Final = f"{NETWORK}chest"
NO_REPORT: Final[Mapping[str, Any]] = {"panels": {}, "version": "0"}


def read_reports(folder: Path) -> dict[str, dict[str, Any]]:
    """Return every report by its panel's name, others with their folder or ``network/`` before it.

    The one on the originals' methods is called ``baselines``. What is kept of earlier releases and
    of measurements elsewhere is under ``others``, see
    :func:`hilum_training.export.other_reports.kept_files`.

    Args:
        folder: ``training/reports``.
    """
    found: dict[str, dict[str, Any]] = {OTHERS: kept_files(folder)}
    for path in sorted(folder.glob(f"*/{METRICS}")):
        report = read_json(path) or {}
        if "network" in report and "panels" in report:
            found[f"{NETWORK}{path.parent.name}"] = with_other_reports(report, folder)
            for name, section in report["panels"].items():
                found.setdefault(name, section)
        elif "panel" in report or path.parent.name == BASELINES:
            found[path.parent.name] = report
    for below in (SHIFT, RIVAL, MASK_SHARE):
        for path in sorted(folder.glob(f"{below}*/{METRICS}")):
            found[f"{below}{path.parent.name}"] = read_json(path) or {}
    return found


def chest(reports: Reports) -> Mapping[str, Any]:
    """Return the report of the chest network, or an empty one."""
    return reports.get(CHEST, NO_REPORT)


def panels_of(reports: Reports) -> dict[str, Mapping[str, Any]]:
    """Return the full section of each panel that was measured, in the order of pages."""
    return {name: reports[name] for name in PANELS if name in reports}
