"""The figures of a former release beside the new ones, and whether they differ beyond chance."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from hilum_training.export.figure_text import NOTHING, listed, number, overlap, short
from hilum_training.export.lead_tables import DEFAULT, former_flags
from hilum_training.export.same_images import same_images

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Report = Mapping[str, Any]
    Rows = list[dict[str, Any]]

WITHIN_CHANCE: Final = "within chance"
BETTER: Final = "better"
WORSE: Final = "worse"


def newest_before(version: str, previous: Iterable[Report]) -> Report | None:
    """Return what the last release before a version measured, or None.

    Args:
        version: Of the report that is compared.
        previous: See :mod:`hilum_training.evaluation.previous_release`.
    """
    older = [report for report in previous if _ordered(report["version"]) < _ordered(version)]
    return max(older, key=lambda report: _ordered(report["version"]), default=None)


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def before_and_after(previous: Report | None, report: Report) -> Rows:
    """Return each AUROC of a former release with the new one and what their intervals say.

    Args:
        previous: What the former release measured, or None.
        report: The network's new report.
    """
    if previous is None:
        return []
    rows = []
    for before, after in _pairs(previous, report):
        rows.append(
            {
                "panel": before["panel"],
                "figure": before.get("question") or before["label"],
                "source": before["source"],
                f"AUROC, {previous['version']}": short(before["auroc"], 3),
                f"AUROC, {report['version']}": short(after, 3),
                "verdict": verdict(before["auroc"], after),
            }
        )
    return rows


def flags_before_and_after(previous: Report | None, report: Report) -> Rows:
    """Return flags a normal image of both releases, by source."""
    if previous is None or "headline" not in report:
        return []
    former = former_flags(previous)
    part = report["headline"][DEFAULT]
    return [
        {
            "source": row["source"],
            f"flags a normal image, {previous['version']}": short(former[row["source"]]),
            f"flags a normal image, {report['version']}": short(row["flags_a_normal_film"]),
            "verdict": verdict(
                former[row["source"]], row["flags_a_normal_film"], less_is_better=True
            ),
        }
        for row in [*part["by_source"], part["overall"]]
        if row["source"] in former
    ]


def verdict(before: Report, after: Report | None, *, less_is_better: bool = False) -> str:
    """Return whether a figure changed beyond chance: its intervals lie apart.

    Args:
        before: Of the former release.
        after: Of the new one, or None.
        less_is_better: Of flags and errors.
    """
    if after is None or after["value"] is None or before["value"] is None:
        return "not measured"
    shared = overlap(before, after)
    if shared is None:
        return "no interval"
    if shared:
        return WITHIN_CHANCE
    return BETTER if (after["value"] > before["value"]) != less_is_better else WORSE


def before_and_after_sentence(previous: Report | None, report: Report) -> str:
    """Return how many AUROCs changed beyond chance, and which became worse."""
    rows = before_and_after(previous, report)
    if not rows or previous is None:
        return NOTHING
    counted = {
        said: [row for row in rows if row["verdict"] == said]
        for said in (WITHIN_CHANCE, BETTER, WORSE)
    }
    text = (
        f"Of {len(rows)} AUROCs within a source of {previous['version']}, "
        f"{len(counted[WITHIN_CHANCE])} are the same {WITHIN_CHANCE}, {len(counted[BETTER])} are "
        f"better and {len(counted[WORSE])} are worse."
    )
    if unmeasured := len(rows) - sum(map(len, counted.values())):
        text += f" {unmeasured} are not measured."
    if counted[WORSE]:
        text += f" Worse: {listed(_named(row) for row in counted[WORSE])}."
    return text


def regrouped_sentence(regrouped: Report | None, previous: Report | None, report: Report) -> str:
    """Return what a leak between two sources touched, and what the figures were with it.

    Args:
        regrouped: ``reports/external/regrouped_patients.json``, or None.
        previous: What the release with the leak measured, or None.
        report: The network's new report.
    """
    if regrouped is None or previous is None or regrouped["release"] != previous["version"]:
        return NOTHING
    sources = regrouped["sources"]
    text = (
        f"{regrouped['images']} images of {listed(sources)} are of {regrouped['what']}. Their "
        f"{regrouped['groups_before']} groups became {regrouped['groups_after']}. The split of "
        f"{previous['version']} could divide such a patient, so that every split was made again."
    )
    touched = [pair for pair in _pairs(previous, report) if pair[0].get("source") in sources]
    for before, after in touched:
        text += (
            f' AUROC of "{before["question"]}" within {before["source"]}: '
            f"{short(before['auroc'], 3)} before, {short(after, 3)} after "
            f"({verdict(before['auroc'], after)})."
        )
    if touched:
        text += " The network changed as well, so that the leak alone is not measured."
    if same := same_images(previous):
        text += f" Test images of {same} are the same as before."
    return text


def _pairs(previous: Report, report: Report) -> list[tuple[Report, Report | None]]:
    """Every AUROC of a former release, and the new figure of the same question or finding."""
    pairs = []
    for row in previous["within_source"]:
        asked = report["panels"].get(row["panel"], {}).get("within_source", ())
        pairs.append((row, _first(asked, row["question"])))
    for row in previous.get("findings", ()):
        labels = report["panels"].get(row["panel"], {}).get("labels", {})
        below = labels.get(row["label"], {}).get("test_by_source", ())
        pairs.append((row, _within(below, row["source"])))
    return pairs


def _within(below: Sequence[Report], source: str) -> Report | None:
    """The AUROC within a source: over all of them, other hospitals' images are compared as well."""
    return next((row.get("auroc") for row in below if row["source"] == source), None)


def _first(asked: Sequence[Report], question: str) -> Report | None:
    return next((row["auroc"] for row in asked if row["question"] == question), None)


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['panel']}, {row['figure']}"


def flags_sentence(previous: Report | None, report: Report) -> str:
    """Return how flags on normal images fell, source by source."""
    rows = flags_before_and_after(previous, report)
    if not rows or previous is None:
        return ""
    former = former_flags(previous)
    part = report["headline"][DEFAULT]
    changes = listed(
        f"{row['source']} {number(former[row['source']]['value'])} to "
        f"{number(row['flags_a_normal_film']['value'])}"
        for row in [*part["by_source"], part["overall"]]
        if row["source"] in former
    )
    return f"Flags a normal image, {previous['version']} to {report['version']}: {changes}."
