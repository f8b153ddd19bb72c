"""The tables that every summary and card leads with, from a network's report.

Every function tolerates a report from before its figures were measured, and then returns no rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.export.figure_text import FEWEST_TO_LEAD, few_last, is_few, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Report = Mapping[str, Any]
    Rows = list[dict[str, Any]]

DEFAULT: Final = "default"
WITH_EXPERIMENTAL: Final = "with_experimental"
VALIDATED: Final = "validated"
FLAGGED: Final = "of 100 flagged images, with it"
OTHERS: Final = "of 100 others, with it"
_CLEAR: Final = "ill_films_without_a_flag"
_LABEL_ORDER: Final = (VALIDATED, "experimental", "not_shown")
_MULTI: Final = "multi_label"


def headline_table(report: Report, previous: Report | None = None) -> Rows:
    """Return flags on normal images and ill images without a flag, by source.

    Args:
        report: Of the network.
        previous: What a former release measured, see
            :mod:`hilum_training.evaluation.previous_release`; adds a column of its flags.
    """
    if "headline" not in report:
        return []
    headline = report["headline"]
    switched = {row["source"]: row for row in headline[WITH_EXPERIMENTAL]["by_source"]}
    switched["all"] = headline[WITH_EXPERIMENTAL]["overall"]
    former = former_flags(previous)
    ordered = sorted(headline[DEFAULT]["by_source"], key=lambda row: -int(row["normal_films"]))
    rows = []
    for row in [*few_last(ordered, "normal_films"), headline[DEFAULT]["overall"]]:
        name = row["source"]
        line = {
            "source": "all sources" if name == "all" else name,
            "normal images": row["normal_films"],
            "flags a normal image": short(row["flags_a_normal_film"]),
            "the same, experimental labels on": short(switched[name]["flags_a_normal_film"]),
            "ill images": row["ill_films"],
            "of these without a flag": short(row["ill_films_without_a_flag"]),
        }
        if former and previous is not None:
            line[f"flags a normal image, {previous['version']}"] = short(former.get(name))
        rows.append(line)
    return rows


def former_flags(previous: Report | None) -> dict[str, Mapping[str, Any]]:
    """Return a former release's flags a normal image, a figure by source."""
    if previous is None:
        return {}
    rows = previous.get("flags_measured_again", ())
    if "headline" in previous:
        part = previous["headline"][DEFAULT]
        rows = [*part["by_source"], part["overall"]]
    return {row["source"]: row["flags_a_normal_film"] for row in rows}


def within_table(panels: Mapping[str, Report], *, few: bool) -> Rows:
    """Return AUROC, sensitivity and specificity of each question within one source.

    Args:
        panels: Sections of a report by panel.
        few: Rows of fewer than :data:`FEWEST_TO_LEAD` images of a kind are among them, after the
            others.
    """
    found = [
        {"panel": name, **row}
        for name, section in panels.items()
        for row in section.get("within_source", ())
    ]
    sides = ("positive_films", "negative_films")
    return [
        {
            "panel": row["panel"],
            "question": row["question"],
            "source": row["source"],
            "images": f"{row['positive_films']} + {row['negative_films']}",
            "AUROC": short(row["auroc"], 3),
            "sensitivity": short(row.get("named_sensitivity", row["shipped_sensitivity"])),
            "specificity": short(row.get("named_specificity", row["shipped_specificity"])),
        }
        for row in few_last(found, *sides)
        if few or not is_few(row, *sides)
    ]


def point_table(panels: Mapping[str, Report]) -> Rows:
    """Return sensitivity and specificity of validated labels, a row for each source.

    A share of fewer than :data:`FEWEST_TO_LEAD` images is left out.
    """
    columns = dict(_judged(panels))
    sources = sorted({row["source"] for label in columns.values() for row in label})
    rows = []
    for source in sources:
        line: dict[str, Any] = {"source": source}
        for name, label in columns.items():
            found = next((row for row in label if row["source"] == source), None)
            for share, kind in (("sensitivity", "positive"), ("specificity", "negative")):
                enough = found is not None and found[f"{kind}_films"] >= FEWEST_TO_LEAD
                line[f"{name}: {share}"] = short(found[share]) if found and enough else "-"
        if any(value != "-" for key, value in line.items() if key != "source"):
            rows.append(line)
    return rows


def _judged(panels: Mapping[str, Report]) -> Iterable[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Rows by source of each validated label of disease that has an operating point."""
    for section in panels.values():
        for label, row in section["labels"].items():
            disease = "predictive_values" in row
            if row.get("rank") == VALIDATED and disease and row["threshold"] is not None:
                yield label.replace("_", " "), row["test_by_source"]


def flagged(labels: Mapping[str, Report]) -> Iterator[tuple[str, Report]]:
    """Yield what judges each label: its name in words, its threshold and what a flag means.

    Where small children have a threshold of their own, there is a row for them and one for others.
    """
    for label, row in labels.items():
        name, own = label.replace("_", " "), row.get("children")
        if "predictive_values" in row and "worst_source" in row:
            yield f"{name} (others than small children)" if own else name, row
        if own and "predictive_values" in own:
            yield f"{name} (small children)", {**own, "threshold": row["child_threshold"]}


def predictive_table(panels: Mapping[str, Report], rank: str = VALIDATED) -> Rows:
    """Return what a flag means at a stated prevalence, for labels of a rank.

    The figures are of the source where it means least. Rows of few images follow the others.
    """
    found = [
        (f"{name}: {label}", row, row["worst_source"])
        for name, section in panels.items()
        for label, row in flagged(
            {key: row for key, row in section["labels"].items() if row.get("rank") == rank}
        )
    ]
    return [
        {
            "label": label,
            "threshold": row["threshold"],
            "source": worst["source"],
            "images": f"{worst['positive_films']} + {worst['negative_films']}",
            "sensitivity": short(worst["sensitivity"]),
            "specificity": short(worst["specificity"]),
            "prevalence": row["predictive_values"]["prevalence"],
            FLAGGED: _of_hundred(row["predictive_values"]["ppv"]),
            OTHERS: _of_hundred(row["predictive_values"]["npv"], less=True),
        }
        for label, row, worst in sorted(
            found, key=lambda item: is_few(item[2], "positive_films", "negative_films")
        )
    ]


def _of_hundred(figure: Mapping[str, Any], *, less: bool = False) -> str:
    """A share as a count of 100; with ``less`` what is left of it."""
    if figure["value"] is None:
        return "-"
    value, ends = figure["value"], figure["interval"]
    if less:
        value, ends = 1 - value, ends and [1 - end for end in reversed(ends)]
    hundred = {"value": 100 * value, "interval": ends and [100 * end for end in ends]}
    return short(hundred, 1)


def calibration_table(panels: Mapping[str, Report]) -> Rows:
    """Return the expected calibration error of each panel within each source.

    Sources with fewer than :data:`FEWEST_TO_LEAD` images are left out.
    """
    rows = []
    for name, section in panels.items():
        error = section["calibration_error"]
        if "within_source" in error:
            line = {"panel": name, "all sources": short(error["after"], 3)}
            for row in error["within_source"]:
                if row["films"] >= FEWEST_TO_LEAD:
                    line[row["source"]] = short(row["error"], 3)
            rows.append(line)
    return rows


def scope_table(report: Report) -> Rows:
    """Return what the pixels say of the population, by source of the test images."""
    population = report.get("population") or {}
    left_out = {row["source"]: row for row in population.get("source_left_out", ())}
    rows = few_last(population.get("by_source", ()), "images")
    return [
        {
            "source": row["source"],
            "images": row["images"],
            "unlike the training images": short(row["beyond_distance"]),
            "the same without this source": short(
                left_out.get(row["source"], {}).get("beyond_distance")
            ),
            "taken for a child's": short(row["taken_for_a_child"]),
        }
        for row in rows
    ]


def age_table(report: Report) -> Rows:
    """Return how many images of each age are taken for a child's."""
    return [
        {
            "ages": row["ages"],
            "images": row["images"],
            "taken for a child's": short(row["taken_for_a_child"]),
        }
        for row in (report.get("population") or {}).get("by_age", ())
    ]


def severity_table(report: Report) -> Rows:
    """Return ill images without a flag by readers' opacity score, labels switched on and off.

    A share of fewer than :data:`FEWEST_TO_LEAD` images is left out.
    """
    if "by_severity" not in report.get("headline", {}).get(DEFAULT, {}):
        return []
    pairs = zip(
        *(report["headline"][key]["by_severity"] for key in (DEFAULT, WITH_EXPERIMENTAL)),
        strict=True,
    )
    return [
        {
            "severity": row["severity"],
            "ill images": row["ill_films"],
            **{
                column: "-" if is_few(part, "ill_films") else short(part[_CLEAR])
                for column, part in (
                    ("without a flag", row),
                    ("the same, experimental labels on", other),
                )
            },
        }
        for row, other in pairs
    ]


def rank_table(panels: Mapping[str, Report]) -> Rows:
    """Return each panel's labels by rank, and which of them have no operating point."""
    rows = []
    for name, section in panels.items():
        labels = section["labels"]
        if any("rank" not in row for row in labels.values()):
            continue
        line = {"panel": name}
        for rank in _LABEL_ORDER:
            line[rank.replace("_", " ")] = _names(
                label for label, row in labels.items() if row["rank"] == rank
            )
        line["without an operating point"] = _names(
            label for label, row in labels.items() if row["threshold"] is None
        )
        rows.append(line)
    return rows


def _names(labels: Iterable[str]) -> str:
    return ", ".join(label.replace("_", " ") for label in labels) or "-"


def data_table(report: Report, settings: Mapping[str, Mapping[str, str]]) -> Rows:
    """Return the images of each source: who, and how many in each split.

    Args:
        report: Of the network.
        settings: Published facts on each source, with the key ``setting``.
    """
    counts: dict[str, dict[str, int]] = {}
    for row in report.get("films_used", ()):
        line = counts.setdefault(row["source"], {"normal": 0, "ill": 0})
        kind = "normal" if row["label"] == "normal" else "ill"
        for split in ("train", "validation", "test"):
            line[split] = line.get(split, 0) + row[split]
            line[kind] += row[split]
    return [
        {
            "source": source,
            "who": settings.get(source, {}).get("setting", "-"),
            "normal": line["normal"],
            "ill": line["ill"],
            "training": line["train"],
            "validation": line["validation"],
            "test": line["test"],
        }
        for source, line in sorted(counts.items(), key=lambda item: -item[1]["train"])
    ]
