"""The figure of a fit, from its log."""

from __future__ import annotations

from hilum_training.evaluation.learning_figure import draw_learning, read_epochs, tells_of_panels
from hilum_training.learning.log import write_log

LOG = [
    {"epoch": 1, "loss": 2.0, "validation_loss": 1.5, "pneumonia_accuracy": 0.7, "seconds": 3.0},
    {"epoch": 2, "loss": 1.0, "validation_loss": 1.4, "pneumonia_accuracy": 0.8, "seconds": 3.0},
]


def test_a_log_is_drawn_the_same_twice_with_its_panels_by_name(tmp_path):
    """What the fit wrote is read back; losses and panels have a curve, seconds have none."""
    write_log(LOG, tmp_path / "epochs.csv")
    rows = read_epochs(tmp_path / "epochs.csv")
    assert rows == LOG
    for name in ("one.svg", "two.svg"):
        draw_learning(rows, "chest", tmp_path / name)
    drawn = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert drawn == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert "pneumonia, accuracy" in drawn
    assert "validation films" in drawn
    assert "seconds" not in drawn


def test_a_segmentation_is_drawn_by_structure(tmp_path):
    """Its Dice on validation films, a curve a structure."""
    rows = [{"epoch": 1, "loss": 2.0, "validation_loss": 0.1, "validation_dice_right_lung": 0.9}]
    assert tells_of_panels(rows)
    draw_learning(rows, "lungs", tmp_path / "lungs.svg")
    assert "right lung, Dice" in (tmp_path / "lungs.svg").read_text(encoding="utf-8")


def test_a_log_that_says_nothing_of_films_is_not_drawn():
    """Losses alone are no figure; an empty log tells nothing."""
    assert tells_of_panels(LOG)
    assert not tells_of_panels([{"epoch": 1, "loss": 2.0}])
    assert not tells_of_panels([])
