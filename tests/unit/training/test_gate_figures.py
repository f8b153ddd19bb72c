"""The gate's report: severely ill chests, other bodies and laterals in rows of their own."""

from __future__ import annotations

import pytest

from hilum_training.evaluation.gate_figures import kind_of
from hilum_training.evaluation.measure import measure_panel
from tests.unit.training.panel_answers import GATE, answers, film, sure


@pytest.mark.parametrize(
    ("source", "label", "kind"),
    [
        ("dc1000", "other:body_dental", "dental"),
        ("dc1000", "not_chest:changed dental", "changed dental"),
        ("drawn hand", "not_chest:drawn hand", "drawn hand"),
        ("kermany", "severe:one_opaque", "one opaque"),
        ("kermany", "not_chest", "part of a chest"),
        ("several", "not_chest", "several"),
        ("picture", "not_chest", "picture"),
        ("cohen", "lateral", "lateral"),
    ],
)
def test_a_kind_is_named_by_what_was_recorded(source, label, kind):
    """The name is what stands after the colon, else the source of a made image or the label."""
    assert kind_of(film(1, source, label)) == kind


def test_the_gate_counts_severely_ill_chests_and_other_bodies_by_kind():
    """Made ill chests have a row of their own and do not count among frontal radiographs."""
    films = [film(i, "kermany", "normal") for i in range(10)]
    films += [film(10 + i, "kermany", "severe:one_opaque") for i in range(4)]
    films += [film(14, "kermany", "severe:unequal_sides")]
    films += [film(15 + i, "dc1000", "other:body_dental") for i in range(4)]
    films += [film(19, "drawn hand", "not_chest:drawn hand"), film(20, "drawn", "not_chest")]
    films += [film(21, "cohen", "lateral")]
    right = [*["frontal"] * 15, *["not_chest"] * 6, "lateral"]
    told = [*["frontal"] * 13, "not_chest", *["frontal"] * 2, *["not_chest"] * 2, "lateral"]
    told += ["not_chest"] * 2 + ["lateral"]
    part = answers(GATE, films, [sure(GATE, name) for name in right])
    section = measure_panel(part, answers(GATE, films, [sure(GATE, name) for name in told]))
    assert section["frontal_films_that_pass"]["value"] == 1.0
    assert section["severe_films_that_pass"]["value"] == 0.8
    severe = {row["kind"]: (row["films"], row["pass"]["value"]) for row in section["severe"]}
    assert severe == {"one opaque": (4, 0.75), "unequal sides": (1, 1.0)}
    stopped = {row["kind"]: row for row in section["kinds_that_stop"]}
    assert list(stopped) == ["lateral", "dental", "drawn", "drawn hand"]
    assert (stopped["dental"]["films"], stopped["dental"]["stop"]["value"]) == (4, 0.75)
    assert stopped["dental"]["reason_not_chest"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert stopped["lateral"]["reason_not_chest"]["value"] == 0.0
    pairs = [(row["label"], row["source"]) for row in section["gate"]]
    assert pairs[:2] == [("frontal", "kermany"), ("severe", "kermany")]
