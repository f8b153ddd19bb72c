"""A worker whose slots are all taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum.domain.job import Priority
from tests.contract.queue_consumer import Listener
from tests.contract.task_queue.bells import REAL, redis_bell
from tests.contract.task_queue.rings import rings

if TYPE_CHECKING:
    from hilum.application.messages import AnalyseJob


@pytest.mark.real
def test_a_busy_listener_survives_an_outage(redis_server):
    """A worker whose slots were all taken when the broker went hears again when it is back."""
    with redis_bell(redis_server) as bell, Listener(redis_server.url, slots=2, held=True) as busy:
        before = rings(2)
        bell.queue.ring(before)
        assert set(busy.heard(2)) == set(before)
        bell.stop()
        busy.release()
        busy.unacknowledged(2)
        bell.start()
        after = rings(3)
        bell.queue.ring(after)
        heard: set[AnalyseJob] = set()
        while not heard.issuperset(after):
            heard.update(busy.heard(1))


@pytest.mark.parametrize("bell", ["folder", *REAL], indirect=True)
def test_a_busy_listener_takes_no_more_than_it_has_slots(bell):
    """What one worker cannot start now waits where another one can take it."""
    sent = rings(4)
    with bell.listen(slots=2, held=True) as busy:
        bell.queue.ring(sent)
        first = busy.heard(2)
        assert bell.queue.pending(Priority.ROUTINE) == 2
        with bell.listen() as other:
            assert {*first, *other.heard(2)} == set(sent)
