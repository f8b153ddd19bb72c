"""Class weights and the focal loss: what a panel's recipe asks, and what the loss makes of it."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from hilum_training.films.targets import Targets, panel_targets
from hilum_training.panel_recipe import LossRecipe
from tests.unit.training.panel_answers import film, panel

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

from hilum_training.learning.objective import panel_loss
from hilum_training.learning.weighing import (
    class_weights,
    weighing_of,
)

PATHOLOGY = panel("pathology")
PNEUMONIA = panel("pneumonia")
CROSS_ENTROPY = -np.log(0.25)


def weighed(asked, **loss: float):
    return replace(asked, loss=LossRecipe(**loss))


def every(values) -> Targets:
    """Targets of films of which everything was asked."""
    return Targets(values, np.ones(len(values), dtype=bool), np.ones(values.shape, dtype=bool))


def rare(count: int, films: int) -> Targets:
    """The first finding in ``count`` of so many films, the others in none."""
    values = np.zeros((films, 14), dtype=np.float32)
    values[:count, 0] = 1
    return every(values)


def test_a_panel_that_asks_for_nothing_is_not_weighed():
    """Without class weights and focus all images count alike."""
    plain = replace(PATHOLOGY, loss=LossRecipe())
    assert weighing_of(plain, rare(4, 100)) is None


@pytest.mark.parametrize(("exponent", "ratio"), [(0.0, 1.0), (0.5, 3.0), (1.0, 9.0)])
def test_a_class_weighs_by_a_power_of_its_films(exponent, ratio):
    """Ten films beside ninety: as much, three times, nine times; the mean film weighs 1."""
    few, many = class_weights(np.array([10, 90]), exponent)
    assert few / many == pytest.approx(ratio, rel=1e-5)
    assert (10 * few + 90 * many) / 100 == pytest.approx(1.0, rel=1e-5)


def test_a_class_without_films_weighs_one():
    """It is never met; an infinite weight would be met by the validation films."""
    assert class_weights(np.array([0, 50]), 1.0).tolist() == [1.0, 1.0]


def test_a_rare_finding_weighs_more_where_it_is_and_films_outside_the_panel_do_not_count():
    """Present in 4 of 100 films: at exponent 1 both sides weigh as much in sum."""
    targets = rare(4, 100)
    more = replace(
        every(np.vstack([targets.values, np.ones((50, 14))])), known=np.arange(150) < 100
    )
    weighing = weighing_of(weighed(PATHOLOGY, class_weights=1.0), more)
    assert weighing.present[0] * 4 == pytest.approx(weighing.absent[0] * 96, rel=1e-5)
    assert (weighing.present[1], weighing.absent[1]) == (1.0, 1.0)


def test_the_loss_of_a_rare_finding_is_multiplied_by_its_weight():
    """All logits zero: every label costs log 2, the present one that times its weight."""
    targets = rare(1, 4)
    weighing = weighing_of(weighed(PATHOLOGY, class_weights=1.0), targets)
    assert weighing.present[0] == pytest.approx(2.0)
    known = np.array([1, 0, 0, 0], dtype=np.float32)
    logits = np.zeros((4, 14), dtype=np.float32)
    plain = float(panel_loss("multi_label", logits, targets.values, known, 0.0))
    found = float(panel_loss("multi_label", logits, targets.values, known, 0.0, weighing))
    assert plain == pytest.approx(np.log(2), rel=1e-5)
    assert found == pytest.approx(np.log(2) * (13 + 2) / 14, rel=1e-5)


def test_a_film_that_may_be_one_of_two_labels_weighs_their_mean():
    """Six normal films, one bacterial, one "pneumonia": the last counts half for each germ."""
    labels = ["normal"] * 6 + ["pneumonia_bacterial", "pneumonia_unspecified"]
    films = [film(index, "kermany", label) for index, label in enumerate(labels)]
    asked = weighed(PNEUMONIA, class_weights=1.0)
    targets = panel_targets(films, asked)
    weighing = weighing_of(asked, targets)
    normal, bacterial, viral, covid = weighing.present
    assert (bacterial / normal, viral / normal) == pytest.approx((6 / 1.5, 6 / 0.5))
    assert covid == 1.0
    logits, known = np.zeros((8, 4), dtype=np.float32), np.eye(8, dtype=np.float32)
    unspecified = float(panel_loss("single_label", logits, targets.values, known[7], 0.0, weighing))
    assert unspecified == pytest.approx(-np.log(0.5) * (bacterial + viral) / 2, rel=1e-5)


def test_a_focus_turns_down_what_is_answered_well():
    """(1 - p) ** 2 of the loss: an answer of 3 in 4 keeps a sixteenth of its cross-entropy."""
    sure = np.log(np.array([[0.75, 0.25 / 3, 0.25 / 3, 0.25 / 3]], dtype=np.float32))
    even = np.zeros((1, 4), dtype=np.float32)
    allowed, known = np.eye(4, dtype=np.float32)[:1], np.ones(1, dtype=np.float32)
    targets = every(allowed)
    weighing = weighing_of(weighed(PNEUMONIA, focus=2.0), targets)

    def loss(logits):
        return float(panel_loss("single_label", logits, allowed, known, 0.0, weighing))

    assert loss(sure) == pytest.approx(-np.log(0.75) / 16, rel=1e-4)
    assert loss(even) == pytest.approx(CROSS_ENTROPY * 0.75**2, rel=1e-4)


def test_a_focus_weighs_each_finding_of_a_film():
    """One label far off, thirteen right: what is left of the loss is nearly all of the one."""
    values = np.zeros((1, 14), dtype=np.float32)
    values[0, 0] = 1
    logits = np.full((1, 14), -3.0, dtype=np.float32)
    targets = every(values)
    known = np.ones(1, dtype=np.float32)
    weighing = weighing_of(weighed(PATHOLOGY, focus=2.0), targets)
    found = float(panel_loss("multi_label", logits, values, known, 0.0, weighing))
    wrong = np.log1p(np.exp(3.0))
    off = 1 / (1 + np.exp(-3.0))
    right = np.log1p(np.exp(-3.0)) * (1 - off) ** 2
    assert found == pytest.approx((wrong * off**2 + 13 * right) / 14, rel=1e-4)


def test_a_finding_that_was_not_asked_is_in_no_class_and_costs_nothing():
    """Of six films two were asked for the first finding alone: the others' weights ignore them."""
    values = np.zeros((6, 14), dtype=np.float32)
    values[0, :2] = values[5, 0] = 1
    asked = np.ones((6, 14), dtype=bool)
    asked[4:, 1:] = False
    targets = replace(every(values), asked=asked)
    weighing = weighing_of(weighed(PATHOLOGY, class_weights=1.0), targets)
    assert weighing.absent[0] / weighing.present[0] == pytest.approx(2 / 4)
    assert weighing.absent[1] / weighing.present[1] == pytest.approx(1 / 3)
    logits = np.zeros((6, 14), dtype=np.float32)
    logits[4:, 1:] = 50.0
    known = np.ones(6, dtype=np.float32)
    told = (logits, values, known, 0.0, None)
    found = float(panel_loss("multi_label", *told, asked.astype(np.float32)))
    assert found == pytest.approx(np.log(2), rel=1e-5)
    assert float(panel_loss("multi_label", *told)) > 5.0
