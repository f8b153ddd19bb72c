"""``training/reports/details.md``: every figure that the two pages have no room for."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from hilum_training.baselines.verdict import ensemble_pays, named
from hilum_training.evaluation.criteria import criteria
from hilum_training.evaluation.originals import ORIGINALS
from hilum_training.evaluation.report_files import NOTICE, PAGE
from hilum_training.evaluation.report_index import BASELINES, NETWORK, PANELS, chest, panels_of
from hilum_training.evaluation.rival_tables import RIVAL, rival_rows, rival_verdicts
from hilum_training.evaluation.shift_tables import (
    learning_curve,
    left_out_costs,
    mask_curve,
    shift_tables,
    what_moved_it,
)
from hilum_training.evaluation.summary_sentences import (
    bounds_of_lungs,
    calibration_of_tuberculosis,
    confused_germs,
    more_of_shenzhen,
    other_adults,
    where_maps_point,
)
from hilum_training.export import before_and_after as changes
from hilum_training.export import lead_sentences, lead_tables
from hilum_training.export.figure_text import NOTHING, few_last, listed
from hilum_training.export.other_reports import OTHERS
from hilum_training.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Reports = Mapping[str, Mapping[str, Any]]
    Rows = Sequence[Mapping[str, Any]]

DETAILS: Final = "details.md"
TEMPLATE: Final = Path(__file__).with_name("details.template.md")
_LONG: Final = ("changed_films", "without_lungs", "aspect_shortcut")


def details(reports: Reports) -> str:
    """Return the page.

    Args:
        reports: From :func:`hilum_training.evaluation.report_index.read_reports`.
    """
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        notice=NOTICE,
        stale=stale(reports),
        **_criteria(reports),
        **_before(reports),
        **_lead(reports),
        **_external_validation(reports),
        **_shortcuts(reports),
        **_other_networks(reports),
        **_images(reports),
    )
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def table(rows: Rows) -> str:
    """Return a table in Markdown, or that nothing was measured."""
    return markdown(rows) if rows else NOTHING


def stale(reports: Reports) -> str:
    """Return which reports compare with other weights than those of the chest report."""
    weights = chest(reports).get("weights")
    old = [
        f"`baselines/{name}`"
        for name, row in reports.get(BASELINES, {}).items()
        if "hilum" in row and row["hilum"].get("weights", weights) != weights
    ]
    old += [
        f"`{name}`"
        for name, report in reports.items()
        if name.startswith(RIVAL) and report.get("shipped_weights", weights) != weights
    ]
    if weights is None or not old:
        return ""
    return (
        f"Measured beside the network of an earlier release, and not again yet: {listed(old)}. "
        "Their figures of the shipped network are that release's."
    )


def _criteria(reports: Reports) -> dict[str, str]:
    return {
        "criteria": table([criterion.row(reports) for criterion in criteria(reports)]),
        "confused": confused_germs(reports),
        "more_of_shenzhen": more_of_shenzhen(reports),
        "other_adults": other_adults(reports),
        "calibration_of_tuberculosis": calibration_of_tuberculosis(reports),
        "bounds_of_lungs": bounds_of_lungs(reports),
    }


def _before(reports: Reports) -> dict[str, str]:
    report, others = chest(reports), reports.get(OTHERS, {})
    previous = changes.newest_before(report["version"], others.get("previous", ()))
    regrouped = others.get("external", {}).get("regrouped_patients")
    return {
        "before_and_after_sentence": changes.before_and_after_sentence(previous, report),
        "regrouped": changes.regrouped_sentence(regrouped, previous, report),
        "before_and_after": table(changes.before_and_after(previous, report)),
        "flags_before_and_after": table(changes.flags_before_and_after(previous, report)),
    }


def _lead(reports: Reports) -> dict[str, str]:
    report, panels = chest(reports), panels_of(reports)
    ridge = reports.get(OTHERS, {}).get("thumbnail_ridge")
    return {
        **_flags(report),
        "ranks": table(lead_tables.rank_table(panels)),
        "predictive": table(lead_tables.predictive_table(panels)),
        "predictive_experimental": table(lead_tables.predictive_table(panels, "experimental")),
        "never_shown": lead_sentences.never_shown_sentence(report["panels"]),
        "within": table(_within(reports)),
        "pooled": table(_pooled(reports)),
        "findings": table(_findings(reports)),
        "germs": table(lead_sentences.germ_rows(ridge, report)),
        "germ_sentence": lead_sentences.germ_sentence(ridge, report),
        "scope": table(lead_tables.scope_table(report)),
        "ages": table(lead_tables.age_table(report)),
    }


def _flags(report: Mapping[str, Any]) -> dict[str, str]:
    """The whole headline: both settings of experimental labels, by source and by label."""
    parts = [
        report.get("headline", {}).get(key)
        for key in (lead_tables.DEFAULT, lead_tables.WITH_EXPERIMENTAL)
    ]
    whole = [
        table([*few_last(part["by_source"], "normal_films"), part["overall"]]) if part else NOTHING
        for part in parts
    ]
    return {
        "headline_default": whole[0],
        "headline_experimental": whole[1],
        "severity": table(lead_tables.severity_table(report)),
        "flags_by_label": table(parts[1]["by_label"] if parts[1] else ()),
    }


def _external_validation(reports: Reports) -> dict[str, str]:
    return {
        "shifts": shift_tables(reports) or NOTHING,
        "what_moved_it": what_moved_it(reports),
        "left_out": table(left_out_costs(reports)),
        "curve": table(learning_curve(reports)),
        "mask_curve": table(mask_curve(reports)),
        "lungs": _tables(reports.get("lungs", {}), ("structures", "cardiothoracic")),
        "gate": _gate(reports),
    }


def _shortcuts(reports: Reports) -> dict[str, str]:
    maps = _of_panels(reports, "localisation")
    return {
        "probe": table(_probe(reports)),
        "localisation": table(maps),
        "where_maps_point": where_maps_point(maps),
        **{key: table(_of_panels(reports, key)) for key in _LONG},
    }


def _other_networks(reports: Reports) -> dict[str, str]:
    return {
        "rivals": table(rival_verdicts(reports)),
        "rival_rows": table(rival_rows(reports)),
        "originals": table(_originals(reports)),
        "ensembles": table(_ensembles(reports)),
    }


def _images(reports: Reports) -> dict[str, str]:
    networks = {
        f"data_{name}": table(reports.get(f"{NETWORK}{name}", {}).get("films_used", ()))
        for name in ("chest", "gate", "lungs")
    }
    masks = reports.get(f"{NETWORK}lungs", {}).get("masks_used", ())
    sources = reports.get(OTHERS, {}).get("external", {}).get("sources", {})
    return {
        **networks,
        "masks": table(masks),
        "lungs_shown": table(reports.get("lungs", {}).get("films_shown", ())),
        "citations": lead_sentences.citations(sources),
    }


def _of_panels(reports: Reports, key: str) -> Rows:
    """A table that each panel has, with the panel in front, rows of few images last."""
    rows = [{"panel": name, **row} for name in PANELS for row in reports.get(name, {}).get(key, ())]
    return few_last(rows, "films") if all("films" in row for row in rows) else rows


def _within(reports: Reports) -> Rows:
    few = few_last(_of_panels(reports, "within_source"), "positive_films", "negative_films")
    return [
        {
            "panel": f"[{row['panel']}]({row['panel']}/{PAGE})",
            "question": row["question"],
            "source": row["source"],
            "images": f"{row['positive_films']} + {row['negative_films']}",
            "AUROC": row["auroc"],
            "accuracy": row["accuracy"],
            "specificity at 90 % sensitivity": row["specificity_at_90_sensitivity"],
            "sensitivity as named": row.get("named_sensitivity") or row["shipped_sensitivity"],
            "specificity as named": row.get("named_specificity") or row["shipped_specificity"],
        }
        for row in few
    ]


def _pooled(reports: Reports) -> Rows:
    return [
        {
            "panel": f"[{name}]({name}/{PAGE})",
            "test images": section["films"]["test"],
            "patients": section["films"]["test_patients"],
            "accuracy": section.get("accuracy"),
            "mean AUROC": section.get("mean_auroc"),
            "calibration error before": section["calibration_error"]["before"],
            "after": section["calibration_error"]["after"],
            "of a constant answer": section["calibration_error"].get("of_a_constant_answer"),
        }
        for name, section in panels_of(reports).items()
    ]


def _findings(reports: Reports) -> Rows:
    """A row for each finding and each source with images of both kinds, then over all sources."""
    labels = reports.get("pathology", {}).get("labels", {})
    within = [
        {
            "finding": name.replace("_", " "),
            "source": below["source"],
            "images with it": below["positive_films"],
            "images without it": below["negative_films"],
            "AUROC": below["auroc"],
            "sensitivity": below["sensitivity"],
            "specificity": below["specificity"],
        }
        for name, row in labels.items()
        for below in row.get("test_by_source", ())
        if below.get("auroc", {}).get("value") is not None
    ]
    pooled = [
        {
            "finding": name.replace("_", " "),
            "source": "all",
            "images with it": row["test_films"],
            "AUROC": row["auroc"],
            "AUPRC": row["auprc"],
            "sensitivity": row["test"]["sensitivity"],
            "specificity": row["test"]["specificity"],
            "operating point by": row["chosen_by"],
        }
        for name, row in labels.items()
    ]
    return [*few_last(within, "images with it"), *few_last(pooled, "images with it")]


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
        "frontal images accepted": section["frontal_films_that_pass"],
        "severely ill ones accepted": section.get("severe_films_that_pass"),
        "other images rejected": section["other_pictures_that_stop"],
    }
    kinds = {key: few_last(section.get(key, ()), "films") for key in ("severe", "kinds_that_stop")}
    rest = _tables({**section, **kinds}, (*kinds, "gate", "labels", "confusion"))
    return f"{markdown(shares)}\n\n{rest}"


def _tables(section: Mapping[str, Any], keys: Sequence[str]) -> str:
    return "\n\n".join(markdown(section[key]) for key in keys if section.get(key)) or NOTHING


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
                "better": sum(item["interval"][0] > 0 for item in figures),
                "worse": sum(item["interval"][1] < 0 for item in figures),
                "cost of one": f"{(single + other) / single:.1f}",
                "pays": ensemble_pays(gain, single, other),
            }
        )
    return rows
