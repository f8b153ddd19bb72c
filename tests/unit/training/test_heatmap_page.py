"""The page of maps: which films it shows, and how."""

from __future__ import annotations

import numpy as np
from PIL import Image

from hilum_training.evaluation.heatmaps import (
    Shown,
    choose_shown,
    draw_page,
    licence_rows,
    page_note,
    shown_rows,
)
from hilum_training.measures.calibration import Calibration
from tests.unit.training.film_folders import texture
from tests.unit.training.panel_answers import answers, film, panel, sure

PNEUMONIA = panel("pneumonia")
AS_IT_IS = Calibration("temperature", (1.0,) * 4, (0.0,) * 4, (False,) * 4)


LICENSED = [
    film(0, "kermany", "normal", licence="CC BY-NC-SA 4.0"),
    film(1, "nih14", "normal", licence="NIH-CC terms"),
    film(2, "covid_cxnet", "covid19", licence_flags=frozenset({"unverified-upstream"})),
    film(3, "kermany", "normal"),
    film(4, "cohen", "covid19", licence="CC BY 3.0"),
]


def test_right_and_wrong_films_of_every_label_are_shown():
    """The surest of each label in turn, eight right and eight wrong."""
    films, logits = [], []
    for label in PNEUMONIA.names:
        for place in range(5):
            other = PNEUMONIA.names[(PNEUMONIA.names.index(label) + 1) % 4]
            films += [film(len(films), "kermany", label), film(len(films) + 1, "kermany", label)]
            logits += [sure(PNEUMONIA, label, 1 + place), sure(PNEUMONIA, other, 1 + place)]
    shown = choose_shown(answers(PNEUMONIA, films, logits), AS_IT_IS)
    assert [tile.recorded == tile.answered for tile in shown] == [True] * 8 + [False] * 8
    assert {tile.recorded for tile in shown[:4]} == set(PNEUMONIA.names)
    assert shown[0].probability > shown[4].probability


def test_films_that_may_not_be_shown_again_are_not():
    """CC BY of any version and any source, unless its licence is a claim that nobody verified."""
    told = answers(PNEUMONIA, LICENSED, [sure(PNEUMONIA, "normal")] * 5)
    assert [tile.at for tile in choose_shown(told, AS_IT_IS)] == [3, 4]


def test_right_and_wrong_answers_are_counted_of_films_that_may_not_be_shown_too():
    """By source and licence: a panel without a page still says how often it is right."""
    told = answers(PNEUMONIA, LICENSED, [sure(PNEUMONIA, "normal")] * 5)
    rows = licence_rows(told, AS_IT_IS)
    assert [tuple(row.values()) for row in rows] == [
        ("cohen", "CC BY 3.0", True, 0, 1),
        ("covid_cxnet", "CC BY 4.0", False, 0, 1),
        ("kermany", "CC BY 4.0", True, 1, 0),
        ("kermany", "CC BY-NC-SA 4.0", False, 1, 0),
        ("nih14", "NIH-CC terms", False, 1, 0),
    ]


def test_a_film_without_any_finding_is_no_wrong_answer():
    """Of fourteen findings the surest one is the answer; where none holds there is no right one."""
    findings = panel("pathology")
    films = [film(0, "nih14", "other", findings=("mass",)), film(1, "nih14", "normal")]
    told = answers(findings, films, [sure(findings, "nodule"), sure(findings, "mass")])
    calibration = Calibration("platt", (1.0,) * 14, (0.0,) * 14, (False,) * 14)
    (row,) = licence_rows(told, calibration)
    assert (row["right_answers"], row["wrong_answers"]) == (0, 1)


def test_whose_films_are_shown_stands_on_the_page_and_beside_it():
    """Sources and licences in the note, each film in a table."""
    told = answers(PNEUMONIA, LICENSED, [sure(PNEUMONIA, "normal")] * 5)
    shown = choose_shown(told, AS_IT_IS)
    note = page_note(told, shown)
    assert "Kermany et al., doi:10.17632/rscbjbr9sj, CC BY 4.0" in note
    assert "Cohen et al., github.com/ieee8023/covid-chestxray-dataset, CC BY 3.0" in note
    assert [tuple(row.values()) for row in shown_rows(told, shown)] == [
        ("3.png", "kermany", "CC BY 4.0", "normal", "normal"),
        ("4.png", "cohen", "CC BY 3.0", "covid19", "normal"),
    ]


def test_on_this_machine_films_of_every_source_are_shown():
    """Whoever holds the films may look at them."""
    films = [
        film(0, "local", "normal", licence="local"),
        film(1, "nih14", "normal", licence="NIH-CC terms"),
    ]
    told = answers(PNEUMONIA, films, [sure(PNEUMONIA, "normal")] * 2)
    assert choose_shown(told, AS_IT_IS) == []
    assert {tile.at for tile in choose_shown(told, AS_IT_IS, every=True)} == {0, 1}


def test_where_several_labels_hold_the_surest_is_right_if_the_film_carries_it():
    """Recorded are all of a film's findings."""
    findings = panel("pathology")
    films = [film(0, "nih14", "other", findings=("mass", "nodule")), film(1, "nih14", "normal")]
    told = answers(findings, films, [sure(findings, "nodule")] * 2)
    calibration = Calibration("platt", (1.0,) * 14, (0.0,) * 14, (False,) * 14)
    right, wrong = choose_shown(told, calibration, every=True)
    assert (right.right, right.answered, right.recorded) == (True, "nodule", "mass, nodule")
    assert (wrong.right, wrong.answered, wrong.recorded) == (False, "nodule", "none of them")


def test_the_page_marks_what_the_map_marks_and_stays_small(tmp_path):
    """Red where the map is strong, grey elsewhere; sixteen films in less than 400 kB."""
    films = np.stack([texture(seed, 224, 224) for seed in range(16)])[..., np.newaxis]
    maps = np.full((16, 7, 7), -1.0, dtype=np.float32)
    maps[:, 1, 1] = 5.0
    shown = [Shown(index, "normal", "normal", 0.9, right=True) for index in range(16)]
    draw_page(films, maps, shown, tmp_path / "page.png", "drawn.")
    assert (tmp_path / "page.png").stat().st_size < 400_000
    page = np.asarray(Image.open(tmp_path / "page.png").convert("RGB")).astype(int)
    overlay = page[26 : 26 + 132, 132:264]
    redness = overlay[..., 0] - overlay[..., 2]
    assert redness[20:36, 20:36].mean() > 80
    assert abs(redness[80:, 80:].mean()) < 15
