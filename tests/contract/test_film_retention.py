"""What the database promises about films that go after a time, on every database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.film_rows import film_rows, named_keys
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.application.ports.film_retention import DueFilms, ExpiredFilm
from hilum.domain.errors import InternalError
from hilum.domain.job import ENDED, JobState
from tests.contract.samples import NOW, Film, a_film, accept, an_analysis, seconds, stored

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork

LATER = NOW + seconds(3600)


def ended(unit_of_work: UnitOfWork, after: float = 0, **of_job: Any) -> Film:
    """A committed film whose job ended so many seconds after NOW."""
    moment = NOW + seconds(after)
    fields = {"state": JobState.COMPLETED, "updated_at": moment, "finished_at": moment, **of_job}
    film = a_film(**fields)
    accept(unit_of_work, film)
    return film


def expire(
    unit_of_work: UnitOfWork, before: float, limit: int = 9, site: str | None = None
) -> list[UUID]:
    """Expire what ended before so many seconds after NOW; the jobs, in order."""
    with unit_of_work.begin() as transaction:
        films = transaction.film_retention.expire(NOW + seconds(before), site, LATER, limit)
    return [film.job_id for film in films]


@pytest.mark.parametrize("state", list(JobState))
def test_only_a_film_whose_job_has_ended_goes(unit_of_work: UnitOfWork, state: JobState) -> None:
    """One that waits or runs is needed; one that is parked may be tried again."""
    film = ended(unit_of_work, state=state)
    expected = [film.job.id] if state in ENDED else []
    with unit_of_work.begin(write=False) as transaction:
        due = transaction.film_retention.due(NOW + seconds(1), None)
    assert due == DueFilms(len(expected), len(expected) * film.instance.size_bytes)
    assert expire(unit_of_work, 1) == expected
    kept = None if state not in ENDED else LATER
    assert stored(unit_of_work, film.job.id) == replace(film.job, film_expired_at=kept)


def test_a_discarded_job_gets_no_bytes(unit_of_work: UnitOfWork) -> None:
    """It gave up its key: the image that is sent again is another job's."""
    film = ended(unit_of_work, state=JobState.DISCARDED)
    new = replace(film.instance, id=uuid4(), object_key="films/again")
    with unit_of_work.begin() as transaction:
        gone = {"instead_of": film.instance.object_key, "now": LATER}
        assert transaction.film_retention.send_again(film.job.id, new, **gone) is None


def test_the_oldest_go_first_and_each_once(unit_of_work: UnitOfWork) -> None:
    """In batches; who ended at the very moment or after it stays."""
    films = [ended(unit_of_work, after) for after in (3, 1, 2, 5, 6)]
    third, first, second, _, _ = (film.job.id for film in films)
    assert expire(unit_of_work, 5, limit=2) == [first, second]
    assert expire(unit_of_work, 5, limit=2) == [third]
    assert expire(unit_of_work, 5) == []


def test_a_film_is_named_with_its_object(unit_of_work: UnitOfWork) -> None:
    """And its size, which may be beyond 32 bits; nothing is due after that."""
    film = ended(unit_of_work)
    with unit_of_work.begin() as transaction:
        assert transaction.film_retention.expire(LATER, None, LATER, 9) == [
            ExpiredFilm(film.job.id, film.instance.object_key, film.instance.size_bytes)
        ]
        assert transaction.film_retention.due(LATER, None) == DueFilms(0, 0)


def test_a_rule_may_be_of_one_site(unit_of_work: UnitOfWork) -> None:
    """The films of the others stay."""
    north, south = (ended(unit_of_work, site=site) for site in ("north", "south"))
    assert expire(unit_of_work, 1, site="south") == [south.job.id]
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.film_retention.due(LATER, "south").films == 0
        assert transaction.film_retention.due(LATER, "north").films == 1
    assert expire(unit_of_work, 1) == [north.job.id]


def test_what_was_read_of_a_film_stays(unit_of_work: UnitOfWork) -> None:
    """Result, heatmaps and the gate's word."""
    film = ended(unit_of_work)
    analysis = an_analysis(film.job)
    with unit_of_work.begin() as transaction:
        transaction.results.add(analysis)
    assert expire(unit_of_work, 1) == [film.job.id]
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.results.get(film.job.id) == replace(analysis, heatmaps=())
        assert transaction.results.gate(film.job.id) == analysis.gate
        heatmap = analysis.heatmaps[0]
        found = transaction.results.heatmap(film.job.id, heatmap.panel, heatmap.label)
        assert found == heatmap


def test_a_change_that_is_rolled_back_expired_nothing(unit_of_work: UnitOfWork) -> None:
    """Neither the mark nor the list is left."""
    film = ended(unit_of_work)

    def fail() -> None:
        with unit_of_work.begin() as transaction:
            transaction.film_retention.expire(LATER, None, LATER, 9)
            transaction.film_retention.ask_removal(["films/a"], LATER)
            raise InternalError("on purpose")

    with pytest.raises(InternalError, match="on purpose"):
        fail()
    assert stored(unit_of_work, film.job.id).film_expired_at is None
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.film_retention.to_remove(9) == []


def test_the_list_of_what_is_to_be_removed(unit_of_work: UnitOfWork) -> None:
    """What is asked for twice stands once; it is worked off in portions; a stranger is nothing."""
    keys = [f"films/{number:02}" for number in range(40)]
    with unit_of_work.begin() as transaction:
        transaction.film_retention.ask_removal(keys[:30], NOW)
        transaction.film_retention.ask_removal(keys[20:], LATER)
        transaction.film_retention.ask_removal([], LATER)
    with unit_of_work.begin() as transaction:
        first = transaction.film_retention.to_remove(15)
        assert len(set(first)) == 15
        assert transaction.film_retention.removed([*first, "films/stranger"]) == 15
        assert transaction.film_retention.removed(first) == 0
        assert transaction.film_retention.removed([]) == 0
        assert sorted([*first, *transaction.film_retention.to_remove(99)]) == keys


def test_a_film_that_is_sent_again_is_kept_again(unit_of_work: UnitOfWork) -> None:
    """Under the new key; retention then counts from that moment."""
    film = ended(unit_of_work)
    new = replace(film.instance, id=uuid4(), object_key="films/again", sha256="cd" * 32)
    gone = {"instead_of": film.instance.object_key, "now": LATER}
    assert expire(unit_of_work, 1) == [film.job.id]
    with unit_of_work.begin() as transaction:
        again = transaction.film_retention.send_again
        assert again(film.job.id, new, instead_of="films/other", now=LATER) is None
        assert again(film.job.id, new, **gone) == film.job
        assert again(film.job.id, new, **gone) is None
        assert again(uuid4(), new, **gone) is None
    assert stored(unit_of_work, film.job.id) == film.job
    with unit_of_work.begin(write=False) as transaction:
        kept = transaction.submissions.instance(film.instance.id)
    assert kept == replace(film.instance, object_key="films/again", sha256="cd" * 32)
    assert expire(unit_of_work, 3600) == []
    assert expire(unit_of_work, 3601) == [film.job.id]


def test_a_backup_does_not_look_for_films_that_are_gone(database_url: str) -> None:
    """Nor does it stumble over a database of a release that removed none."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    gone, here = ended(unit_of_work), ended(unit_of_work, 2)
    assert expire(unit_of_work, 1) == [gone.job.id]
    with engine.begin() as connection:
        keys = {film.instance.object_key for film in (gone, here)}
        assert [film.key for film in film_rows(connection)] == [here.instance.object_key]
        assert named_keys(connection, {*keys, "films/stranger"}) == {here.instance.object_key}
        assert named_keys(connection, set()) == set()
    migrate.downgrade(database_url, "0005")
    with engine.begin() as connection:
        assert len(list(film_rows(connection))) == 2
        assert named_keys(connection, keys) == keys
    engine.dispose()


def test_which_objects_a_film_has(unit_of_work: UnitOfWork) -> None:
    """Not those of an expired film, and no stranger's."""
    gone = ended(unit_of_work)
    assert expire(unit_of_work, 1) == [gone.job.id]
    here, waiting = ended(unit_of_work), a_film()
    accept(unit_of_work, waiting)
    films = (gone, here, waiting)
    with unit_of_work.begin(write=False) as transaction:
        keys = [film.instance.object_key for film in films]
        assert transaction.film_retention.named([*keys, "films/x"]) == set(keys[1:])
        assert transaction.film_retention.named([]) == set()
        jobs = [film.job.id for film in films]
        assert transaction.film_retention.shown([*jobs, uuid4()]) == set(jobs[1:])
        assert transaction.film_retention.shown([]) == set()
