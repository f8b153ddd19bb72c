"""The life of a job is the table, and nothing beside it."""

from __future__ import annotations

import pytest

from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.job import ANALYSIS, ENDED, SETTLED, JobEvent, JobState


@pytest.mark.parametrize("state", sorted(ENDED))
def test_nothing_leaves_an_ended_state(state):
    """A completed, rejected or discarded job stays what it is."""
    for event in JobEvent:
        with pytest.raises(TransitionNotAllowed, match=f"a {state.value} job cannot {event.value}"):
            ANALYSIS.after(state, event)


@pytest.mark.parametrize("state", JobState)
def test_every_state_is_reached_and_every_unended_one_is_left(state):
    """No state is an island, none that is not meant to be an end is one."""
    assert state is JobState.RECEIVED or state in ANALYSIS.transitions.values()
    assert (state in ENDED) == all(source is not state for source, _ in ANALYSIS.transitions)


def test_a_settled_job_moves_only_when_a_person_acts():
    """From parked there is retry, discard and a new file, and nothing that a machine does."""
    assert {JobState.FAILED} == SETTLED - ENDED
    events = {event for state, event in ANALYSIS.transitions if state is JobState.FAILED}
    assert events == {JobEvent.RETRY, JobEvent.RESUBMIT, JobEvent.DISCARD}
