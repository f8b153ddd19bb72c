"""``README.md`` of the baselines, made from ``metrics.json`` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.baselines.figures import draw_questions, draw_sensitivity
from hilum_training.baselines.verdict import ensemble_pays, named
from hilum_training.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_INTRODUCTION: Final = """# The originals' methods, on Hilum's films

Hilum replaces five small apps. Here each app's method is rebuilt on the same films and the same
split (patients unseen), and Hilum's network answers the same questions beside it. The figures
that count are within one source; pooled figures let the hospital answer and stand beside them.
Intervals are 95 %, over patients; differences are paired, on the same films. Hilum's answers are
calibrated on validation films, as served and as [its own reports](../README.md) measure them; the
methods' are as their networks and heads give them. A mean AUROC is over the labels that at least
five films have and five have not.

What is not the original: no package index carries ImageNet weights of MobileNet or InceptionV3, so
a method that fine-tunes starts from random weights, and a method that keeps its trunk frozen stands
on EfficientNet-Lite0 with ImageNet weights. A recipe that names a local weights file uses it. The
films are smaller (the size is given below) and the epochs few: with more of both a baseline would
do better than here, and a difference below is no verdict on the method at its best. The apps' own
figures were measured on other films, split by film, and are quoted, not compared.

`make baselines` writes this page and `metrics.json`.
"""

_CHOSEN: Final = """Mean AUROC within sources, of test films, by training films and by strength.
The strength in bold was chosen on validation films: another may be higher here."""

_RULE: Final = """An ensemble stays when some figure's interval lies above zero, none lies below,
and the price at most doubles. Prices are processor time in TensorFlow, eight films at a time: good
for their ratio, not for what the served graph costs.

**These verdicts rest on weak partners.** The rebuilt networks start from random weights and are
trained for a few epochs on small films, so that they stay below what the apps said of themselves
where they said something, some of them far: that a mean with one of them does not pay says nothing
of a good partner. The fair one, a network of Hilum's own kind trained as long, is in
[the details of all reports](../details.md#would-another-network-be-better-or-two)."""


def write_report(metrics: dict[str, Any], names: Iterable[str], folder: Path) -> None:
    """Write the figures and ``README.md``.

    Args:
        metrics: By baseline, as ``metrics.json`` holds them.
        names: Every baseline that has a recipe; the page says which were not run.
        folder: Where to.
    """
    parts = [_INTRODUCTION]
    absent = sorted(set(names) - set(metrics))
    if absent:
        parts.append(f"Not run yet, so without figures: {', '.join(absent)}.\n")
    parts += [_section(name, row, folder) for name, row in sorted(metrics.items())]
    verdict = _ensembles(metrics)
    if verdict:
        parts.append(verdict)
    (folder / "README.md").write_text("\n".join(parts), encoding="utf-8")


def _section(name: str, row: dict[str, Any], folder: Path) -> str:
    lines = [f"## {name}", "", f"Rebuilt: {row['original']}. Films of {row['size']} pixels a side."]
    lines += ["", *_networks(row)] if row.get("networks") else []
    methods = {**row["figures"]}
    if "hilum" in row:
        methods[f"**Hilum** ({row['beside']})"] = row["hilum"]
    lines += ["", *_questions(methods), "", *_pooled(methods)]
    lines += ["", *_differences(row["hilum_less_baseline"])] if "hilum_less_baseline" in row else []
    if row.get("classical"):
        lines += ["", *_classical(row["classical"])]
        drawn = draw_sensitivity(name, row["classical"], folder)
        lines += ["", f"![Sensitivity to training films]({drawn})"]
    if row.get("groups"):
        lines += ["", *_groups(row["groups"])]
    picture = draw_questions(name, row, folder)
    if picture:
        lines += ["", f"![AUROC within each source]({picture})"]
    return "\n".join([*lines, ""])


def _networks(row: dict[str, Any]) -> list[str]:
    return _table(
        ("network", "initial weights", "training films", "epochs", "parameters", "CPU a film"),
        (
            (
                item["architecture"],
                item["initial"],
                item["train_films"],
                item.get("epochs", "one fit"),
                f"{item['parameters']:,}",
                f"{item['cpu_ms']} ms",
            )
            for item in row["networks"]
        ),
    )


def _questions(methods: dict[str, Any]) -> list[str]:
    asked = list(
        dict.fromkeys(
            item["question"] for said in methods.values() for item in said["within_source"]
        )
    )
    if not asked:
        return ["No question within one source: every film is of one source."]
    rows = []
    for question in asked:
        found = [
            next((item for item in said["within_source"] if item["question"] == question), None)
            for said in methods.values()
        ]
        films = next(
            f"{item['positive_films']} / {item['negative_films']}" for item in found if item
        )
        rows.append((question, films, *(interval(item) for item in found)))
    return _table(("within one source, AUROC", "films + / -", *methods), rows)


def _pooled(methods: dict[str, Any]) -> list[str]:
    rows = []
    if any("accuracy" in said["pooled"] for said in methods.values()):
        rows.append(
            ("accuracy", *(interval(said["pooled"].get("accuracy")) for said in methods.values()))
        )
    rows.append(
        ("mean AUROC", *(number(said["pooled"]["mean_auroc"]) for said in methods.values()))
    )
    labels = list(next(iter(methods.values()))["pooled"]["labels"])
    rows += [
        (
            f"AUROC, {label}",
            *(interval(said["pooled"]["labels"].get(label)) for said in methods.values()),
        )
        for label in labels
    ]
    return _table(("all sources pooled", *methods), rows)


def _differences(row: dict[str, Any]) -> list[str]:
    rows = [(name, interval(item, signed=True)) for name, item in named(row)]
    if not rows:
        return []
    return _table((f"Hilum less {row['baseline']}", "difference"), rows)


def _classical(tables: dict[str, Any]) -> list[str]:
    lines = []
    for table in tables.values():
        classifiers = table["classifiers"]
        first = next(iter(classifiers.values()))
        asked = [item["question"] for item in first["within_source"]]
        counts = [item["films"] for item in first["by_films"]]
        lines += ["", f"### On {table['display']}", ""]
        lines += _table(
            ("classifier", *(f"{text}, AUROC" for text in asked), "accuracy, pooled"),
            (
                (
                    item["display"],
                    *(interval(question) for question in item["within_source"]),
                    interval(item["pooled"]["accuracy"]),
                )
                for item in classifiers.values()
            ),
        )
        lines += ["", _CHOSEN, ""]
        lines += _table(
            ("classifier", *(f"{count} films" for count in counts), "by strength (chosen in bold)"),
            (
                (
                    item["display"],
                    *(number(step["mean_within_source_auroc"]) for step in item["by_films"]),
                    _strengths(item),
                )
                for item in classifiers.values()
            ),
        )
    return lines


def _strengths(item: dict[str, Any]) -> str:
    chosen = item["strength"]["chosen"]
    steps = []
    for step in item["by_strength"]:
        text = f"{step['value']:g}: {number(step['mean_within_source_auroc'])}"
        steps.append(f"**{text}**" if step["value"] == chosen else text)
    return f"{item['strength']['parameter']} {', '.join(steps)}"


def _groups(groups: dict[str, Any]) -> list[str]:
    lines = [f"Models by sex and by view, linear heads on {groups['features']}; mean AUROC:", ""]
    return lines + _table(
        (
            "test films of",
            "training films, own",
            "findings counted",
            "own model",
            "one model",
            "one model, as few films",
            "own less one",
        ),
        (
            (
                row["group"],
                row["train_films"],
                len(row["findings"]),
                number(row["own_model"]),
                number(row["one_model"]),
                number(row["one_model_as_few_films"]),
                interval(row["own_less_one"], signed=True),
            )
            for row in groups["rows"]
        ),
    )


def _ensembles(metrics: dict[str, Any]) -> str:
    """The verdict on ensembles of the shipped network and a baseline."""
    found = {name: row for name, row in metrics.items() if "ensemble_gain" in row}
    if not found:
        return ""
    rows = []
    for name, row in found.items():
        gain = row["ensemble_gain"]
        moved = "; ".join(f"{text}: {interval(item, signed=True)}" for text, item in named(gain))
        single = row["hilum"]["cpu_ms"]
        other = sum(network["cpu_ms"] for network in row["networks"])
        rows.append(
            (
                name,
                moved,
                f"{single:.1f} to {single + other:.1f} ms",
                "yes" if ensemble_pays(gain, single, other) else "no",
            )
        )
    table = _table(("Hilum and", "mean of the two less Hilum alone", "CPU a film", "pays"), rows)
    return "\n".join(["## Does an ensemble pay?", "", _RULE, "", *table, ""])


def interval(item: dict[str, Any] | None, *, signed: bool = False) -> str:
    """``0.912 (0.880 to 0.940)``, or a dash where there is nothing."""
    if item is None or item["value"] is None:
        return "-"
    sign = "+" if signed else ""
    if item["interval"] is None:
        return f"{item['value']:{sign}.3f}"
    low, high = item["interval"]
    return f"{item['value']:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def number(value: float | None) -> str:
    """Three decimals, or a dash."""
    return "-" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    return markdown([dict(zip(head, row, strict=True)) for row in rows]).splitlines()
