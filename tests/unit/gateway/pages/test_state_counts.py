"""Counting films by state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum.domain.job import JobState
from hilum.domain.principal import Role
from hilum_gateway.pages.state_counts import StateCounts
from tests.unit.gateway.pages.browsing import FakeGateway, send

if TYPE_CHECKING:
    from hilum.domain.principal import Principal


class SlowJobs:
    """Counts as the real use case does, and takes its time on a clock of the test's."""

    def __init__(self, gateway: FakeGateway) -> None:
        self._read_jobs = gateway.container.read_jobs
        self.now = 0.0
        self.takes = 1.0
        self.asked = 0

    def counts(self, key: Principal) -> object:
        self.asked += 1
        self.now += self.takes
        return self._read_jobs.counts(key)


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def jobs(gateway) -> SlowJobs:
    return SlowJobs(gateway)


@pytest.fixture
def counts(jobs) -> StateCounts:
    return StateCounts(jobs, timer=lambda: jobs.now)


def key_of(gateway: FakeGateway, site: str) -> Principal:
    return gateway.keys.authenticate(gateway.new_key(Role.VIEWER, site))


def test_what_took_long_to_count_is_remembered_in_proportion(gateway, jobs, counts):
    """A count of one second serves for twenty, then the films are counted again."""
    key = key_of(gateway, "north")
    assert counts.of(key).get(JobState.QUEUED, 0) == 0
    send(gateway.person(Role.SUBMITTER, "north"), "film.pgm")
    jobs.now += 19.9
    assert counts.of(key).get(JobState.QUEUED, 0) == 0
    assert jobs.asked == 1
    jobs.now += 0.2
    assert counts.of(key)[JobState.QUEUED] == 1
    assert jobs.asked == 2


def test_what_took_no_time_is_counted_afresh(gateway, jobs, counts):
    """Where counting is cheap the numbers are those of this moment."""
    jobs.takes = 0.0
    key = key_of(gateway, "north")
    counts.of(key)
    send(gateway.person(Role.SUBMITTER, "north"), "film.pgm")
    assert counts.of(key)[JobState.QUEUED] == 1


def test_one_site_is_not_shown_the_numbers_of_another(gateway, counts):
    """What is remembered is remembered by site."""
    send(gateway.person(Role.SUBMITTER, "north"), "film.pgm")
    assert counts.of(key_of(gateway, "north"))[JobState.QUEUED] == 1
    assert counts.of(key_of(gateway, "south")).get(JobState.QUEUED, 0) == 0
