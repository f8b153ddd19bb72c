"""The life of a job is the table, and nothing beside it."""

from __future__ import annotations

import pytest

from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.job import (
    ENDED,
    SETTLED,
    TRANSITIONS,
    JobEvent,
    JobState,
    next_state,
    source_state,
)


@pytest.mark.parametrize("event", JobEvent)
def test_an_event_can_happen_in_exactly_one_state(event):
    """The database's conditional updates name one state for each event."""
    states = [state for state, candidate in TRANSITIONS if candidate is event]
    assert states == [source_state(event)]


@pytest.mark.parametrize("state", sorted(ENDED))
def test_nothing_leaves_an_ended_state(state):
    """A completed, rejected or discarded job stays what it is."""
    for event in JobEvent:
        with pytest.raises(TransitionNotAllowed, match=f"a {state.value} job cannot {event.value}"):
            next_state(state, event)


@pytest.mark.parametrize("state", JobState)
def test_every_state_is_reached_and_every_unended_one_is_left(state):
    """No state is an island, none that is not meant to be an end is one."""
    assert state is JobState.RECEIVED or state in TRANSITIONS.values()
    assert (state in ENDED) == all(source is not state for source, _ in TRANSITIONS)


def test_a_settled_job_moves_only_when_a_person_acts():
    """From parked there is retry and discard, and nothing that a machine does."""
    assert {JobState.FAILED} == SETTLED - ENDED
    events = {event for state, event in TRANSITIONS if state is JobState.FAILED}
    assert events == {JobEvent.RETRY, JobEvent.DISCARD}


def test_the_table_answers_for_every_pair():
    """A pair that the table has gives its state, any other is refused."""
    for state in JobState:
        for event in JobEvent:
            if (state, event) in TRANSITIONS:
                assert next_state(state, event) is TRANSITIONS[state, event]
            else:
                with pytest.raises(TransitionNotAllowed):
                    next_state(state, event)
