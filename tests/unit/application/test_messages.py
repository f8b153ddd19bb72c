"""What travels over the broker."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from hilum.application.messages import QUEUES, AnalyseJob
from hilum.domain.job import Priority


@pytest.mark.parametrize("priority", Priority)
def test_a_message_survives_json(priority):
    """A worker reads what a gateway wrote."""
    message = AnalyseJob(uuid4(), priority)
    assert AnalyseJob.from_payload(**json.loads(json.dumps(message.payload()))) == message


@pytest.mark.parametrize(
    ("job_id", "priority"),
    [("x", "stat"), ("", "stat"), ("6f1c2a34-9d0e-4b5f-8a67-1e2d3c4b5a69", "urgent")],
)
def test_what_is_no_message_is_a_value_error(job_id, priority):
    """The worker drops it by this."""
    with pytest.raises(ValueError, match=r"."):
        AnalyseJob.from_payload(job_id, priority)


def test_queues_stand_in_the_order_of_urgency():
    """A worker empties them in this order."""
    assert list(QUEUES) == [Priority.STAT, Priority.ROUTINE, Priority.BATCH]
    assert len(set(QUEUES.values())) == 3
