"""Sentences of the summary that hold figures: made from the reports, never typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.shift_tables import MASK_SHARE, SHIFT, training_films
from hilum_training.export.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Reports = Mapping[str, Mapping[str, Any]]
    Figure = Mapping[str, Any]

NOTHING: Final = "*Not measured yet.*"
_FEWER_IN_SHENZHEN: Final = tuple(
    f"{SHIFT}tb-learnt-in-shenzhen{share}" for share in ("-25-percent", "-50-percent", "")
)
_BESIDE_SHENZHEN: Final = f"{SHIFT}tb-without-montgomery"
_AIMED_MASKS: Final = (
    ("montgomery", "lung_fields"),
    ("shenzhen", "lung_fields"),
    ("kermany", "lungs_with_heart"),
    ("cohen", "lungs_with_heart"),
)
_SINGLE: Final = ("pneumonia", "infection", "tuberculosis")


def confused_germs(reports: Reports) -> str:
    """How many of the pneumonia panel's wrong answers take the one germ for the other."""
    matrix = reports.get("pneumonia", {}).get("confusion")
    if matrix is None:
        return NOTHING
    wrong = sum(
        count for row, told in matrix.items() for column, count in told.items() if row != column
    )
    one, other = "pneumonia_bacterial", "pneumonia_viral"
    germs = matrix[one][other] + matrix[other][one]
    return f"{germs} of the {wrong} wrong answers take bacterial for viral or viral for bacterial."


def more_of_shenzhen(reports: Reports) -> str:
    """AUROC in Montgomery by the number of Shenzhen's films that taught, and what it shows."""
    runs = [reports[name] for name in _FEWER_IN_SHENZHEN if name in reports]
    found = [figure for run in runs if (figure := _asked(run, "montgomery"))]
    if len(found) < len(_FEWER_IN_SHENZHEN):
        return NOTHING
    films = _listed(str(training_films(run)) for run in runs)
    figures = _listed(markdown(figure) for figure in found)
    rise = found[-1]["value"] - found[-2]["value"]
    verdict = (
        "the intervals lie on one another, so that chance may have made the difference"
        if _overlap(found)
        else "the intervals of the fewest and of all lie apart"
    )
    return (
        f"Learnt in Shenzhen from {films} films in as many steps, the AUROC in Montgomery was "
        f"{figures}: from half of the films to all of them {rise:+.3f}, and {verdict}."
    )


def other_adults(reports: Reports) -> str:
    """What the run with other adults beside Shenzhen reached, and what else sets it apart."""
    alone, beside = reports.get(_FEWER_IN_SHENZHEN[-1]), reports.get(_BESIDE_SHENZHEN)
    if alone is None or beside is None:
        return NOTHING
    figures = [_asked(run, "montgomery") for run in (beside, alone)]
    told = [markdown(figure) if figure else NOTHING for figure in figures]
    return (
        "With other adults without tuberculosis beside Shenzhen's films the AUROC in Montgomery "
        f"was {told[0]}, against {told[1]} without them. That run differs in more than the adults: "
        f"{beside['pixels']} pixels a side for {alone['pixels']}, {training_films(beside)} "
        f"training films for {training_films(alone)}, {beside['epochs']} epochs for "
        f"{alone['epochs']}, and films of a third answer, other abnormality. Which of these took "
        "it is not known."
    )


def calibration_of_tuberculosis(reports: Reports) -> str:
    """The panel's error before and after, and how few films its calibration is fitted to."""
    section = reports.get("tuberculosis")
    if section is None:
        return NOTHING
    error, films = section["calibration_error"], section["films"]["validation"]
    label = section["labels"]["tuberculosis"]
    others = _listed(
        f"{name} has {reports[name]['films']['validation']}"
        for name in _SINGLE
        if name in reports and name != "tuberculosis"
    )
    return (
        f"Calibration changes the error from {markdown(error['before'])} to "
        f"{markdown(error['after'])}. It is fitted to {films} validation films, "
        f"{label['validation']['films']} of them of tuberculosis"
        + (f" ({others})" if others else "")
        + f", and measured on {section['films']['test']} test films with {label['test_films']}."
    )


def bounds_of_lungs(reports: Reports) -> str:
    """What films, the grid and the annotators leave open for the Dice that the aims ask for."""
    shares = [report for name, report in reports.items() if name.startswith(MASK_SHARE)]
    lungs = reports.get("lungs")
    if not shares or lungs is None or not lungs.get("grid") or not lungs.get("between_annotators"):
        return NOTHING
    few = min(shares, key=lambda report: int(report["training_films"]))
    rises = _listed(
        f"{after['value'] - before['value']:+.4f} ({source})"
        for source, structure in _AIMED_MASKS
        if (before := _dice(few, source, structure)) and (after := _dice(lungs, source, structure))
    )
    grid, agreed = lungs["grid"], lungs["between_annotators"]
    return (
        f"From {few['training_films']} training films to all, the Dice that the aims ask for "
        f"changes by {rises}. The grid of the masks keeps {markdown(grid['dice_mean'])} of a mask. "
        f"Where two groups of annotators outlined the same {agreed['films']} films, they agree "
        f"with a Dice of {markdown(agreed['dice_mean'])}; no other films were outlined twice."
    )


def where_maps_point(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows of the table of maps whose whole interval lies on one side of chance.

    Args:
        rows: Of :func:`hilum_training.evaluation.localisation.summarise_localisation`, with panel
            and source.
    """
    if not rows:
        return NOTHING
    sides: dict[str, list[str]] = {"below": [], "above": []}
    for row in rows:
        found, chance = row["pointing_game"], row["pointing_game_by_chance"]
        if found["interval"] is None or chance is None:
            continue
        low, high = found["interval"]
        if high < chance or low > chance:
            sides["below" if high < chance else "above"].append(
                f"{row['panel']}, {row['source']}, {row['searched']}, {row['films_from']}: "
                f"{markdown(found)} against {markdown(chance)}"
            )
    return "\n\n".join(
        f"The whole interval of the pointing game lies **{side} chance** in "
        + (f"{len(told)} of {len(rows)} rows:\n\n" if told else f"none of {len(rows)} rows.")
        + "\n".join(f"- {text}" for text in told)
        for side, told in sides.items()
    )


def _asked(run: Mapping[str, Any], source: str) -> Figure | None:
    """AUROC of a run's first question in a source."""
    return next((row["auroc"] for row in run["within_source"] if row["source"] == source), None)


def _dice(report: Mapping[str, Any], source: str, structure: str) -> Figure | None:
    """Dice of a structure in a source; of the annotators who drew most of it."""
    rows = [
        row
        for row in report["structures"]
        if (row["source"], row["structure"]) == (source, structure)
    ]
    most = max(rows, key=lambda row: int(row["films"]), default=None)
    return None if most is None else most["dice"]


def _overlap(found: Sequence[Figure]) -> bool:
    """Whether the first interval and the last have a value in common."""
    first, last = (found[place]["interval"] for place in (0, -1))
    return bool(max(first[0], last[0]) <= min(first[1], last[1]))


def _listed(parts: Iterable[str]) -> str:
    """``a, b and c``."""
    *rest, last = [*parts] or [""]
    return f"{', '.join(rest)} and {last}" if rest else last
