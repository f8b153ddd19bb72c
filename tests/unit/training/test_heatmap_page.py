"""The page of maps: which films it shows, and how."""

from __future__ import annotations

import numpy as np
from PIL import Image

from hilum_training.evaluation.heatmaps import Shown, choose_shown, draw_page
from hilum_training.measures.calibration import Calibration
from tests.unit.training.film_folders import texture
from tests.unit.training.panel_answers import answers, film, panel, sure

PNEUMONIA = panel("pneumonia")
AS_IT_IS = Calibration("temperature", (1.0,) * 4, (0.0,) * 4, (False,) * 4)


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
    """Only CC BY, and only of a source whose licence is its publisher's own."""
    films = [
        film(0, "kermany", "normal", licence="CC BY-NC-SA 4.0"),
        film(1, "nih14", "normal", licence="NIH-CC terms"),
        film(2, "covid_cxnet", "covid19"),
        film(3, "kermany", "normal"),
    ]
    told = answers(PNEUMONIA, films, [sure(PNEUMONIA, "normal")] * 4)
    assert [tile.at for tile in choose_shown(told, AS_IT_IS)] == [3]


def test_on_this_machine_films_of_every_source_are_shown():
    """Whoever holds the films may look at them."""
    films = [film(0, "local", "normal", licence="local"), film(1, "nih14", "normal")]
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
    draw_page(films, maps, shown, tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size < 400_000
    page = np.asarray(Image.open(tmp_path / "page.png").convert("RGB")).astype(int)
    overlay = page[26 : 26 + 132, 132:264]
    redness = overlay[..., 0] - overlay[..., 2]
    assert redness[20:36, 20:36].mean() > 80
    assert abs(redness[80:, 80:].mean()) < 15
