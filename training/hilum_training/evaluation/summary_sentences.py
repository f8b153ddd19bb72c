"""Sentences of the details page that hold figures: made from the reports, never typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.shift_tables import MASK_SHARE, SHIFT, training_films
from hilum_training.export.figure_text import NOTHING, listed, overlap, short
from hilum_training.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Reports = Mapping[str, Mapping[str, Any]]
    Figure = Mapping[str, Any]

_FEWER_IN_SHENZHEN: Final = tuple(
    f"{SHIFT}tb-learnt-in-shenzhen{share}" for share in ("-25-percent", "-50-percent", "")
)
_BESIDE_SHENZHEN: Final = f"{SHIFT}tb-without-montgomery"
_MASKS_OF_CRITERIA: Final = (
    ("shenzhen", "lung_fields"),
    ("kermany", "lungs_with_heart"),
    ("montgomery", "lung_fields"),
    ("cohen", "lungs_with_heart"),
)
_SINGLE: Final = ("pneumonia", "infection", "tuberculosis")
_WITH_MAPS: Final = (*_SINGLE, "pathology")


def confused_germs(reports: Reports) -> str:
    """Return how many wrong predictions of the pneumonia panel confuse the two germs."""
    matrix = reports.get("pneumonia", {}).get("confusion")
    if matrix is None:
        return NOTHING
    wrong = sum(
        count for row, told in matrix.items() for column, count in told.items() if row != column
    )
    one, other = "pneumonia_bacterial", "pneumonia_viral"
    germs = matrix[one][other] + matrix[other][one]
    return f"{germs} of the {wrong} wrong predictions confuse bacterial and viral."


def more_of_shenzhen(reports: Reports) -> str:
    """Return the AUROC in Montgomery by the number of training images of Shenzhen."""
    runs = [reports[name] for name in _FEWER_IN_SHENZHEN if name in reports]
    found = [figure for run in runs if (figure := _asked(run, "montgomery"))]
    if len(found) < len(_FEWER_IN_SHENZHEN):
        return NOTHING
    films = listed(str(training_films(run)) for run in runs)
    figures = listed(markdown(figure) for figure in found)
    rise = found[-1]["value"] - found[-2]["value"]
    verdict = (
        "the intervals overlap, so that the difference is within chance"
        if overlap(found[0], found[-1])
        else "the intervals of the fewest and of all lie apart"
    )
    return (
        f"Trained on {films} images of Shenzhen in as many steps, the AUROC in Montgomery was "
        f"{figures}: from half of the images to all of them {rise:+.3f}, and {verdict}."
    )


def other_adults(reports: Reports) -> str:
    """Return what the run with other adults and Shenzhen reached, and what else differs."""
    alone, beside = reports.get(_FEWER_IN_SHENZHEN[-1]), reports.get(_BESIDE_SHENZHEN)
    if alone is None or beside is None:
        return NOTHING
    figures = [_asked(run, "montgomery") for run in (beside, alone)]
    told = [markdown(figure) if figure else NOTHING for figure in figures]
    return (
        "With images of other adults without tuberculosis as well, the AUROC in Montgomery was "
        f"{told[0]}, compared with {told[1]} without them. That run differs in more than the "
        f"adults: {beside['pixels']} pixels a side instead of {alone['pixels']}, "
        f"{training_films(beside)} training images instead of {training_films(alone)}, "
        f"{beside['epochs']} epochs instead of {alone['epochs']}, and a third label, other "
        "abnormality. Which of these made the difference is not known."
    )


def calibration_of_tuberculosis(reports: Reports) -> str:
    """Return the panel's error before and after, and on how few images calibration rests."""
    section = reports.get("tuberculosis")
    if section is None:
        return NOTHING
    error, films = section["calibration_error"], section["films"]["validation"]
    label = section["labels"]["tuberculosis"]
    others = listed(
        f"{name} has {reports[name]['films']['validation']}"
        for name in _SINGLE
        if name in reports and name != "tuberculosis"
    )
    return (
        "Over all sources, calibration changes the error of the tuberculosis panel from "
        f"{markdown(error['before'])} to {markdown(error['after'])}. It is fitted on {films} "
        f"validation images, {label['validation']['films']} of them of tuberculosis"
        + (f" ({others})" if others else "")
        + f", and measured on {section['films']['test']} test images with {label['test_films']}."
    )


def bounds_of_lungs(reports: Reports) -> str:
    """Return how training images, the grid and the annotators bound the Dice of the criteria."""
    shares = [report for name, report in reports.items() if name.startswith(MASK_SHARE)]
    lungs = reports.get("lungs")
    if not shares or lungs is None or not lungs.get("grid") or not lungs.get("between_annotators"):
        return NOTHING
    few = min(shares, key=lambda report: int(report["training_films"]))
    rises = listed(
        f"{after['value'] - before['value']:+.4f} ({source})"
        for source, structure in _MASKS_OF_CRITERIA
        if (before := _dice(few, source, structure)) and (after := _dice(lungs, source, structure))
    )
    grid, agreed = lungs["grid"], lungs["between_annotators"]
    return (
        f"From {few['training_films']} training images to all, the Dice of the criteria changes "
        f"by {rises}. The grid of the masks keeps {markdown(grid['dice_mean'])} of a mask. "
        f"Where two groups of annotators outlined the same {agreed['films']} images, they agree "
        f"with a Dice of {markdown(agreed['dice_mean'])}. No other images were outlined twice."
    )


def where_maps_point(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows of the table of maps whose whole interval lies on one side of chance.

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
                f"{markdown(found)}, by chance {markdown(chance)}"
            )
    return "\n\n".join(
        f"The whole interval of the pointing game lies **{side} chance** in "
        + (f"{len(told)} of {len(rows)} rows:\n\n" if told else f"none of {len(rows)} rows.")
        + "\n".join(f"- {text}" for text in told)
        for side, told in sides.items()
    )


def _asked(run: Mapping[str, Any], source: str) -> Figure | None:
    """Return the AUROC of a run's first question within a source."""
    return next((row["auroc"] for row in run["within_source"] if row["source"] == source), None)


def _dice(report: Mapping[str, Any], source: str, structure: str) -> Figure | None:
    """Return the Dice of a structure in a source, of the annotators who drew most of it."""
    rows = [
        row
        for row in report["structures"]
        if (row["source"], row["structure"]) == (source, structure)
    ]
    most = max(rows, key=lambda row: int(row["films"]), default=None)
    return None if most is None else most["dice"]


def lungs_sentence(reports: Reports) -> str:
    """Return the Dice of the structures that the acceptance criteria ask for, few images last."""
    rows = [
        (source, structure, figure)
        for source, structure in _MASKS_OF_CRITERIA
        if (figure := _dice(reports.get("lungs", {"structures": ()}), source, structure))
    ]
    if not rows:
        return NOTHING
    told = listed(
        f"{structure.replace('_', ' ')} {short(figure, 3)} ({source})"
        for source, structure, figure in rows
    )
    return f"Dice: {told}."


def maps_sentence(reports: Reports) -> str:
    """Return in how many rows the pointing game lies beyond chance, and what has no boxes."""
    rows = [row for name in _WITH_MAPS for row in reports.get(name, {}).get("localisation", ())]
    if not rows:
        return NOTHING
    sides = {"below": 0, "above": 0}
    for row in rows:
        found, chance = row["pointing_game"], row["pointing_game_by_chance"]
        if found["interval"] is not None and chance is not None:
            sides["below"] += found["interval"][1] < chance
            sides["above"] += found["interval"][0] > chance
    missing = [f"`{name}`" for name in _WITH_MAPS if not reports.get(name, {}).get("localisation")]
    text = (
        f"The pointing game lies below chance in {sides['below']} and above chance in "
        f"{sides['above']} of {len(rows)} rows."
    )
    return f"{text} Not measured: {listed(missing)}." if missing else text
