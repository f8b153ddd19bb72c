"""Sentences that hold figures: made from reports, never typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.export.figure_text import (
    FEWEST_TO_LEAD,
    NOTHING,
    is_few,
    listed,
    number,
    short,
)
from hilum_training.export.lead_tables import (
    DEFAULT,
    FLAGGED,
    OTHERS,
    VALIDATED,
    WITH_EXPERIMENTAL,
    predictive_table,
)
from hilum_training.export.same_images import same_images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Report = Mapping[str, Any]

_GERMS: Final = "bacterial or viral"
_OWN: Final = ("normal",)
_MOST_NAMED: Final = 4
"""Labels of a panel that a sentence names one by one; more are counted."""


def in_short(report: Report) -> str:
    """Return flags on normal images and ill images without a flag, over all and at the worst.

    Args:
        report: Of the network.
    """
    if "headline" not in report:
        return NOTHING
    part = report["headline"][DEFAULT]
    whole, rows = part["overall"], part["by_source"]
    text = (
        f"{whole['normal_films']} normal test images carry "
        f"{short(whole['flags_a_normal_film'])} flags an image"
    )
    text += _worst(rows, "normal_films", "flags_a_normal_film")
    text += (
        f". Of {whole['ill_films']} ill ones {short(whole['ill_films_without_a_flag'])} carry no "
        "flag"
    )
    text += _worst(rows, "ill_films", "ill_films_without_a_flag")
    opened = report["headline"][WITH_EXPERIMENTAL]["overall"]
    return (
        f"{text}. With experimental labels switched on these are "
        f"{short(opened['flags_a_normal_film'])} and {short(opened['ill_films_without_a_flag'])}."
    )


def _worst(rows: Sequence[Report], count: str, key: str) -> str:
    """The largest figure among sources with enough images."""
    enough = [row for row in rows if not is_few(row, count) and row[key]["value"] is not None]
    if not enough:
        return ""
    worst = max(enough, key=lambda row: float(row[key]["value"]))
    return f", at most {number(worst[key]['value'])} ({worst['source']})"


def few_images(report: Report) -> str:
    """Return which sources have too few normal images to lead the table."""
    if "headline" not in report:
        return ""
    few = sorted(
        row["source"]
        for row in report["headline"][DEFAULT]["by_source"]
        if is_few(row, "normal_films")
    )
    if not few:
        return ""
    return (
        f"Sources with fewer than {FEWEST_TO_LEAD} normal images follow the others: {listed(few)}."
    )


def both_named(report: Report) -> str:
    """Return on how many images one panel names a normal and an abnormal label."""
    if "headline" not in report:
        return NOTHING
    counts = [
        report["headline"][key]["overall"]["normal_and_abnormal_of_one_panel"]
        for key in (DEFAULT, WITH_EXPERIMENTAL)
    ]
    images = sum(
        report["headline"][DEFAULT]["overall"][f"{kind}_films"] for kind in ("normal", "ill")
    )
    return (
        f"A panel names a normal and an abnormal label together on {max(counts)} of {images} test "
        "images."
    )


def confounded(report: Report) -> str:
    """Return how much of each recorded label of disease is of one source."""
    counts: dict[str, dict[str, int]] = {}
    for row in report.get("films_used", ()):
        images = sum(row[split] for split in ("train", "validation", "test"))
        held = counts.setdefault(row["label"], {})
        held[row["source"]] = held.get(row["source"], 0) + images
    parts = []
    for label, sources in sorted(counts.items(), key=lambda item: -sum(item[1].values())):
        if label not in _OWN:
            most = max(sources, key=lambda source: sources[source])
            name = label.replace("_", " ")
            parts.append(f"{name} {sources[most]} of {sum(sources.values())} ({most})")
    return f"Most images of a label are of one source: {listed(parts)}." if parts else ""


def experimental(panels: Mapping[str, Report]) -> str:
    """Return how many labels of each panel are experimental, and which sources have them."""
    parts = []
    for name, section in panels.items():
        labels = section["labels"]
        rows = [row for row in labels.values() if row.get("rank") == "experimental"]
        if not rows:
            continue
        sources = sorted(
            {
                below["source"]
                for row in rows
                for below in row.get("by_source", ())
                if below["positive_films"]
            }
        )
        named = f"{len(rows)} of {len(labels)} labels of `{name}`"
        parts.append(f"{named} (images of {listed(sources)})" if sources else named)
    return f"Experimental are {listed(parts)}." if parts else ""


def points(panels: Mapping[str, Report]) -> str:
    """Return which labels have no operating point, and which have one of their own for children."""
    without = _counted(panels, lambda row: row["threshold"] is None)
    children = _counted(panels, lambda row: "child_threshold" in row)
    parts = []
    if without:
        parts.append(f"Without an operating point: {without}.")
    if children:
        parts.append(f"With one of their own for images of small children: {children}.")
    return " ".join(parts)


def _counted(panels: Mapping[str, Report], chosen: Callable[[Report], bool]) -> str:
    """Chosen labels by panel: named where they are few."""
    parts = []
    for name, section in panels.items():
        labels = section["labels"]
        names = [label.replace("_", " ") for label, row in labels.items() if chosen(row)]
        if len(names) > _MOST_NAMED:
            parts.append(f"{len(names)} of {len(labels)} labels of `{name}`")
        elif names:
            parts.append(f"{listed(names)} of `{name}`")
    return listed(parts)


def germ_rows(ridge: Report | None, report: Report) -> list[dict[str, Any]]:
    """Return bacterial against viral by the network and by a thumbnail, on both splits.

    Args:
        ridge: ``reports/baselines/thumbnail_ridge.json``, or None.
        report: The network's.
    """
    rows = []
    if network := _germs(report):
        rows.append(
            {
                "method": "the network",
                "split": "by patient",
                "training images": "-",
                "test images": f"{network['positive_films']} + {network['negative_films']}",
                "AUROC": short(network["auroc"], 3),
                "accuracy": short(network["accuracy"], 3),
            }
        )
    if ridge is None:
        return rows
    return rows + [
        {
            "method": ridge["method"],
            "split": row["split"],
            "training images": row["training_images"],
            "test images": f"{row['positive_films']} + {row['negative_films']}",
            "AUROC": short(row["auroc"], 3),
            "accuracy": short(row["accuracy"], 3),
        }
        for row in ridge["splits"]
    ]


def germ_sentence(ridge: Report | None, report: Report) -> str:
    """Return the same in words, and why the network is not quoted on the published split."""
    network = _germs(report)
    if network is None:
        return NOTHING
    text = (
        f"By patient the network's AUROC is {short(network['auroc'], 3)} and its accuracy "
        f"{short(network['accuracy'], 3)}"
    )
    if ridge is None:
        return f"{text}."
    by_split = {row["split"]: row for row in ridge["splits"]}
    told = [
        f"{short(by_split[split]['auroc'], 3)} and {short(by_split[split]['accuracy'], 3)} {split}"
        for split in ("by patient", "as published")
        if split in by_split
    ]
    text += f". A {ridge['method']} reaches {listed(told)}."
    if "as published" in by_split:
        row = by_split["as published"]
        text += (
            f" On the published split {row['test_patients_in_training']} of "
            f"{row['test_patients']} test patient groups have training images. The network was "
            "trained on another division, so that it has no fair figure there."
        )
    return text


def _germs(report: Report) -> Report | None:
    for row in report.get("panels", {}).get("pneumonia", {}).get("within_source", ()):
        if row["question"].startswith(_GERMS):
            found: Report = row
            return found
    return None


def unseen_hospital(found: Report | None, version: str) -> str:
    """Return what COVID-19 by name was worth at a hospital that training did not see.

    Args:
        found: ``reports/external/unseen_hospital.json``, or None.
        version: Of the network that the text speaks of.
    """
    if found is None:
        return NOTHING
    text = (
        f"At {found['what']} ({found['covid19_images']} COVID-19 images and "
        f"{found['other_images']} others; {found['origin']}), release {found['release']} named "
        f"{short(found['covid19_named'])} of the COVID-19 images so. The AUROC against that "
        f"hospital's negatives was {short(found['covid19_auroc'])}. "
        f'{short(found["others_called_infected"])} of its negatives were called infected. "Not '
        f'normal" had an AUROC of {short(found["not_normal_auroc"])} '
        f"({found['not_normal_note']}). An image without finding carried "
        f"{short(found['flags_a_normal_image'])} flags."
    )
    if found["release"] == version:
        return text
    return (
        f"{text} These figures are of release {found['release']}. Version {version} was not "
        "measured there."
    )


def read_before(previous: Report | None) -> str:
    """Return which test images had been looked at before, in an earlier release."""
    same = same_images(previous)
    if previous is None or not same:
        return ""
    return (
        f"Test images of {same} are those of {previous['version']}, whose report was read "
        "before this network was designed: figures on them are slightly optimistic."
    )


def severity_sentence(report: Report) -> str:
    """Return ill images without a flag by readers' opacity score, where enough were scored."""
    rows = report.get("headline", {}).get(DEFAULT, {}).get("by_severity", ())
    if not rows:
        return NOTHING
    if all(is_few(row, "ill_films") for row in rows):
        images = sum(row["ill_films"] for row in rows)
        return (
            f"Readers scored the opacity of {images} ill test images, too few for a figure by "
            "severity."
        )
    told = listed(
        f"{short(row['ill_films_without_a_flag'])} ({row['severity']}, {row['ill_films']} images)"
        for row in rows
        if not is_few(row, "ill_films")
    )
    return f"Ill images without a flag by readers' opacity score: {told}."


def flag_values(panels: Mapping[str, Report]) -> str:
    """Return what a flag of a validated label means at its stated prevalence, and where."""
    parts = [
        f"{row['label'].partition(': ')[2]} at a prevalence of "
        f"{number(100 * row['prevalence'], 1)} %, {row[FLAGGED]} of 100 flagged images have it, "
        f"and {row[OTHERS]} of 100 others ({row['source']}, {row['images']} images)"
        for row in predictive_table(panels)
    ]
    if not parts:
        return NOTHING
    return f"What a flag means, at the source where it means least: {'; '.join(parts)}."


def scope_sentence(report: Report) -> str:
    """Return how many images the pixels place outside, by source and by age."""
    population = report.get("population")
    if not population:
        return NOTHING
    beyond = _range(population["by_source"], "beyond_distance")
    text = f"Unlike the training images are {beyond} of a source's images"
    if left_out := population.get("source_left_out"):
        text += f", and {_range(left_out, 'beyond_distance')} where the bound was fitted without it"
    ages = listed(
        f"{short(row['taken_for_a_child'])} ({row['ages']}, {row['images']} images)"
        for row in population.get("by_age", ())
    )
    return f"{text}. Taken for a child's are {ages}." if ages else f"{text}."


def _range(rows: Sequence[Report], key: str) -> str:
    """The smallest and the largest figure with their sources."""
    known = [row for row in rows if row[key]["value"] is not None]
    if not known:
        return "-"
    ends = [choose(known, key=lambda row: float(row[key]["value"])) for choose in (min, max)]
    low, high = (f"{number(row[key]['value'])} ({row['source']})" for row in ends)
    return low if low == high else f"{low} to {high}"


def never_shown_sentence(panels: Mapping[str, Report]) -> str:
    """Return who was shown with no image of a finding, each group once with its panels."""
    groups: dict[str, list[str]] = {}
    for name, section in panels.items():
        for text in section.get("scope", {}).get("never_shown", ()):
            groups.setdefault(text, []).append(f"`{name}`")
    return "; ".join(f"{text} ({listed(names)})" for text, names in groups.items()) or NOTHING


def validated(panels: Mapping[str, Report]) -> str:
    """Return the validated labels of disease."""
    names = [
        f"{label} (`{name}`)".replace("_", " ")
        for name, section in panels.items()
        for label, row in section["labels"].items()
        if row.get("rank") == VALIDATED and "predictive_values" in row
    ]
    return listed(names) if names else NOTHING


def citations(sources: Mapping[str, Any]) -> str:
    """Return where the image collections were published, each once.

    Args:
        sources: ``reports/external/sources.json``.
    """
    named = [item["citation"] for item in sources.values() if not isinstance(item, str)]
    return "; ".join(dict.fromkeys(named)) or "not stated"


def references(sources: Mapping[str, Any]) -> str:
    """Return where the reference labels of each source come from.

    Args:
        sources: ``reports/external/sources.json``.
    """
    groups: dict[str, list[str]] = {}
    for source, item in sources.items():
        if not isinstance(item, str):
            groups.setdefault(item["reference"], []).append(source)
    return "; ".join(f"{text} ({listed(names)})" for text, names in groups.items()) or "not stated"
