"""Tables of runs with something held back, from reports that the test writes."""

from __future__ import annotations

from hilum_training.evaluation.shift_tables import (
    EVERYWHERE,
    FROZEN,
    LEARNING_CURVE,
    LEFT_OUT,
    MASK_SHARE,
    learning_curve,
    left_out_costs,
    mask_curve,
    shift_tables,
    what_moved_it,
)

QUESTION = "normal or pneumonia"


def figure(value):
    return {"value": value, "interval": [value - 0.1, value + 0.1]}


def asked(source, value, *, seen, films=10):
    return {
        "seen_in_training": seen,
        "question": QUESTION,
        "source": source,
        "positive_films": films,
        "negative_films": 5,
        "auroc": figure(value),
        "accuracy": figure(value / 2),
    }


def run(series, films, *rows: dict):
    return {
        "about": "A run",
        "series": series,
        "learnt_from": {"kermany: normal": films - 1, "kermany: pneumonia": 1},
        "epochs": 4,
        "pixels": 112,
        "within_source": list(rows),
    }


REPORTS = {
    "chest": {"panel": "chest"},
    EVERYWHERE: run(
        LEFT_OUT, 100, asked("kermany", 0.9, seen=True), asked("nih14", 0.8, seen=True)
    ),
    "shifts/infection-without-nih14": run(
        LEFT_OUT,
        90,
        asked("kermany", 0.88, seen=True),
        asked("nih14", 0.6, seen=False, films=40),
    ),
    "shifts/all": run(LEARNING_CURVE, 400, asked("kermany", 0.97, seen=True)),
    "shifts/part": run(LEARNING_CURVE, 100, asked("kermany", 0.95, seen=True)),
}


def test_what_a_source_left_out_costs_stands_in_one_row():
    """The source's figure when it was seen and when not, and about how many films each time."""
    (row,) = left_out_costs(REPORTS)
    assert row["source"] == "nih14"
    assert (row["trained on every source"], row["test images"]) == (figure(0.8), "10 + 5")
    assert (row["trained without this one"], row["test images then"]) == (
        figure(0.6),
        "40 + 5",
    )


def test_without_the_run_that_saw_everything_there_is_nothing_to_compare():
    """A run that left a source out alone says no price."""
    reports = {name: report for name, report in REPORTS.items() if name != EVERYWHERE}
    assert left_out_costs(reports) == []


def test_a_learning_curve_goes_from_few_films_to_many():
    """Whatever the runs are called."""
    rows = learning_curve(REPORTS)
    assert [row["training images"] for row in rows] == [100, 400]
    assert [row["AUROC"] for row in rows] == [figure(0.95), figure(0.97)]


def test_runs_of_a_series_share_a_table():
    """Each run has a row for each question that it was asked, with what it learnt from."""
    text = shift_tables(REPORTS)
    assert text.count("### ") == 2
    part = text.split("### Children of kermany, learning curve")[1]
    assert len([line for line in part.splitlines() if line.startswith("| [A run](shifts/")]) == 2
    assert shift_tables({"chest": {}}) == ""


def outlined(structure, value):
    row = {"source": "kermany", "annotator": "A", "structure": structure, "films": 9}
    return {**row, "dice": figure(value)}


def test_masks_learnt_from_few_films_stand_before_those_of_many():
    """By structure; one that a smaller run says nothing of leaves its cell empty."""
    shares = {
        f"{MASK_SHARE}50-percent": (20, [outlined("heart", 0.8), outlined("lungs", 0.9)]),
        f"{MASK_SHARE}25-percent": (9, [outlined("lungs", 0.7)]),
    }
    reports = {
        name: {"training_films": films, "structures": rows}
        for name, (films, rows) in shares.items()
    }
    shipped = {"structures": [outlined("heart", 0.85), outlined("lungs", 0.95)]}
    heart, lungs = mask_curve({**reports, "lungs": shipped})
    assert list(lungs)[-3:] == [
        "Dice from 9 images",
        "Dice from 20 images",
        "from all images, as shipped",
    ]
    assert list(lungs.values())[-3:] == [figure(0.7), figure(0.9), figure(0.95)]
    assert list(heart.values())[-3:] == [None, figure(0.8), figure(0.85)]
    assert mask_curve(reports) == mask_curve({"lungs": shipped}) == []


def across(stages, seed, value):
    seen = asked("montgomery", 0.99, seen=True)
    report = run(FROZEN, 80, asked("shenzhen", value, seen=False), seen)
    return {f"shifts/{stages}-{seed}": {**report, "frozen_stages": stages, "seed": seed}}


def test_what_moves_a_figure_across_sites_is_said():
    """Means of both, the change with the same random numbers, and what random numbers do alone."""
    runs = {**across(2, 1, 0.6), **across(2, 2, 0.8), **across(5, 1, 0.5), **across(5, 2, 0.75)}
    assert what_moved_it({**REPORTS, **runs}) == (
        "AUROC at the site that training did not see, mean of 2 random numbers: "
        "0.700 (0.600 to 0.800) with 2 frozen stages and 0.625 (0.500 to 0.750) with 5 frozen "
        "stages. With the same random numbers 5 frozen stages instead of 2 change it by -0.075 "
        "(-0.100 to -0.050). Random numbers alone change it by up to 0.250."
    )


def test_one_run_says_nothing_of_what_moved_it():
    """Nor does one pair, or none."""
    for runs in ({}, across(2, 1, 0.6), {**across(2, 1, 0.6), **across(5, 1, 0.5)}):
        assert what_moved_it({**REPORTS, **runs}) == ""
