"""Which images lie in a population: stated age and view first, then what the pixels say."""

from __future__ import annotations

import pytest

from hilum.domain.scope import (
    AGE,
    CHILD,
    REASONS,
    UNLIKE_TRAINING,
    VIEW,
    Depicted,
    Scope,
    ScopeLimit,
    outside,
    shows_a_child,
)

ADULTS = Scope(
    minimum_age=18,
    maximum_age=90,
    views=("PA", "AP"),
    limits=(ScopeLimit("child", 0.5, CHILD), ScopeLimit("distance", 3.0, UNLIKE_TRAINING)),
)


@pytest.mark.parametrize(
    ("depicted", "reason"),
    [
        (Depicted(), ""),
        (Depicted(age=18, view="PA"), ""),
        (Depicted(age=90, view="AP"), ""),
        (Depicted(age=17.9), AGE),
        (Depicted(age=0.1), AGE),
        (Depicted(age=90.5), AGE),
        (Depicted(view="LL"), VIEW),
        (Depicted(age=40, view="LL"), VIEW),
        (Depicted(age=4, view="LL"), AGE),
        (Depicted(measures={"child": 0.5, "distance": 3.0}), ""),
        (Depicted(measures={"child": 0.51}), CHILD),
        (Depicted(measures={"distance": 3.1}), UNLIKE_TRAINING),
        (Depicted(measures={"child": 0.9, "distance": 9.0}), CHILD),
        (Depicted(measures={"other": 9.0}), ""),
    ],
)
def test_an_image_lies_outside_for_the_first_reason_that_holds(depicted, reason):
    """Age goes before view, view before pixels; a value at a bound lies inside."""
    assert outside(ADULTS, depicted) == reason


@pytest.mark.parametrize(
    ("age", "child", "reason"),
    [
        (40, 0.99, ""),
        (4, 0.01, AGE),
        (None, 0.99, CHILD),
        (None, 0.01, ""),
    ],
)
def test_a_stated_age_decides_before_the_pixels(age, child, reason):
    """A child's PNG states no age, and the pixels tell it; an adult's age is believed."""
    assert outside(ADULTS, Depicted(age=age, measures={"child": child})) == reason


def test_a_stated_age_does_not_excuse_an_image_that_is_unlike_the_training_images():
    """It says nothing of them."""
    depicted = Depicted(age=40, measures={"child": 0.9, "distance": 4.0})
    assert outside(ADULTS, depicted) == UNLIKE_TRAINING


@pytest.mark.parametrize(
    "depicted", [Depicted(age=0.0), Depicted(view="LL"), Depicted(measures={"child": 1.0})]
)
def test_a_scope_without_bounds_holds_every_image(depicted):
    """Sources and who was never shown are words and decide nothing."""
    named = Scope(sources=("one hospital",), never_shown=("children",))
    assert outside(named, depicted) == ""
    assert named.bounds == ()


@pytest.mark.parametrize(
    "bound",
    [
        {"minimum_age": 0.0},
        {"maximum_age": 18},
        {"views": ("PA",)},
        {"limits": ADULTS.limits},
    ],
)
def test_every_bound_is_one(bound):
    """A minimum age of nought is stated, too."""
    assert Scope(**bound).bounds


@pytest.mark.parametrize(
    ("minimum", "maximum", "words"),
    [
        (None, None, ""),
        (18, None, "18 years and older"),
        (None, 5, "0 to 5 years"),
        (1, 5.5, "1 to 5.5 years"),
    ],
)
def test_ages_are_told_in_words(minimum, maximum, words):
    """Nothing is said without a bound."""
    assert Scope(minimum_age=minimum, maximum_age=maximum).ages == words


def test_every_reason_has_words():
    """They follow "Not assessed:", without a full stop."""
    assert set(REASONS) == {AGE, VIEW, CHILD, UNLIKE_TRAINING}
    assert not any(words.endswith(".") for words in REASONS.values())


@pytest.mark.parametrize(
    ("age", "measured", "child"),
    [
        (9.9, 0.0, True),
        (10.0, 1.0, False),
        (None, 0.7, False),
        (None, 0.71, True),
        (None, None, False),
    ],
)
def test_a_stated_age_decides_who_counts_as_a_child(age, measured, child):
    """Without one the pixels do, where the scope has a bound for them."""
    measures = {} if measured is None else {"child": measured}
    depicted = Depicted(age=age, measures=measures)
    assert shows_a_child(Scope(child_above=0.7), depicted) is child
    assert shows_a_child(Scope(), Depicted(measures=measures)) is False
