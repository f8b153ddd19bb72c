"""Wait until jobs have ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from hilum.domain.job import SETTLED, JobState
from hilum_cli.failure import GatewayRefusal, GatewayUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_AT_ONCE: Final = 8
_SHORTEST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 1.0
_PATIENCE_S: Final = 120.0
_OUTAGE: Final = 500


class ReadsJobs(Protocol):
    """What reads one job; see :meth:`hilum_cli.gateway.Gateway.job`."""

    def job(self, job_id: str) -> dict[str, Any]:
        """The job."""
        ...


def follow(
    gateway: ReadsJobs,
    job_ids: Sequence[str],
    *,
    pause: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[dict[str, Any]]:
    """Each job once, as soon as it is seen to have ended or to be parked.

    Jobs end about in the order in which they were accepted, so only the oldest few are asked for
    in each round. A gateway that is away for a while is waited for.

    Raises:
        GatewayUnreachable: It has been away for minutes.
        GatewayRefusal: It refuses, or reports an outage for minutes.
    """
    waiting = list(dict.fromkeys(job_ids))
    wait = _SHORTEST_PAUSE_S
    last_answer = now()
    while waiting:
        ended = []
        try:
            for job_id in waiting[:_AT_ONCE]:
                job = gateway.job(job_id)
                last_answer = now()
                if JobState(job["state"]) in SETTLED:
                    ended.append(job_id)
                    yield job
        except GatewayUnreachable:
            if now() - last_answer > _PATIENCE_S:
                raise
        except GatewayRefusal as refusal:
            if refusal.status < _OUTAGE or now() - last_answer > _PATIENCE_S:
                raise
        if ended:
            waiting = [job_id for job_id in waiting if job_id not in ended]
            wait = _SHORTEST_PAUSE_S
        elif waiting:
            pause(wait)
            wait = min(wait * 1.5, _LONGEST_PAUSE_S)
