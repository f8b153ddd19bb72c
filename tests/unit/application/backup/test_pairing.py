"""Two ordered listings walked together give what two sets would."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.application.backup.pairing import paired
from hilum.application.backup.threads import in_turn
from hilum.application.ports.object_store import StoredObject
from hilum.domain.errors import InternalError

STORED_AT = datetime(2026, 11, 21, tzinfo=UTC)
keys = st.sets(st.text("ab/-", min_size=1, max_size=4))


def listing(names):
    return [StoredObject(name, len(name), STORED_AT) for name in sorted(names)]


@given(keys, keys)
def test_each_key_comes_once_with_what_both_have(left, right):
    """In order, and with nothing made up."""
    pairs = list(paired(listing(left), listing(right)))
    assert [pair.key for pair in pairs] == sorted(left | right)
    assert {pair.key for pair in pairs if pair.left} == left
    assert {pair.key for pair in pairs if pair.right} == right


@pytest.mark.parametrize("names", [["b", "a"], ["a", "a"]])
def test_a_listing_without_order_is_noticed(names):
    """A store that lists otherwise would have films deleted that are needed."""
    wrong = [StoredObject(name, 1, STORED_AT) for name in names]
    with pytest.raises(InternalError, match="order"):
        list(paired(wrong, []))
    with pytest.raises(InternalError, match="order"):
        list(paired([], wrong))


def test_work_comes_back_in_turn():
    """Whoever is done first."""
    gate = threading.Event()

    def work(number):
        if number == 0:
            gate.wait(60)
        else:
            gate.set()
        return number * number

    assert list(in_turn(work, range(50), 2)) == [number * number for number in range(50)]


def test_few_items_are_in_hand_at_once():
    """However many there are."""
    begun = []
    results = in_turn(lambda number: number, _noting(begun), 2)
    assert next(results) == 0
    assert len(begun) <= 4
    results.close()


def _noting(begun):
    for number in range(1_000_000):
        begun.append(number)
        yield number


def test_what_the_work_raises_ends_it():
    """The rest is not begun."""

    def work(number):
        if number == 3:
            raise KeyError(number)
        return number

    results = in_turn(work, range(1000), 2)
    with pytest.raises(KeyError):
        list(results)
