"""Backoff has bounds, and budgets are kept."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from hilum.domain.retry_policy import RetryPolicy

SECONDS = st.floats(min_value=0.001, max_value=3600).map(lambda s: timedelta(seconds=s))


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a seed, not a secret


@given(
    base=SECONDS,
    cap=SECONDS,
    attempts=st.integers(min_value=0, max_value=10**6),
    seed=st.integers(min_value=0),
)
def test_a_delay_is_half_to_all_of_the_doubled_base_and_never_above_the_cap(
    base, cap, attempts, seed
):
    """Half to all of ``min(cap, base * 2**(attempts - 1))``, whatever chance says."""
    policy = RetryPolicy(base=base, cap=cap)
    full = cap
    if attempts < 20:
        full = min(cap, base * 2 ** max(attempts - 1, 0))
    full = min(full, base * 2**20)
    delay = policy.delay(attempts, chance_of(seed))
    assert full * 0.5 - timedelta(microseconds=1) <= delay <= full + timedelta(microseconds=1)


@given(attempts=st.integers(min_value=1, max_value=30), seed=st.integers(min_value=0))
def test_delays_never_shrink_on_average_with_attempts(attempts, seed):
    """The longest delay of an attempt is at least the longest of the attempt before."""
    policy = RetryPolicy()

    class Most(random.Random):
        def uniform(self, a, b):
            del a
            return b

    chance = Most(seed)
    assert policy.delay(attempts, chance) <= policy.delay(attempts + 1, chance)


def test_films_that_one_outage_threw_back_do_not_return_at_once():
    """The jitter spreads delays over half of the full delay."""
    policy = RetryPolicy(base=timedelta(seconds=10))
    chance = chance_of(7)
    delays = [policy.delay(1, chance) for _ in range(200)]
    assert max(delays) - min(delays) > timedelta(seconds=4)


@given(attempts=st.integers(0, 40), losses=st.integers(0, 40))
def test_a_job_is_parked_when_either_budget_is_used_up(attempts, losses):
    """Attempts have a large budget, lost workers a small one of their own."""
    policy = RetryPolicy(max_attempts=12, max_losses=3)
    assert policy.exhausted(attempts, losses) == (attempts >= 12 or losses >= 3)


def test_an_outage_of_minutes_parks_nothing():
    """The default policy waits for more than ten minutes before it parks a film."""
    policy = RetryPolicy()
    least = sum((policy.delay(n, chance_of(n)) for n in range(1, policy.max_attempts)), timedelta())
    assert least > timedelta(minutes=10)
