"""What training with something held back showed: tables of the details page."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.report_files import METRICS
from hilum_training.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    Reports = Mapping[str, Mapping[str, Any]]

SHIFT: Final = "shifts/"
EVERYWHERE: Final = f"{SHIFT}infection-from-everywhere"
LEFT_OUT: Final = "infection, one source left out"
FROZEN: Final = "tuberculosis across sites, frozen stages and random numbers"
LEARNING_CURVE: Final = "children of kermany, learning curve"
MASK_SHARE: Final = "lungs/shares/"


def shift_tables(reports: Reports) -> str:
    """Return a table for each series of runs, or an empty text where none was run."""
    series: dict[str, list[dict[str, Any]]] = {}
    for name, report in _shifts(reports):
        series.setdefault(report["series"], []).extend(_rows(name, report))
    tables = [f"### {name[:1].upper()}{name[1:]}\n\n{markdown(series[name])}" for name in series]
    return "\n\n".join(tables)


def what_moved_it(reports: Reports) -> str:
    """Say what frozen stages and random numbers change at a site that training did not see.

    It is empty unless two or more random numbers were each run with two numbers of frozen stages.
    """
    runs: dict[int, dict[int, float]] = {}
    for _, report in _shifts(reports):
        if report["series"] != FROZEN:
            continue
        (unseen,) = [row for row in report["within_source"] if not row["seen_in_training"]]
        stages = runs.setdefault(report["frozen_stages"], {})
        stages[report["seed"]] = unseen["auroc"]["value"]
    few, *_, many = sorted(runs) if len(runs) > 1 else (0, 0)
    pairs = sorted(set(runs.get(few, {})) & set(runs.get(many, {})))
    if few == many or len(pairs) < 2:  # noqa: PLR2004 - one pair shows no spread
        return ""
    changes = [runs[many][seed] - runs[few][seed] for seed in pairs]
    means = " and ".join(
        f"{mean(runs[stages].values()):.3f} ({_range(runs[stages].values())}) with {stages} frozen "
        "stages"
        for stages in (few, many)
    )
    widest = max(max(run.values()) - min(run.values()) for run in runs.values())
    return (
        f"AUROC at the site that training did not see, mean of {len(pairs)} random numbers: "
        f"{means}. With the same random numbers {many} frozen stages instead of {few} change it by "
        f"{mean(changes):+.3f} ({_range(changes)}). Random numbers alone change it by up to "
        f"{widest:.3f}."
    )


def _range(values: Collection[float]) -> str:
    return f"{min(values):.3f} to {max(values):.3f}"


def left_out_costs(reports: Reports) -> Sequence[Mapping[str, Any]]:
    """Return the AUROC in a source of a run that saw it in training and of one that did not.

    The one that saw it is tested on its test images, the other on all images of the source.
    """
    everywhere = reports.get(EVERYWHERE)
    if everywhere is None:
        return []
    seen = {(row["source"], row["question"]): row for row in everywhere["within_source"]}
    rows = []
    for _, report in _shifts(reports):
        for row in report["within_source"] if report["series"] == LEFT_OUT else ():
            before = seen.get((row["source"], row["question"]))
            if row["seen_in_training"] or before is None:
                continue
            rows.append(
                {
                    "source": row["source"],
                    "question": row["question"],
                    "trained on every source": before["auroc"],
                    "test images": _asked(before),
                    "trained without this one": row["auroc"],
                    "test images then": _asked(row),
                }
            )
    return rows


def learning_curve(reports: Reports) -> Sequence[Mapping[str, Any]]:
    """Return figures of each question by the number of training images, fewest first."""
    steps = [
        (row["question"], training_films(report), report, row)
        for _, report in _shifts(reports)
        if report["series"] == LEARNING_CURVE
        for row in report["within_source"]
    ]
    return [
        {
            "question": question,
            "training images": films,
            "epochs": report["epochs"],
            "accuracy": row["accuracy"],
            "AUROC": row["auroc"],
        }
        for question, films, report, row in sorted(steps, key=lambda step: step[:2])
    ]


def mask_curve(reports: Reports) -> Sequence[Mapping[str, Any]]:
    """Return the Dice of each structure by the number of training images, the shipped one last."""
    shares = sorted(
        (report for name, report in reports.items() if name.startswith(MASK_SHARE)),
        key=lambda report: int(report["training_films"]),
    )
    shipped = reports.get("lungs")
    if not shares or shipped is None:
        return []
    found = [
        (
            f"{report['training_films']} images",
            {_outlined(row): row["dice"] for row in report["structures"]},
        )
        for report in shares
    ]
    return [
        {
            "source": row["source"],
            "annotator": row["annotator"],
            "structure": row["structure"],
            "test images": row["films"],
            **{f"Dice from {films}": dice.get(_outlined(row)) for films, dice in found},
            "from all images, as shipped": row["dice"],
        }
        for row in shipped["structures"]
    ]


def _outlined(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return (row["source"], row["annotator"], row["structure"])


def _shifts(reports: Reports) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, report) for name, report in reports.items() if name.startswith(SHIFT)]


def training_films(report: Mapping[str, Any]) -> int:
    """Return how many images a run was trained on."""
    return sum(report["learnt_from"].values())


def _asked(row: Mapping[str, Any]) -> str:
    return f"{row['positive_films']} + {row['negative_films']}"


def _rows(name: str, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "run": f"[{report['about']}]({name}/{METRICS})",
            "training images": training_films(report),
            "epochs": report["epochs"],
            "pixels": report["pixels"],
            "source": row["source"],
            "question": row["question"],
            "seen in training": row["seen_in_training"],
            "AUROC": row["auroc"],
            "accuracy": row["accuracy"],
        }
        for row in report["within_source"]
    ]
