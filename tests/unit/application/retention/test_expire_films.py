"""Films go after their time; what was read of them stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hilum.application.retention.expire_films import Expiry, RetentionRule
from hilum.domain.audit import first_broken_link
from hilum.domain.errors import InvalidRequest
from hilum.domain.job import JobState
from hilum.domain.object_keys import preview_key
from tests.unit.application.hospital import DAY_S, RULE, Hospital
from tests.unit.application.stage import ME, film, key


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


def test_a_film_goes_with_its_preview_and_its_result_stays(hospital):
    """Only after its days; the job says when."""
    job = hospital.film_read()
    result = hospital.result(job.id)
    hospital.advance(30 * DAY_S)
    assert hospital.expire(RULE, ME).films == 0
    assert len(hospital.store.objects) == 2
    hospital.advance(1)
    before = hospital.clock.now()
    assert hospital.expire(RULE, ME) == Expiry(
        films=1,
        size_bytes=len(film()),
        objects=2,
        ended_before=before - timedelta(days=30),
    )
    assert hospital.store.objects == {}
    assert hospital.job(job.id).film_expired_at == before
    assert hospital.job(job.id).state is JobState.COMPLETED
    assert hospital.result(job.id) == result


def test_a_dry_run_only_counts(hospital):
    """The same films, and nothing is gone."""
    for shade in range(3):
        hospital.film_read(shade)
    hospital.advance(31 * DAY_S)
    due = hospital.expire.due(RULE)
    assert (due.films, due.size_bytes) == (3, 3 * len(film()))
    assert len(hospital.store.objects) == 6
    done = hospital.expire(RULE, ME)
    assert (done.films, done.size_bytes) == (due.films, due.size_bytes)


def test_many_films_go_in_batches_each_of_which_is_audited(hospital):
    """What was decided, and then what was done; the jobs of a batch carry its moment."""
    jobs = [hospital.film_read(shade) for shade in range(5)]
    hospital.advance(31 * DAY_S)
    assert hospital.expire(RULE, ME).films == 5
    told = [event for event in hospital.events() if event.object_type == "films"]
    assert [event.action for event in told] == ["films.expired", "films.removed"] * 3
    assert {event.actor for event in told} == {ME}
    assert [event.details["films"] for event in told[::2]] == [2, 2, 1]
    assert [event.details["objects"] for event in told[1::2]] == [4, 4, 2]
    assert told[0].details["site"] == "*"
    assert told[0].details["days"] == 30
    assert {hospital.job(job.id).film_expired_at for job in jobs} == {
        event.at for event in told[::2]
    }
    with hospital.unit_of_work.begin(write=False) as transaction:
        assert first_broken_link(transaction.audit.records()) is None


def test_a_second_run_has_nothing_to_do_and_says_nothing(hospital):
    """Nor is anything audited."""
    hospital.film_read()
    hospital.advance(31 * DAY_S)
    hospital.expire(RULE, ME)
    before = hospital.actions()
    again = hospital.expire(RULE, ME)
    assert (again.films, again.objects) == (0, 0)
    assert hospital.actions() == before


def test_a_rule_of_one_site_leaves_the_others_alone(hospital):
    """And the audit log says for which site it was."""
    north, south = (hospital.film_read(site=site) for site in ("north", "south"))
    hospital.advance(31 * DAY_S)
    assert hospital.expire(RetentionRule(30, "north"), ME).films == 1
    assert hospital.job(north.id).film_expired_at is not None
    assert hospital.job(south.id).film_expired_at is None
    assert hospital.events()[-2].details["site"] == "north"


def test_a_film_whose_job_is_in_hand_is_never_removed(hospital):
    """Waiting, running or parked, however old; a parked one goes after it was discarded."""
    waiting, running = hospital.queued(film(1)), hospital.queued(film(2))
    parked = hospital.parked(film(3))
    hospital.claim(running.id, "w9")
    hospital.advance(365 * DAY_S)
    assert hospital.expire(RULE, ME).films == 0
    assert len(hospital.store.objects) == 3
    hospital.analyse(waiting.id)
    assert hospital.job(waiting.id).state is JobState.COMPLETED
    hospital.operate.discard(parked.id, key(), "r")
    hospital.advance(31 * DAY_S)
    assert hospital.expire(RULE, ME).films == 2
    assert list(hospital.store.objects) == [hospital.object_key(running)]


@pytest.mark.parametrize("days", [0, -1])
def test_a_rule_that_keeps_nothing_is_refused(hospital, days):
    """A slip would take films that nobody has looked at yet."""
    hospital.film_read()
    for ask in (hospital.expire.due, lambda rule: hospital.expire(rule, ME)):
        with pytest.raises(InvalidRequest):
            ask(RetentionRule(days))
    assert len(hospital.store.objects) == 2


def test_a_preview_is_named_after_its_job(hospital):
    """So that it goes with the film."""
    job = hospital.film_read()
    assert preview_key(job.id) in hospital.store.objects
