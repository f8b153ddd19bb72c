"""``reports/<panel>/README.md``: a panel's whole report for people, from its ``metrics.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.panel_tables import AFTER, BEFORE
from hilum_training.evaluation.report_files import NOTICE
from hilum_training.export import lead_sentences, lead_tables
from hilum_training.export.figure_text import FEWEST_TO_LEAD, few_last
from hilum_training.export.other_reports import OTHERS
from hilum_training.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    Rows = Sequence[Mapping[str, Any]]

FIGURES: Final = {
    "roc.svg": "ROC curves",
    "precision_recall.svg": "Precision and recall",
    "reliability.svg": "Reliability before and after calibration",
    "confusion.svg": "Confusion matrix",
    "heatmaps.png": "Test images with class activation maps, right and wrong predictions",
}
"""Pictures that may lie beside the report, with their titles."""

_GATE_KINDS: Final = ("severe", "kinds_that_stop")
_GERMS: Final = "pneumonia"
_INFECTIONS: Final = ("pneumonia", "infection")


def panel_page(
    name: str,
    section: Mapping[str, Any],
    files: Collection[str] = (),
    about: Mapping[str, Any] | None = None,
) -> str:
    """Return the page.

    Args:
        name: Of the panel.
        section: Its report.
        files: What lies beside it.
        about: The report of its network, see
            :func:`hilum_training.export.other_reports.with_other_reports`; None does without what
            all panels say together.
    """
    section = {**section, **_by_label(section)}
    parts = [f"# Report: {name}", f"**{NOTICE}**", _opening(section)]
    parts += _flags(name, about or {})
    parts += _tables(section, BEFORE)
    parts += _scope(section, about or {})
    parts += _elsewhere(name, about or {})
    parts += [f"![{title}]({file})" for file, title in FIGURES.items() if file in files]
    parts += _tables(section, AFTER)
    for key, rows in section.get("by", {}).items():
        if rows:
            parts.append(f"## By {key}\n\n{markdown(few_last(rows, 'films'))}")
    return "\n\n".join(parts) + "\n"


def _tables(section: Mapping[str, Any], tables: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    for key, title, text in tables:
        if section.get(key):
            yield f"## {title}\n\n{text}\n\n{markdown(section[key])}"


def _flags(name: str, about: Mapping[str, Any]) -> Iterator[str]:
    """What all panels say together of normal and of ill images, and this panel's part of it."""
    if not (rows := lead_tables.headline_table(about)):
        return
    yield (
        f"## Flags of all panels together\n\n{lead_sentences.in_short(about)} "
        f"{lead_sentences.few_images(about)}\n\n{markdown(rows)}"
    )
    own = [
        {**row, "label": row["label"].removeprefix(f"{name}/")}
        for row in about["headline"][lead_tables.WITH_EXPERIMENTAL]["by_label"]
        if row["label"].startswith(f"{name}/")
    ]
    if own:
        yield (
            "## Flags of this panel\n\nBy label, experimental ones switched on. A label without "
            f"a row flags no image.\n\n{markdown(few_last(own, 'normal_films'))}"
        )


def _scope(section: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[str]:
    """The population of the panel, and how the bounds on pixels hold."""
    scope = section.get("scope")
    if not scope:
        return
    told = {
        "sources of the training images": scope["sources"],
        **{f"bound of the measure `{key}`": value for key, value in scope["limits"].items()},
        "never shown": "; ".join(scope["never_shown"]) or "-",
    }
    rows = lead_tables.scope_table(about)
    rest = f"\n\n{markdown(rows)}" if rows else ""
    yield (
        "## Out of scope\n\nThe panel gives no verdict on images outside this population, for the "
        f"measures that bound it.\n\n{markdown(told)}{rest}"
    )


def _elsewhere(name: str, about: Mapping[str, Any]) -> Iterator[str]:
    """What the germ's name is worth: on both splits, and at a hospital that nobody trained on."""
    kept = about.get(OTHERS, {})
    ridge = kept.get("thumbnail_ridge")
    if name == _GERMS and (rows := lead_sentences.germ_rows(ridge, about)):
        text = lead_sentences.germ_sentence(ridge, about)
        yield f"## Bacterial or viral\n\n{markdown(rows)}\n\n{text}"
    found = kept.get("external", {}).get("unseen_hospital")
    if name in _INFECTIONS and found:
        text = lead_sentences.unseen_hospital(found, about["version"])
        yield f"## At an unseen hospital\n\n{text}"


def _by_label(section: Mapping[str, Any]) -> dict[str, Any]:
    """Tables with a row for each label and source, rows of few images last."""
    labels = section["labels"]
    by_source = [
        {"label": name, **below}
        for name, row in labels.items()
        if row["threshold"] is not None
        for below in row.get("test_by_source", ())
    ]
    within = section.get("within_source", ())
    return {
        "within_source": few_last(within, "positive_films", "negative_films"),
        "no_point": [
            {"label": name, "reason": row["no_point"]}
            for name, row in labels.items()
            if "no_point" in row
        ],
        "test_by_source": sorted(by_source, key=_rests_on_few),
        "predictive_values": {
            name: row["predictive_values"] for name, row in lead_tables.flagged(labels)
        },
        **{key: few_last(section[key], "films") for key in _GATE_KINDS if section.get(key)},
        "calibration_within_source": few_last(
            section["calibration_error"].get("within_source", ()), "films"
        ),
    }


def _rests_on_few(row: Mapping[str, Any]) -> bool:
    return bool(max(row["positive_films"], row["negative_films"]) < FEWEST_TO_LEAD)


def _opening(section: Mapping[str, Any]) -> str:
    films, error = section["films"], section["calibration_error"]
    overall = {
        key.replace("_", " "): section[key] for key in ("accuracy", "mean_auroc") if key in section
    }
    rows = {
        "validation images": films["validation"],
        "test images": films["test"],
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
        "Figures are of test images of patients whom training did not see. Intervals are 95 %, "
        f"from draws of the patients. Rows of fewer than {FEWEST_TO_LEAD} images follow the "
        f"others.\n\n{markdown(rows)}"
    )
