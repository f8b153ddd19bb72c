"""``python -m hilum_training.evaluation.summary``: ``training/reports/README.md`` from the reports.

Every number on the page is read from a ``metrics.json``; the page can be made again at any time.
"""

from __future__ import annotations

import sys
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from hilum_training.baselines.verdict import ensemble_pays, named
from hilum_training.evaluation.aims import AIMS, ORIGINALS
from hilum_training.evaluation.learning_figure import (
    EPOCHS,
    LEARNING,
    draw_learning,
    read_epochs,
    tells_of_panels,
)
from hilum_training.evaluation.report_files import METRICS, NOTICE, PAGE, read_json
from hilum_training.evaluation.rival_tables import RIVAL, rival_rows, rival_verdicts
from hilum_training.evaluation.shift_tables import (
    MASK_SHARE,
    SHIFT,
    learning_curve,
    left_out_costs,
    mask_curve,
    shift_tables,
)
from hilum_training.evaluation.summary_sentences import (
    NOTHING,
    bounds_of_lungs,
    calibration_of_tuberculosis,
    confused_germs,
    more_of_shenzhen,
    other_adults,
    where_maps_point,
)
from hilum_training.export.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Reports = Mapping[str, Mapping[str, Any]]
    Rows = Sequence[Mapping[str, Any]]

REPORTS: Final = Path(__file__).resolve().parents[2] / "reports"
TEMPLATE: Final = Path(__file__).with_name("summary.template.md")
PANELS: Final = ("pneumonia", "infection", "tuberculosis", "pathology")
NETWORK: Final = "network/"
BASELINES: Final = "baselines"


def read_reports(folder: Path) -> dict[str, dict[str, Any]]:
    """Every report by its panel's name; others with their folder or ``network/`` before it.

    The one on the originals' methods is called ``baselines``.

    Args:
        folder: ``training/reports``.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob(f"*/{METRICS}")):
        report = read_json(path) or {}
        if "network" in report and "panels" in report:
            found[f"{NETWORK}{path.parent.name}"] = report
            for name, section in report["panels"].items():
                found.setdefault(name, section)
        elif "panel" in report or path.parent.name == BASELINES:
            found[path.parent.name] = report
    for below in (SHIFT, RIVAL, MASK_SHARE):
        for path in sorted(folder.glob(f"{below}*/{METRICS}")):
            found[f"{below}{path.parent.name}"] = read_json(path) or {}
    return found


def summary(reports: Reports) -> str:
    """The page.

    Args:
        reports: From :func:`read_reports`.
    """
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        notice=NOTICE,
        aims=_table([aim.row(reports) for aim in AIMS]),
        confused=confused_germs(reports),
        more_of_shenzhen=more_of_shenzhen(reports),
        other_adults=other_adults(reports),
        calibration_of_tuberculosis=calibration_of_tuberculosis(reports),
        bounds_of_lungs=bounds_of_lungs(reports),
        within=_table(_within(reports)),
        pooled=_table(_pooled(reports)),
        findings=_table(_findings(reports)),
        shifts=shift_tables(reports) or NOTHING,
        left_out=_table(left_out_costs(reports)),
        curve=_table(learning_curve(reports)),
        mask_curve=_table(mask_curve(reports)),
        rivals=_table(rival_verdicts(reports)),
        rival_rows=_table(rival_rows(reports)),
        probe=_table(_probe(reports)),
        localisation=_table(_of_panels(reports, "localisation")),
        where_maps_point=where_maps_point(_of_panels(reports, "localisation")),
        gate=_gate(reports),
        lungs=_lungs(reports),
        originals=_table(_originals(reports)),
        ensembles=_table(_ensembles(reports)),
        **{
            key: _table(_of_panels(reports, key))
            for key in ("changed_films", "without_lungs", "aspect_shortcut")
        },
    )


def _table(rows: Rows) -> str:
    return markdown(rows) if rows else NOTHING


def _of_panels(reports: Reports, key: str) -> Rows:
    """A table that each panel has, with the panel in front."""
    return [{"panel": name, **row} for name in PANELS for row in reports.get(name, {}).get(key, ())]


def _within(reports: Reports) -> Rows:
    return [
        {
            "panel": f"[{row['panel']}]({row['panel']}/{PAGE})",
            "question": row["question"],
            "source": row["source"],
            "films": f"{row['positive_films']} + {row['negative_films']}",
            "AUROC": row["auroc"],
            "accuracy": row["accuracy"],
            "specificity at 90 % sensitivity": row["specificity_at_90_sensitivity"],
            "sensitivity as shipped": row["shipped_sensitivity"],
            "specificity as shipped": row["shipped_specificity"],
        }
        for row in _of_panels(reports, "within_source")
    ]


def _pooled(reports: Reports) -> Rows:
    return [
        {
            "panel": f"[{name}]({name}/{PAGE})",
            "test films": section["films"]["test"],
            "patients": section["films"]["test_patients"],
            "accuracy": section.get("accuracy"),
            "mean AUROC": section.get("mean_auroc"),
            "calibration error before": section["calibration_error"]["before"],
            "after": section["calibration_error"]["after"],
        }
        for name in PANELS
        if (section := reports.get(name))
    ]


def _findings(reports: Reports) -> Rows:
    return [
        {
            "finding": name,
            "test films": row["test_films"],
            "AUROC": row["auroc"],
            "AUPRC": row["auprc"],
            "sensitivity": row["test"]["sensitivity"],
            "specificity": row["test"]["specificity"],
            "operating point by": row["chosen_by"],
        }
        for name, row in reports.get("pathology", {}).get("labels", {}).items()
    ]


def _probe(reports: Reports) -> Rows:
    return [
        {"network": name.removeprefix(NETWORK), "from": key.replace("_", " "), **row}
        for name, report in reports.items()
        for key, row in (report.get("source_probe") or {}).items()
        if row
    ]


def _gate(reports: Reports) -> str:
    section = reports.get("gate", {})
    if "gate" not in section:
        return NOTHING
    shares = {
        "frontal films that pass": section["frontal_films_that_pass"],
        "severely ill ones that pass": section.get("severe_films_that_pass"),
        "other pictures that stop": section["other_pictures_that_stop"],
    }
    tables = [section[key] for key in ("severe", "kinds_that_stop", "gate") if section.get(key)]
    return "\n\n".join(markdown(table) for table in (shares, *tables))


def _lungs(reports: Reports) -> str:
    section = reports.get("lungs", {})
    found = [markdown(section[key]) for key in ("structures", "cardiothoracic") if section.get(key)]
    return "\n\n".join(found) or NOTHING


def _originals(reports: Reports) -> Rows:
    return [
        {
            "app": original.app,
            "its own figure": original.claimed,
            "Hilum": original.figure(reports),
            "what is counted": original.what,
        }
        for original in ORIGINALS
    ]


def _ensembles(reports: Reports) -> Rows:
    """What the mean of the shipped network and a rebuilt method gains over the network alone."""
    rows = []
    for name, row in reports.get(BASELINES, {}).items():
        if "ensemble_gain" not in row:
            continue
        gain = row["ensemble_gain"]
        figures = [item for _, item in named(gain) if item["interval"]]
        single, other = row["hilum"]["cpu_ms"], sum(part["cpu_ms"] for part in row["networks"])
        rows.append(
            {
                "mean of Hilum and": name,
                "figures compared": len(figures),
                "surely better": sum(item["interval"][0] > 0 for item in figures),
                "surely worse": sum(item["interval"][1] < 0 for item in figures),
                "price of one": f"{(single + other) / single:.1f}",
                "pays": ensemble_pays(gain, single, other),
            }
        )
    return rows


def main() -> int:
    """Write the page, and how each network learnt; returns the exit code."""
    for path in sorted(REPORTS.glob(f"*/{EPOCHS}")):
        rows = read_epochs(path)
        if tells_of_panels(rows):
            draw_learning(rows, path.parent.name, path.with_name(LEARNING))
    (REPORTS / PAGE).write_text(summary(read_reports(REPORTS)), encoding="utf-8")
    sys.stdout.write(f"{REPORTS / PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
