"""Tables of the cards of the gate and of the segmentation, shorter than those of their reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilum_training.export.figure_text import (
    FEWEST_TO_LEAD,
    NOTHING,
    few_last,
    is_few,
    listed,
    short,
)
from hilum_training.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    Report = Mapping[str, Any]
    Rows = list[dict[str, Any]]


def network_text(report: Report) -> dict[str, str]:
    """Return tables and sentences of a gate or of structures, by the names that templates have.

    Args:
        report: Of a network, see :func:`hilum_training.export.other_reports.with_other_reports`.
    """
    panels = report["panels"].values()
    gate: Report = next((part for part in panels if "frontal_films_that_pass" in part), {})
    masks: Report = next((part for part in panels if "structures" in part), {})
    external = report.get("others", {}).get("external", {})
    return {
        "gate_sentence": gate_sentence(gate),
        "severe_kinds": _table(severe_kinds(gate)),
        "rejected_kinds": _table(rejected_kinds(gate)),
        "drawn_kinds": drawn_kinds(gate),
        "rejected_labels": _table(rejected_labels(gate)),
        "other_bodies": other_bodies(external.get("other_bodies")),
        "lungs_in_short": dice_sentence(masks),
        "dice": _table(dice_table(masks)),
        "ratio": _table(ratio_table(masks)),
        "masks_by_annotator": _table(report.get("masks_used", ())),
        "recorded_labels": _table(label_counts(report)),
        "images_with_regions": annotated_images(report, "regions"),
        "annotators_agree": annotators_agree(masks),
        "heart_in_masks": heart_in_masks(external.get("shenzhen_masks")),
    }


def gate_sentence(gate: Report) -> str:
    """Return what a gate accepts and rejects at its operating point.

    Args:
        gate: Section of a report, or an empty one.
    """
    if "frontal_films_that_pass" not in gate:
        return NOTHING
    accepted = listed(
        f"{short(gate[key], decimals)} of {words}"
        for key, words, decimals in (
            ("frontal_films_that_pass", "frontal images", 4),
            ("severe_films_that_pass", "severely ill ones", 3),
        )
        if (gate.get(key) or {}).get("value") is not None
    )
    rejected = short(gate["other_pictures_that_stop"], 4)
    return f"Accepted are {accepted or 'none measured'}, rejected {rejected} of other images."


def severe_kinds(gate: Report) -> Rows:
    """Return how many severely ill frontal images are accepted, by kind."""
    return [
        {"kind": row["kind"], "images": row["films"], "accepted": short(row["pass"], 3)}
        for row in few_last(gate.get("severe", ()), "films")
    ]


def rejected_kinds(gate: Report) -> Rows:
    """Return how many images of each other kind are rejected, and with which reason.

    Drawn kinds of few images are left out, see :func:`drawn_kinds`.
    """
    return [
        {
            "label": row["label"].replace("_", " "),
            "kind": row["kind"],
            "images": row["films"],
            "rejected": short(row["stop"], 3),
            "of these as no chest": short(row["reason_not_chest"], 3),
        }
        for row in few_last(gate.get("kinds_that_stop", ()), "films")
        if not _few_drawn(row)
    ]


def drawn_kinds(gate: Report) -> str:
    """Return how many drawn kinds of few images there are, and the smallest share rejected."""
    rows = [row for row in gate.get("kinds_that_stop", ()) if _few_drawn(row)]
    if not rows:
        return ""
    least = min((row["stop"] for row in rows), key=lambda figure: float(figure["value"]))
    return (
        f"{len(rows)} drawn kinds of fewer than {FEWEST_TO_LEAD} images each are in "
        f"`training/reports/gate/README.md`. Of each at least {short(least, 3)} was rejected."
    )


def _few_drawn(row: Report) -> bool:
    return row["kind"].startswith("drawn") and is_few(row, "films")


def rejected_labels(gate: Report) -> Rows:
    """Return the share of images of each label but ``frontal`` that is rejected."""
    return [
        {"label": label.replace("_", " "), "rejected": short(figure, 4)}
        for label, figure in gate.get("that_stop", {}).items()
    ]


def other_bodies(found: Report | None) -> str:
    """Return what was accepted of other bodies elsewhere.

    Args:
        found: ``reports/external/other_bodies.json``, or None.
    """
    if found is None:
        return ""
    return (
        f"Release {found['release']} accepted {found['accepted']} of {found['images']} "
        f"{found['what']} ({found['origin']})."
    )


def dice_table(masks: Report) -> Rows:
    """Return the agreement with annotators, rows of few images last."""
    return [
        {
            "structure": row["structure"].replace("_", " "),
            "source": row["source"],
            "annotator": row["annotator"],
            "images": row["films"],
            "Dice": short(row["dice"], 3),
            "lowest": row["dice_lowest"],
            "Hausdorff 95 %, percent of width": short(row["hausdorff_95_percent_of_width"], 1),
        }
        for row in few_last(masks.get("structures", ()), "films")
    ]


def dice_sentence(masks: Report) -> str:
    """Return the range of the Dice, by rows with many images where there are any."""
    rows = list(masks.get("structures", ()))
    if not rows:
        return NOTHING
    kept = [row for row in rows if not is_few(row, "films")] or rows
    ends = [choose(kept, key=lambda row: float(row["dice"]["value"])) for choose in (min, max)]
    low, high = (
        f"{short(row['dice'], 3)} ({row['structure'].replace('_', ' ')}, {row['source']})"
        for row in ends
    )
    return f"Dice from {low} to {high}." if low != high else f"Dice {low}."


def ratio_table(masks: Report) -> Rows:
    """Return the cardiothoracic ratio compared with the one of the annotators' masks."""
    return [
        {
            "source": row["source"],
            "reference": row["reference"].replace("_", " "),
            "images": row["films"],
            "measured on both": row["measured_on_both"],
            "mean absolute difference": row["mean_absolute_difference"],
            "bias": row["bias"],
            "limits of agreement": row["limits_of_agreement"],
        }
        for row in few_last(masks.get("cardiothoracic", ()), "films")
    ]


def label_counts(report: Report) -> Rows:
    """Return the images of each recorded label in each split."""
    counts: dict[str, dict[str, int]] = {}
    for row in report.get("films_used", ()):
        line = counts.setdefault(row["label"], dict.fromkeys(("train", "validation", "test"), 0))
        for split in line:
            line[split] += row[split]
    return [
        {
            "recorded label": label.replace("_", " "),
            "training": line["train"],
            "validation": line["validation"],
            "test": line["test"],
        }
        for label, line in sorted(counts.items(), key=lambda item: -item[1]["train"])
    ]


def annotators_agree(masks: Report) -> str:
    """Return how two groups of annotators agree, and how much of a mask the grid keeps."""
    agreed, grid = masks.get("between_annotators"), masks.get("grid")
    parts = []
    if agreed:
        parts.append(
            f"Two groups of annotators outlined lungs with heart on the same {agreed['films']} "
            f"images. They agree with a mean Dice of {agreed['dice_mean']}."
        )
    if grid:
        parts.append(
            f"The grid of {grid['cells_a_side']} cells a side keeps a mean Dice of "
            f"{grid['dice_mean']} of {grid['masks']} test masks."
        )
    return " ".join(parts) or NOTHING


def heart_in_masks(found: Report | None) -> str:
    """Return how many masks hold what their convention leaves out.

    Args:
        found: ``reports/external/shenzhen_masks.json``, or None.
    """
    if found is None:
        return ""
    return (
        f"Of {found['masks']} {found['what']}, {found['with_the_heart_inside']} leave less than "
        f"{found['gap_below']} of the thorax between the lungs ({found['origin']})."
    )


def annotated_images(report: Report, masks: str) -> str:
    """Return how many training images carry masks of a kind."""
    rows = [row for row in report.get("masks_used", ()) if row["masks"] == masks]
    return listed(str(row["train"]) for row in rows) or "-"


def _table(rows: Any) -> str:
    return markdown(rows) if rows else NOTHING
