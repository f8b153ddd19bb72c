"""Waiting for jobs."""

from __future__ import annotations

import pytest

from hilum_cli.failure import GatewayRefusal, GatewayUnreachable
from hilum_cli.following import follow


class Gateway:
    """Jobs that settle after they were asked for so many times; time passes by pauses."""

    def __init__(self, **asks: int) -> None:
        self.left = dict(asks)
        self.asked: list[str] = []
        self.failures: list[Exception] = []
        self.time = 0.0

    def job(self, job_id):
        if self.failures:
            raise self.failures.pop(0)
        self.asked.append(job_id)
        self.left[job_id] -= 1
        state = "running" if self.left[job_id] > 0 else "completed"
        return {"job_id": job_id, "state": state}

    def pause(self, seconds):
        self.time += seconds

    def follow(self, *job_ids: str):
        told = follow(self, job_ids, pause=self.pause, now=lambda: self.time)
        return [job["job_id"] for job in told]


def test_each_job_is_told_once_when_it_has_ended():
    """In the order in which they end; one that was named twice is told once."""
    assert Gateway(a=3, b=1, c=2).follow("a", "b", "c", "a") == ["b", "c", "a"]


def test_nothing_to_follow_asks_nothing():
    """Every film was refused."""
    gateway = Gateway()
    assert gateway.follow() == []
    assert gateway.asked == []


def test_only_the_oldest_few_are_asked_for_in_each_round():
    """A thousand films that wait are not a thousand requests a second."""
    gateway = Gateway(**{f"j{n:03}": 10 for n in range(100)})
    rounds = follow(gateway, list(gateway.left), pause=gateway.pause, now=lambda: gateway.time)
    next(rounds)
    assert len(set(gateway.asked)) <= 10


@pytest.mark.parametrize("state", ["completed", "rejected", "failed", "discarded"])
def test_every_settled_state_ends_the_wait(state):
    """Also those that are no success."""

    class Settled(Gateway):
        def job(self, job_id):
            return {"job_id": job_id, "state": state}

    assert Settled().follow("a") == ["a"]


@pytest.mark.parametrize(
    "failure",
    [GatewayUnreachable("http://h", "x"), GatewayRefusal(503, "database_unavailable", "x")],
)
def test_a_gateway_that_is_away_for_a_while_is_waited_for(failure):
    """And for minutes it is not."""
    gateway = Gateway(a=2)
    gateway.failures = [failure] * 5
    assert gateway.follow("a") == ["a"]
    gateway = Gateway(a=2)
    gateway.failures = [failure] * 10_000
    with pytest.raises(type(failure)):
        gateway.follow("a")
    assert 100 < gateway.time < 300


def test_a_refusal_is_told_at_once():
    """A key that was revoked does not come back."""
    gateway = Gateway(a=2)
    gateway.failures = [GatewayRefusal(401, "not_authenticated", "x")]
    with pytest.raises(GatewayRefusal):
        gateway.follow("a")
    assert gateway.time == 0
