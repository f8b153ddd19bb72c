"""Every server goes away for long, with jobs that run and jobs that wait.

Twenty minutes are scaled by 60, and with them the budget: the pauses between a job's attempts.
Counted attempts would use it up while the server is away.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from tests.integration.faults.ledger import wait_until

if TYPE_CHECKING:
    from hilum_stack.real import RealStack
    from tests.integration.faults.ledger import Ledger
    from tests.integration.faults.sender import Sender

pytestmark = pytest.mark.real

_FACTOR: Final = 60
_AWAY_S: Final = 20 * 60 / _FACTOR
ENVIRONMENT: Final = {
    "HILUM_QUEUE_MAX_ATTEMPTS": "12",
    "HILUM_QUEUE_BACKOFF_BASE_SECONDS": str(1 / _FACTOR),
    "HILUM_QUEUE_BACKOFF_CAP_SECONDS": str(300 / _FACTOR),
}


@pytest.mark.parametrize("name", ["triton", "minio", "postgres", "redis"])
def test_a_long_outage_takes_no_attempt(
    stack: RealStack, ledger: Ledger, sender: Sender, frozen, name: str
):
    """No job is dead-lettered, none lost its worker, and STAT images are the first afterwards."""
    server = getattr(stack, name)
    with frozen(stack.triton):
        batch = sender.send(6, "batch")
        running = "SELECT count(*) FROM jobs WHERE state = 'running'"
        wait_until(lambda: ledger.rows(running)[0][0] == 4, "every slot busy")
        routine, stat = sender.send(4, "routine"), sender.send(4, "stat")
        ids = [*batch, *routine, *stat]
        server.kill()
    try:
        time.sleep(_AWAY_S)
    finally:
        server.launch()
    ledger.wait_for_state(ids, "completed")
    ledger.assert_every_film_ended_once(ids)
    spent = ledger.rows("SELECT attempts, losses FROM jobs WHERE id = ANY(%s::uuid[])", ids)
    assert set(spent) == {(1, 0)}
    claimed = "SELECT started_at FROM jobs WHERE id = ANY(%s::uuid[]) ORDER BY 1"
    # Four of the batch ran when the server went.
    assert ledger.rows(claimed, stat)[-1] < ledger.rows(claimed, batch)[-2]
