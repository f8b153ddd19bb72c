"""Films that go while store or database fail, or another run is at work."""

from __future__ import annotations

import pytest

from hilum.domain.errors import DatabaseUnavailable, FilmExpired, ObjectStoreUnavailable
from tests.unit.application.hospital import DAY_S, RULE, Hospital
from tests.unit.application.stage import ME, key


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


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
        hospital.expire(RULE, ME)
    marked = [job for job in jobs if hospital.job(job.id).film_expired_at]
    assert len(marked) == 2
    for job in marked:
        with pytest.raises(FilmExpired):
            hospital.show.preview(job.id, key())
    hospital.store.delete = delete
    rest = hospital.expire(RULE, ME)
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
        hospital.expire(RULE, ME)
    assert hospital.store.objects == {}
    hospital.store.delete = delete
    again = hospital.expire(RULE, ME)
    assert (again.films, again.objects) == (0, 2)
    assert hospital.actions().count("films.expired") == 1


def test_a_lost_answer_to_a_commit_loses_no_film_from_the_list(hospital):
    """The marks stand, and so does the list that was written with them."""
    hospital.film_read()
    hospital.advance(31 * DAY_S)
    hospital.unit_of_work.fail_after = 1
    with pytest.raises(DatabaseUnavailable):
        hospital.expire(RULE, ME)
    again = hospital.expire(RULE, ME)
    assert (again.films, again.objects) == (0, 2)
    assert hospital.store.objects == {}


def test_where_another_run_is_at_work_nothing_is_done(hospital, monkeypatch):
    """It will do it all."""
    hospital.film_read()
    hospital.advance(31 * DAY_S)
    with hospital.unit_of_work.begin() as transaction:
        monkeypatch.setattr(type(transaction), "try_lock", lambda *_: False)
    assert hospital.expire(RULE, ME).films == 0
    assert len(hospital.store.objects) == 2
