"""What containers used is added up rightly from readings of their counters."""

from __future__ import annotations

import pytest

from tests.cluster.counters import Counters
from tests.cluster.e2e.account import Account, peak_cores

MIB = 2**20


def worker(seconds: float, *, periods: int = 0, throttled: int = 0, mib: int = 1) -> Counters:
    return Counters("worker", seconds, periods, throttled, mib * MIB)


def test_what_was_spent_before_the_first_reading_does_not_count():
    """A container that ran already counts from the first reading on."""
    account = Account()
    account.keep(100.0, {"a": worker(50.0, periods=900, throttled=300)})
    account.keep(110.0, {"a": worker(54.0, periods=1000, throttled=301)})

    row = account.table()["worker"]

    assert account.lasted == 10.0
    assert row["cpu_seconds"] == 4.0
    assert row["mean_cores"] == 0.4
    assert row["throttled_percent"] == 1.0


def test_a_container_that_comes_later_counts_from_its_start():
    """Its start is work too, and the mean is over the whole time, not over its life."""
    account = Account()
    account.keep(0.0, {"a": worker(7.0)})
    account.keep(10.0, {"a": worker(8.0)})
    account.keep(20.0, {"b": worker(3.0, periods=10, throttled=5)})
    account.keep(40.0, {"b": worker(6.0, periods=10, throttled=5)})

    row = account.table()["worker"]

    assert row["containers"] == 2
    assert row["cpu_seconds"] == 1.0 + 6.0
    assert row["mean_cores"] == pytest.approx(7.0 / 40.0)
    assert row["throttled_percent"] == 50.0


def test_peaks_are_those_of_one_container():
    """Two pods at once do not add up: each has a request of its own."""
    account = Account()
    account.keep(0.0, {"a": worker(0.0, mib=80), "b": worker(0.0, mib=10)})
    account.keep(5.0, {"a": worker(5.0, mib=90), "b": worker(10.0, mib=20)})
    account.keep(10.0, {"a": worker(5.0, mib=70)})

    row = account.table()["worker"]

    assert row["peak_cores"] == 2.0
    assert row["peak_mib"] == 90
    assert row["mean_cores"] == 1.5


def test_each_name_has_a_row():
    """What has no CPU limit was never held back."""
    account = Account()
    account.keep(0.0, {"a": worker(0.0), "b": Counters("redis", 0.0, 0, 0, MIB)})
    account.keep(1.0, {"a": worker(1.0), "b": Counters("redis", 0.5, 0, 0, MIB)})

    table = account.table()

    assert list(table) == ["redis", "worker"]
    assert table["redis"]["throttled_percent"] == 0.0


def test_a_peak_is_a_mean_over_the_window():
    """A burst that is shorter than five seconds is spread over them, wherever readings fall."""
    steady = [(float(at), 0.5 * at) for at in range(20)]
    burst = [(at, spent + (2.0 if at > 10 else 0.0)) for at, spent in steady]

    assert peak_cores(steady) == pytest.approx(0.5)
    assert peak_cores(burst) == pytest.approx(0.5 + 2.0 / 5.0)


def test_a_peak_between_rare_readings_is_their_mean():
    """Readings that lie further apart than the window say no more than their mean."""
    assert peak_cores([(0.0, 0.0), (20.0, 10.0), (40.0, 12.0)]) == pytest.approx(0.5)


def test_a_life_shorter_than_the_window_is_spread_over_it():
    """A start that takes two seconds of one core is two fifths of a core."""
    assert peak_cores([(10.0, 0.0), (12.0, 2.0)]) == pytest.approx(0.4)
