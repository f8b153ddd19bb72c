"""Sources as the worst of them is looked for."""

from __future__ import annotations

from hilum_training.measures.source_groups import groups


def patients(count: int) -> list[str]:
    return [str(place) for place in range(count)]


def test_sources_below_the_number_are_one_group():
    """Three of two sources and five of a third: the small ones are joined by name."""
    found = groups(["a"] * 2 + ["b"] + ["c"] * 5, patients(8), fewest=3)
    assert sorted(found) == ["a+b", "c"]
    assert found["a+b"].tolist() == [True] * 3 + [False] * 5
    assert sorted(groups(["a", "c", "c"], patients(3), fewest=2)) == ["c"]
    assert sorted(groups(["a", "b"], patients(2), fewest=8)) == ["a+b"]


def test_patients_make_a_source_large_and_not_their_images():
    """Six images of one patient decide nothing beside three patients of another source."""
    clusters = ["one"] * 6 + patients(3)
    assert sorted(groups(["a"] * 6 + ["b"] * 3, clusters, fewest=3)) == ["b"]
