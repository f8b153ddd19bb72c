"""``reports/<panel>/README.md``: a panel's whole report for people, from its ``metrics.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.report_files import NOTICE
from hilum_training.export.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FIGURES: Final = {
    "roc.svg": "ROC curves",
    "precision_recall.svg": "Precision and recall",
    "reliability.svg": "Reliability before and after calibration",
    "confusion.svg": "Confusion matrix",
    "heatmaps.png": "Test films with class activation maps, right answers and wrong ones",
}
"""Pictures that may lie beside the report, with their titles."""

_TABLES: Final = (
    (
        "within_source",
        "Within one source",
        """The figures to read: the hospital is the same on both sides and cannot give the label
away. Age, projection and the film's shape still may, and cohen's films are of many hospitals.""",
    ),
    (
        "severe",
        "Severely ill chests that pass",
        """Frontal radiographs that were made severely ill from test images, by what was done to
them. Those with unequal sides are real: one lung opaque or empty.""",
    ),
    (
        "kinds_that_stop",
        "What stops, by kind",
        """Dental radiographs, pelves and laterals are real. The last column is the share of what
stops whose stated reason is that it is no chest.""",
    ),
    ("gate", "What passes and what stops", "At the shipped operating point."),
    (
        "labels",
        "Label by label, all sources together",
        """Each label against the others. Precision, recall and F1 are of the most probable answer;
sensitivity and specificity are at the shipped operating point, which validation films chose.""",
    ),
    ("confusion", "Recorded and answered", "Rows were recorded, columns answered."),
    (
        "per_source",
        "By source and recorded label",
        "The share whose most probable answer is right.",
    ),
    ("outside_the_panel", "Films with none of the labels", "What is answered all the same."),
    (
        "copied_films",
        "The same film as another file holds it",
        "How far the panel's probabilities move, the farthest label of each film.",
    ),
    (
        "changed_films",
        "Films with something taken away",
        "AUROC without retraining; what is covered gets the film's mean grey.",
    ),
    (
        "without_lungs",
        "Lungs only, and no lungs",
        "AUROC with all but the lungs covered, and with the lungs covered.",
    ),
    (
        "aspect_shortcut",
        "The film's shape",
        "AUROC of the aspect ratio alone, of the model, and of it among films of like ratio.",
    ),
    (
        "localisation",
        "Against readers' boxes",
        """Pointing game, and the share of readers' boxes that a box of the map overlaps. Boxes of
pneumonia, consolidation and ground glass; the pack's 13 boxes of other findings are too few.""",
    ),
    (
        "answers_by_licence",
        "Which films may be shown",
        """Right and wrong answers by the terms of the film; of several findings the surest one is
the answer, and films without any are left out. The page of maps holds films whose licence asks for
credit alone; where no film has one there is no page. A page of all sources lies in
`training/runs/heatmaps/` where `evaluate` ran: it is not to be passed on.""",
    ),
    (
        "films_shown",
        "Films on the page of maps",
        "Right answers first. The pack's `manifest.csv` has the address of each.",
    ),
)


def panel_page(name: str, section: Mapping[str, Any], files: Collection[str] = ()) -> str:
    """The page.

    Args:
        name: Of the panel.
        section: Its report.
        files: What lies beside it.
    """
    parts = [f"# Report: {name}", f"**{NOTICE}**", _opening(section)]
    parts += [f"![{title}]({file})" for file, title in FIGURES.items() if file in files]
    for key, title, text in _TABLES:
        if section.get(key):
            parts.append(f"## {title}\n\n{text}\n\n{markdown(section[key])}")
    for key, rows in section.get("by", {}).items():
        if rows:
            parts.append(f"## By {key}\n\n{markdown(rows)}")
    return "\n\n".join(parts) + "\n"


def _opening(section: Mapping[str, Any]) -> str:
    films, error = section["films"], section["calibration_error"]
    overall = {
        key.replace("_", " "): section[key] for key in ("accuracy", "mean_auroc") if key in section
    }
    rows = {
        "validation films": films["validation"],
        "test films": films["test"],
        "test patients": films["test_patients"],
        **{f"{key}, all sources": value for key, value in overall.items()},
        "calibration error before": error["before"],
        "calibration error after": error["after"],
        **(
            {"calibration error of a constant answer": error["of_a_constant_answer"]}
            if "of_a_constant_answer" in error
            else {}
        ),
        "calibration": section["calibration"]["method"],
    }
    return (
        "Figures are of test films of patients whom training did not see; intervals are 95 %, from "
        f"1,000 draws of the patients.\n\n{markdown(rows)}"
    )
