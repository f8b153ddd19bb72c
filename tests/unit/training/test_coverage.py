"""What the films of a recipe must hold before a panel is trained on them."""

from __future__ import annotations

import pytest

from hilum_training.films.coverage import FilmsMissing, check_coverage
from hilum_training.films.library import FilmSet, Library
from tests.unit.training.baseline_films import film_set
from tests.unit.training.panel_answers import film, panel

TUBERCULOSIS, PATHOLOGY = panel("tuberculosis"), panel("pathology")
KINDS = ("normal", "tuberculosis", "covid19")


def films(*labels: str) -> FilmSet:
    return film_set([film(index, "cohen", label) for index, label in enumerate(labels)])


def with_findings(*findings: str) -> FilmSet:
    some = [film(0, "nih14", "other", findings=frozenset(findings)), film(1, "nih14", "normal")]
    return film_set(some)


def test_a_label_that_no_training_film_carries_is_named():
    """Panel, label and split: a user knows which films to add."""
    library = Library(films("normal", "covid19"), films(*KINDS), films(*KINDS))
    with pytest.raises(FilmsMissing) as refused:
        check_coverage([TUBERCULOSIS], library)
    lines = str(refused.value).splitlines()[1:]
    assert lines == ["  tuberculosis: no training film with tuberculosis"]


def test_a_panel_without_films_of_its_sources_is_named():
    """Its operating points could not be chosen, and evaluation would stop hours later."""
    children = film_set([film(index, "kermany", "normal") for index in range(3)])
    with pytest.raises(FilmsMissing, match="tuberculosis: no validation film without normal"):
        check_coverage([TUBERCULOSIS], Library(films(*KINDS), children, films(*KINDS)))


def test_a_label_on_every_validation_film_is_named():
    """There is nothing to choose its threshold against."""
    library = Library(films(*KINDS), films("normal", "normal"), films(*KINDS))
    with pytest.raises(FilmsMissing, match="no validation film without normal"):
        check_coverage([TUBERCULOSIS], library)


def test_a_rare_finding_may_be_absent_from_validation():
    """Its operating point goes by specificity; a panel is not refused for one hernia too few."""
    every = with_findings(*PATHOLOGY.names)
    check_coverage([PATHOLOGY], Library(every, with_findings("mass"), every))
    with pytest.raises(FilmsMissing, match="pathology: no training film with hernia"):
        check_coverage([PATHOLOGY], Library(with_findings("mass"), every, every))


def test_a_finding_that_no_film_was_asked_for_is_named():
    """Films with a column for effusion alone teach that one, and choose no threshold at all."""
    effusion = [
        film(index, "nih14", "", findings=frozenset(found), asked=frozenset({"effusion"}))
        for index, found in enumerate([("effusion",), ()])
    ]
    every = with_findings(*PATHOLOGY.names)
    with pytest.raises(FilmsMissing) as refused:
        check_coverage([PATHOLOGY], Library(film_set(effusion), film_set(effusion), every))
    lines = str(refused.value)
    assert "no training film with effusion" not in lines
    assert "no training film without effusion" not in lines
    assert "no training film without mass" in lines
    assert "no validation film without effusion" in lines
