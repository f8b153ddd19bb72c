"""Short tables of the gate's and the segmentation's card."""

from __future__ import annotations

from hilum_training.export.figure_text import NOTHING
from hilum_training.export.network_tables import network_text


def figure(value):
    return {"value": value, "interval": None}


def kind(label, name, films):
    return {
        "label": label,
        "kind": name,
        "films": films,
        "stop": figure(0.9),
        "reason_not_chest": figure(0.8),
    }


GATE = {
    "frontal_films_that_pass": figure(0.998),
    "severe_films_that_pass": figure(0.97),
    "other_pictures_that_stop": figure(0.99),
    "that_stop": {"not_chest": figure(0.995)},
    "severe": [{"kind": "opaque lung", "films": 60, "pass": figure(0.97)}],
    "kinds_that_stop": [
        kind("not_chest", "dental", 20),
        kind("not_chest", "drawn hand", 20),
        kind("inverted", "inverted", 200),
    ],
}
MASKS = {
    "structures": [
        {
            "structure": structure,
            "source": source,
            "annotator": "A",
            "films": films,
            "dice": figure(dice),
            "dice_lowest": 0.5,
            "hausdorff_95_percent_of_width": figure(3.2),
        }
        for structure, source, films, dice in (
            ("heart", "cohen", 5, 0.7),
            ("lung_fields", "shenzhen", 100, 0.95),
        )
    ],
    "between_annotators": {"files": 2, "films": 15, "dice_mean": 0.94},
}


def test_the_gate_has_a_sentence_and_rows_by_kind():
    """Kinds with few images follow the others."""
    text = network_text({"panels": {"gate": GATE}})
    assert text["gate_sentence"] == (
        "Accepted are 0.998 of frontal images and 0.97 of severely ill ones, rejected 0.99 of "
        "other images."
    )
    assert "| opaque lung | 60 | 0.97 |" in text["severe_kinds"]
    rows = text["rejected_kinds"].splitlines()[2:]
    assert [row.split(" | ")[1] for row in rows] == ["inverted", "dental"]
    assert text["dice"] == NOTHING


def test_drawn_kinds_of_few_images_are_counted():
    """The card has one sentence of them, with the smallest share that is rejected."""
    text = network_text({"panels": {"gate": GATE}})["drawn_kinds"]
    assert text.startswith("1 drawn kinds of fewer than 50 images")
    assert "at least 0.9 was rejected" in text
    assert not network_text({"panels": {"gate": {}}})["drawn_kinds"]


def test_a_gate_without_severe_images_says_nothing_of_them():
    """As reports of earlier releases."""
    old = {key: value for key, value in GATE.items() if "severe" not in key}
    assert "severely" not in network_text({"panels": {"gate": old}})["gate_sentence"]


def test_the_lungs_lead_with_many_images():
    """A heart that rests on five images is neither first nor the worst of the range."""
    text = network_text({"panels": {"lungs": MASKS}, "masks_used": []})
    assert text["dice"].splitlines()[2].startswith("| lung fields | shenzhen")
    assert text["lungs_in_short"] == "Dice 0.95 (lung fields, shenzhen)."
    assert "same 15 images" in text["annotators_agree"]
    assert text["severe_kinds"] == text["gate_sentence"] == NOTHING


def test_figures_from_elsewhere_are_said_with_their_origin():
    """Nothing is said without them."""
    found = {
        "release": "0.2.0",
        "what": "skulls",
        "origin": "elsewhere",
        "images": 146,
        "accepted": 3,
    }
    report = {"panels": {}, "others": {"external": {"other_bodies": found}}}
    assert "accepted 3 of 146 skulls (elsewhere)" in network_text(report)["other_bodies"]
    assert not network_text({"panels": {}})["other_bodies"]
