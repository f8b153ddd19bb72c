"""Films go after their time; what was read of them stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hilum.application.object_keys import preview_key
from hilum.application.submission import SubmissionFields
from hilum.application.use_cases.expire_films import ExpireFilms, Expiry, RetentionRule
from hilum.domain.audit import first_broken_link
from hilum.domain.errors import (
    DatabaseUnavailable,
    FilmExpired,
    InvalidRequest,
    ObjectStoreUnavailable,
)
from hilum.domain.job import JobState
from tests.unit.application.stage import Stage, film, key

DAY_S = 24 * 3600
RULE = RetentionRule(days=30)


class Hospital(Stage):
    """A stage whose films go after a time, two at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.expire = ExpireFilms(
            unit_of_work=self.unit_of_work, store=self.store, clock=self.clock, batch=2
        )

    def film_read(self, shade: int = 7, site: str | None = None):
        """A film that was read and looked at; its job."""
        fields = SubmissionFields(site=site)
        job = self.send(film(shade), fields=fields).accepted[0].job
        self.analyse(job.id)
        self.show.preview(job.id, key())
        return self.job(job.id)

    def object_key(self, job) -> str:
        with self.unit_of_work.begin(write=False) as transaction:
            return transaction.studies.instance(job.instance_id).object_key


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


def test_a_film_goes_with_its_preview_and_its_result_stays(hospital):
    """Only after its days; the job says when."""
    job = hospital.film_read()
    result = hospital.result(job.id)
    hospital.advance(30 * DAY_S)
    assert hospital.expire(RULE, "me").films == 0
    assert len(hospital.store.objects) == 2
    hospital.advance(1)
    before = hospital.clock.now()
    assert hospital.expire(RULE, "me") == Expiry(
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
    done = hospital.expire(RULE, "me")
    assert (done.films, done.size_bytes) == (due.films, due.size_bytes)


def test_many_films_go_in_batches_each_of_which_is_audited(hospital):
    """What was decided, and then what was done; the jobs of a batch carry its moment."""
    jobs = [hospital.film_read(shade) for shade in range(5)]
    hospital.advance(31 * DAY_S)
    assert hospital.expire(RULE, "operator:me").films == 5
    told = [event for event in hospital.events() if event.object_type == "films"]
    assert [event.action for event in told] == ["films.expired", "films.removed"] * 3
    assert {event.actor for event in told} == {"operator:me"}
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
    hospital.expire(RULE, "me")
    before = hospital.actions()
    again = hospital.expire(RULE, "me")
    assert (again.films, again.objects) == (0, 0)
    assert hospital.actions() == before


def test_a_rule_of_one_site_leaves_the_others_alone(hospital):
    """And the audit log says for which site it was."""
    north, south = (hospital.film_read(site=site) for site in ("north", "south"))
    hospital.advance(31 * DAY_S)
    assert hospital.expire(RetentionRule(30, "north"), "me").films == 1
    assert hospital.job(north.id).film_expired_at is not None
    assert hospital.job(south.id).film_expired_at is None
    assert hospital.events()[-2].details["site"] == "north"


def test_a_film_whose_job_is_in_hand_is_never_removed(hospital):
    """Waiting, running or parked, however old; a parked one goes after it was discarded."""
    waiting, running = hospital.queued(film(1)), hospital.queued(film(2))
    parked = hospital.parked(film(3))
    with hospital.unit_of_work.begin() as transaction:
        transaction.jobs.claim(running.id, "w9", hospital.clock.now(), timedelta(days=900))
    hospital.advance(365 * DAY_S)
    assert hospital.expire(RULE, "me").films == 0
    assert len(hospital.store.objects) == 3
    hospital.analyse(waiting.id)
    assert hospital.job(waiting.id).state is JobState.COMPLETED
    hospital.operate.discard(parked.id, key(), "r")
    hospital.advance(31 * DAY_S)
    assert hospital.expire(RULE, "me").films == 2
    assert list(hospital.store.objects) == [hospital.object_key(running)]


@pytest.mark.parametrize("days", [0, -1])
def test_a_rule_that_keeps_nothing_is_refused(hospital, days):
    """A slip would take films that nobody has looked at yet."""
    hospital.film_read()
    for ask in (hospital.expire.due, lambda rule: hospital.expire(rule, "me")):
        with pytest.raises(InvalidRequest):
            ask(RetentionRule(days))
    assert len(hospital.store.objects) == 2


def test_an_outage_of_the_store_is_gone_on_from(hospital):
    """The films say at once that they are gone; the next run removes what the first could not."""
    jobs = [hospital.film_read(shade) for shade in range(3)]
    hospital.advance(31 * DAY_S)
    delete, deleted = hospital.store.delete, []

    def fail_after_one(name: str) -> None:
        if deleted:
            raise ObjectStoreUnavailable("told to fail")
        deleted.append(name)
        delete(name)

    hospital.store.delete = fail_after_one
    with pytest.raises(ObjectStoreUnavailable):
        hospital.expire(RULE, "me")
    marked = [job for job in jobs if hospital.job(job.id).film_expired_at]
    assert len(marked) == 2
    for job in marked:
        with pytest.raises(FilmExpired):
            hospital.show.preview(job.id, key())
    hospital.store.delete = delete
    rest = hospital.expire(RULE, "me")
    assert (rest.films, rest.objects) == (1, 6)
    assert hospital.store.objects == {}


def test_an_outage_of_the_database_is_gone_on_from(hospital):
    """Objects that were removed and are still on the list are no error the second time."""
    hospital.film_read()
    hospital.advance(31 * DAY_S)
    delete = hospital.store.delete

    def then_fail(name: str) -> None:
        delete(name)
        hospital.unit_of_work.fail_before = 1

    hospital.store.delete = then_fail
    with pytest.raises(DatabaseUnavailable):
        hospital.expire(RULE, "me")
    assert hospital.store.objects == {}
    hospital.store.delete = delete
    again = hospital.expire(RULE, "me")
    assert (again.films, again.objects) == (0, 2)
    assert hospital.actions().count("films.expired") == 1


def test_a_lost_answer_to_a_commit_loses_no_film_from_the_list(hospital):
    """The marks stand, and so does the list that was written with them."""
    hospital.film_read()
    hospital.advance(31 * DAY_S)
    hospital.unit_of_work.fail_after = 1
    with pytest.raises(DatabaseUnavailable):
        hospital.expire(RULE, "me")
    again = hospital.expire(RULE, "me")
    assert (again.films, again.objects) == (0, 2)
    assert hospital.store.objects == {}


def test_where_another_run_is_at_work_nothing_is_done(hospital, monkeypatch):
    """It will do it all."""
    hospital.film_read()
    hospital.advance(31 * DAY_S)
    with hospital.unit_of_work.begin() as transaction:
        monkeypatch.setattr(type(transaction), "try_lock", lambda *_: False)
    assert hospital.expire(RULE, "me").films == 0
    assert len(hospital.store.objects) == 2


def test_an_expired_film_says_so(hospital):
    """Original, preview and heatmap; outlines need no film. Who may not see it learns nothing."""
    job = hospital.film_read(site="north")
    hospital.advance(31 * DAY_S)
    hospital.expire(RULE, "me")
    day = hospital.job(job.id).film_expired_at.date().isoformat()
    label = hospital.result(job.id).panels[0].findings[0].label
    asked = (
        lambda: hospital.show.preview(job.id, key()),
        lambda: hospital.show.heatmap(job.id, "pneumonia", label, key()),
        lambda: hospital.read.original(job.id, key()),
    )
    for ask in asked:
        with pytest.raises(FilmExpired, match=f"removed by retention on {day}"):
            ask()


def test_a_film_that_is_sent_again_is_kept_again(hospital):
    """With the job that it has; nothing is read anew, and its days begin again."""
    job = hospital.film_read()
    hospital.advance(31 * DAY_S)
    hospital.expire(RULE, "me")
    again = hospital.send(film())
    (answer,) = again.files
    assert (answer.job.id, answer.duplicate, answer.kept) == (job.id, True, True)
    assert answer.job.film_expired_at is None
    assert len(hospital.queue.rung) == 1
    assert list(hospital.store.objects.values()) == [film()]
    assert hospital.store.objects[hospital.object_key(job)] == film()
    assert hospital.show.preview(job.id, key())
    assert hospital.actions()[-1] == "job.film_restored"
    hospital.advance(30 * DAY_S)
    assert hospital.expire(RULE, "me").films == 0
    hospital.advance(1)
    assert hospital.expire(RULE, "me").films == 1
    assert hospital.store.objects == {}


def test_a_film_that_is_sent_again_before_its_removal_ended_is_kept(hospital):
    """The removal that is still to come has the former key."""
    job = hospital.film_read()
    hospital.advance(31 * DAY_S)
    hospital.store.available = False
    with pytest.raises(ObjectStoreUnavailable):
        hospital.expire(RULE, "me")
    hospital.store.available = True
    former = hospital.object_key(job)
    hospital.send(film())
    assert hospital.expire(RULE, "me").objects == 2
    assert former not in hospital.store.objects
    assert hospital.store.objects == {hospital.object_key(job): film()}


def test_an_expired_film_that_is_sent_twice_at_once_is_stored_once(hospital):
    """The second is a film that the platform has."""
    job = hospital.film_read()
    hospital.advance(31 * DAY_S)
    hospital.expire(RULE, "me")
    sent = hospital.send(film(), film(9), film())
    assert [(file.duplicate, file.kept) for file in sent.files] == [
        (True, True),
        (False, True),
        (True, False),
    ]
    assert sent.files[0].job == sent.files[2].job == hospital.job(job.id)
    assert len(hospital.store.objects) == 2
    assert hospital.actions()[-3:] == [
        "job.film_restored",
        "job.accepted",
        "job.submitted_again",
    ]


def test_a_refused_file_among_films_that_come_again_disturbs_nothing(hospital):
    """Each file's bytes follow its own answer."""
    hospital.film_read(1)
    sent = hospital.send(b"no film", film(1), b"", film(2))
    assert len(sent.accepted) == 2
    kept = sorted(value for name, value in hospital.store.objects.items() if "films/" in name)
    assert kept == sorted([film(1), film(2)])


def test_a_preview_is_named_after_its_job(hospital):
    """So that it goes with the film."""
    job = hospital.film_read()
    assert preview_key(job.id) in hospital.store.objects
