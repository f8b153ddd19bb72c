"""A breaker keeps slots from claiming while a dependency is down, and never for ever."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hilum.application.queue.breaker import (
    LONGEST_TRIALS_S,
    MOST_OUTAGES,
    PROBE_PAUSES_S,
    WITHIN_S,
    Breaker,
    BreakerState,
)
from hilum.application.queue.dependencies import Dependencies
from hilum.domain.errors import Dependency
from tests.fakes.unit_of_work import InMemoryUnitOfWork

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


class Setup:
    """A breaker, a clock, and a dependency that is down or not."""

    def __init__(self, slots: int = 4) -> None:
        self.now = 100.0
        self.slots = slots
        self.breaker = Breaker(slots, lambda: self.now)
        self.down = True
        self.probed_at: list[float] = []

    def probe(self) -> bool:
        self.probed_at.append(self.now)
        return self.down

    def look(self, seconds: float = 0.0) -> BreakerState:
        self.now += seconds
        self.breaker.look(self.probe)
        return self.breaker.state

    def open(self) -> None:
        for _ in range(MOST_OUTAGES):
            self.breaker.outage()

    def half_open(self) -> None:
        self.open()
        self.down = False
        self.look(PROBE_PAUSES_S[0])

    def admitted(self) -> int:
        """How many slots are let in now; all of them stay in."""
        return sum(self.breaker.admit() is not OPEN for _ in range(self.slots))


@pytest.fixture
def setup() -> Setup:
    return Setup()


def test_it_opens_after_some_outages_in_a_short_time(setup):
    """Fewer are none of its business. A closed one lets every slot in and probes nothing."""
    for _ in range(MOST_OUTAGES - 1):
        setup.breaker.outage()
    assert setup.breaker.admit() is CLOSED
    setup.now += WITHIN_S
    setup.breaker.outage()
    assert setup.breaker.admit() is OPEN


def test_outages_that_are_far_apart_do_not_open_it(setup):
    """Each of them was told by an item, and the next items worked."""
    for _ in range(10 * MOST_OUTAGES):
        setup.breaker.outage()
        setup.now += WITHIN_S / (MOST_OUTAGES - 1) + 0.01
    assert setup.admitted() == setup.slots
    assert setup.look(100) is CLOSED
    assert setup.probed_at == []


def test_probes_are_ever_further_apart_up_to_a_bound(setup):
    """Whoever comes back is noticed within the longest pause."""
    setup.open()
    began = setup.now
    for _ in range(600):
        setup.look(0.1)
    at = [0.0, *(moment - began for moment in setup.probed_at)]
    pauses = [after - before for before, after in pairwise(at)]
    expected = [*PROBE_PAUSES_S, *[PROBE_PAUSES_S[-1]] * 9]
    assert pauses == pytest.approx(expected[: len(pauses)], abs=0.11)
    assert len(pauses) >= len(PROBE_PAUSES_S)


def test_one_slot_then_two_then_four_are_let_in(setup):
    """Each success doubles the number, until every slot may claim."""
    setup.half_open()
    assert setup.admitted() == 1
    setup.breaker.leave(HALF_OPEN, worked=True)
    assert setup.admitted() == 2
    setup.breaker.leave(HALF_OPEN, worked=True)
    assert setup.breaker.state is CLOSED
    assert setup.admitted() == setup.slots


def test_a_slot_that_found_nothing_to_claim_proves_nothing(setup):
    """The next one is the trial."""
    setup.half_open()
    for _ in range(5):
        assert setup.breaker.admit() is HALF_OPEN
        setup.breaker.leave(HALF_OPEN, worked=False)
    assert setup.admitted() == 1


def test_a_trial_that_meets_an_outage_opens_it_again(setup):
    """The next probe is not sooner than it would have been."""
    setup.half_open()
    assert setup.breaker.admit() is HALF_OPEN
    setup.breaker.outage()
    setup.breaker.leave(HALF_OPEN, worked=False)
    assert setup.breaker.admit() is OPEN
    assert setup.look(PROBE_PAUSES_S[1] - 0.1) is OPEN
    assert setup.look(0.2) is HALF_OPEN


def test_a_run_from_before_the_outage_is_no_trial(setup):
    """It ends when the breaker is half-open, and says nothing of the dependency as it is now."""
    assert setup.breaker.admit() is CLOSED
    setup.half_open()
    setup.breaker.leave(CLOSED, worked=True)
    assert setup.admitted() == 1


def test_a_trial_that_hangs_keeps_nobody_waiting_for_ever(setup):
    """After some time without an outage the breaker closes."""
    setup.half_open()
    assert setup.admitted() == 1
    assert setup.look(LONGEST_TRIALS_S - 0.1) is HALF_OPEN
    assert setup.look(0.2) is CLOSED
    assert setup.admitted() == setup.slots


class Machine(RuleBasedStateMachine):
    """Whatever happens in whichever order."""

    def __init__(self) -> None:
        super().__init__()
        self.setup = Setup()
        self.inside: list[BreakerState] = []

    @rule(seconds=st.integers(0, 60))
    def time_goes_by(self, seconds: int) -> None:
        self.setup.now += seconds

    @rule()
    def a_slot_asks(self) -> None:
        before = self.setup.breaker.state
        admitted = self.setup.breaker.admit()
        assert admitted in {before, OPEN}
        assert (admitted is OPEN) == (before is OPEN) or before is HALF_OPEN
        if admitted is not OPEN:
            self.inside.append(admitted)

    @precondition(lambda self: self.inside)
    @rule(which=st.integers(0, 100), worked=st.booleans())
    def a_slot_ends(self, which: int, *, worked: bool) -> None:
        admitted = self.inside.pop(which % len(self.inside))
        if not worked:
            self.setup.breaker.outage()
        self.setup.breaker.leave(admitted, worked=worked)

    @rule(down=st.booleans())
    def it_looks(self, *, down: bool) -> None:
        self.setup.down = down
        before, probes = self.setup.breaker.state, len(self.setup.probed_at)
        after = self.setup.look()
        if len(self.setup.probed_at) > probes:
            assert before is OPEN
            assert after is (OPEN if down else HALF_OPEN)

    @invariant()
    def no_more_trials_than_slots(self) -> None:
        assert self.inside.count(HALF_OPEN) <= self.setup.slots

    def teardown(self) -> None:
        """From wherever it is, it closes once the dependency is back."""
        self.setup.down = False
        self.setup.look(PROBE_PAUSES_S[-1])
        assert self.setup.breaker.state is not OPEN
        assert self.setup.look(LONGEST_TRIALS_S) is CLOSED


TestMachine = Machine.TestCase


def test_many_slots_ask_a_slow_server_once():
    """Whoever asks while a probe runs waits for that one, not behind it."""
    answer, asked = threading.Event(), []

    def probe() -> None:
        asked.append(None)
        answer.wait()

    dependencies = Dependencies(
        {Dependency.INFERENCE: probe}, unit_of_work=InMemoryUnitOfWork(), slots=2
    )
    first, second = (dependencies._probe(Dependency.INFERENCE) for _ in range(2))  # noqa: SLF001
    answer.set()
    second.result()
    assert first is second
    assert len(asked) == 1
    dependencies._probe(Dependency.INFERENCE).result()  # noqa: SLF001
    assert len(asked) == 2
